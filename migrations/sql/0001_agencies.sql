-- Who takes part: agencies, the groups they form, and the credentials their systems sign in with.

CREATE FUNCTION uuid7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  -- RFC 9562 version 7: 48 bits of Unix milliseconds over a random version 4; PostgreSQL before 18 has no uuidv7().
  SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
    52, 1), 53, 1), 'hex')::uuid
$$;

-- A moment as it stands in JSON: RFC 3339, UTC, six digits of a second.
CREATE FUNCTION utc_text(p_at timestamptz) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- Today, as days are counted in agreements and review dates.
CREATE FUNCTION utc_today() RETURNS date LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date
$$;

CREATE FUNCTION caller_agency() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT nullif(current_setting('interdesk.agency', true), '')
$$;

CREATE FUNCTION caller_has_role(p_role text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT p_role = ANY (string_to_array(current_setting('interdesk.roles', true), ','))
$$;

CREATE TABLE agencies (
  code text PRIMARY KEY CHECK (code ~ '^[A-Z0-9]{2,12}(-[A-Z0-9]{1,12}){0,2}$'),
  name text NOT NULL,
  native_name text,
  kind text NOT NULL,
  country text CHECK (country ~ '^[A-Z]{2}$'),
  languages text[] NOT NULL DEFAULT '{}',
  time_zone text NOT NULL DEFAULT 'UTC',
  contact_phone text,
  contact_email text,
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
  hub boolean NOT NULL DEFAULT false,
  -- Whether an agreement or an emergency ever opened anything to it; enter() looks for them only then.
  conditional_sight boolean NOT NULL DEFAULT false,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- The hub runs the installation and takes part in nothing: there is one, and it is never in an audience.
CREATE UNIQUE INDEX agencies_one_hub ON agencies (hub) WHERE hub;
INSERT INTO agencies (code, name, kind, hub) VALUES ('HUB', 'Interdesk hub', 'other', true);

CREATE TABLE groups (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('council', 'joint_team', 'working_group')),
  name text NOT NULL,
  purpose text,
  chair text NOT NULL REFERENCES agencies (code),
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  ended_at timestamptz
);

CREATE TABLE memberships (
  id uuid PRIMARY KEY DEFAULT uuid7(),
  group_id uuid NOT NULL REFERENCES groups (id),
  agency text NOT NULL REFERENCES agencies (code),
  role text NOT NULL CHECK (role IN ('chair', 'member', 'observer')),
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  until timestamptz CHECK (until >= since)
);
CREATE UNIQUE INDEX memberships_one_live ON memberships (group_id, agency) WHERE until IS NULL;
CREATE INDEX memberships_live_by_agency ON memberships (agency) WHERE until IS NULL;

CREATE TABLE credentials (
  client_id text PRIMARY KEY,
  agency text NOT NULL REFERENCES agencies (code),
  label text NOT NULL,
  roles text[] NOT NULL CHECK (cardinality(roles) > 0),
  auth_method text NOT NULL CHECK (auth_method IN ('client_secret', 'private_key_jwt')),
  allowed_networks cidr[] NOT NULL DEFAULT '{}',
  jwks jsonb,
  secret_hash bytea,
  former_secret_hash bytea,
  former_secret_until timestamptz,
  expires_at timestamptz,
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'revoked')),
  tokens_valid_from timestamptz NOT NULL DEFAULT '-infinity',
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  revoked_at timestamptz,
  last_used_at timestamptz,
  warned_days integer,
  CHECK ((auth_method = 'client_secret') = (secret_hash IS NOT NULL)),
  CHECK ((auth_method = 'private_key_jwt') = (jwks IS NOT NULL)),
  CHECK ((former_secret_hash IS NULL) = (former_secret_until IS NULL))
);
CREATE INDEX credentials_by_agency ON credentials (agency, created_at);
CREATE INDEX credentials_by_expiry ON credentials (expires_at) WHERE status = 'active' AND expires_at IS NOT NULL;

CREATE TABLE recoveries (
  id uuid PRIMARY KEY DEFAULT uuid7(),
  agency text NOT NULL REFERENCES agencies (code),
  label text NOT NULL,
  requested_by text NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  effective_at timestamptz NOT NULL,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'cancelled', 'completed')),
  cancelled_by text,
  decided_at timestamptz
);
CREATE UNIQUE INDEX recoveries_one_pending ON recoveries (agency) WHERE state = 'pending';

CREATE TABLE revoked_tokens (jti uuid PRIMARY KEY, client_id text NOT NULL, expires_at timestamptz NOT NULL);
CREATE TABLE used_assertions (
  client_id text NOT NULL, jti text NOT NULL, expires_at timestamptz NOT NULL, PRIMARY KEY (client_id, jti)
);
CREATE TABLE sign_in_failures (
  subject bytea PRIMARY KEY, failures integer NOT NULL, last_at timestamptz NOT NULL, blocked_until timestamptz NOT NULL
);
CREATE TABLE signing_keys (
  kid text PRIMARY KEY, public_jwk jsonb NOT NULL, sealed_private_key bytea NOT NULL,
  created_at timestamptz NOT NULL, retires_at timestamptz
);

-- The hub's credentials administer and see no content; a member's credential never administers the hub.
CREATE FUNCTION check_credential_roles() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF (SELECT hub FROM agencies WHERE code = NEW.agency) <> ('platform_admin' = ANY (NEW.roles)) OR
     ('platform_admin' = ANY (NEW.roles) AND cardinality(NEW.roles) > 1) THEN
    RAISE EXCEPTION 'platform_admin stands alone and belongs to the hub' USING ERRCODE = 'check_violation',
      CONSTRAINT = 'credentials_platform_admin';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER credentials_roles BEFORE INSERT OR UPDATE OF roles, agency ON credentials
  FOR EACH ROW EXECUTE FUNCTION check_credential_roles();

-- A caller holds at most 100 principals, since the policy on records looks at each of them for every row.
CREATE FUNCTION check_membership_count() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF (SELECT hub FROM agencies WHERE code = NEW.agency) THEN
    RAISE EXCEPTION 'the hub joins no group' USING ERRCODE = 'check_violation', CONSTRAINT = 'memberships_no_hub';
  END IF;
  PERFORM 1 FROM agencies WHERE code = NEW.agency FOR UPDATE;
  IF (SELECT count(*) FROM memberships WHERE agency = NEW.agency AND until IS NULL) >= 98 THEN
    RAISE EXCEPTION 'an agency stands in at most 98 groups' USING ERRCODE = 'check_violation',
      CONSTRAINT = 'memberships_at_most_98';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER memberships_count BEFORE INSERT ON memberships
  FOR EACH ROW EXECUTE FUNCTION check_membership_count();
