-- Who takes part: agencies, the groups they form, and the credentials their systems sign in with.

CREATE FUNCTION uuid7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  -- RFC 9562 version 7: 48 bits of Unix milliseconds over a random version 4; PostgreSQL before 18 has no uuidv7().
  SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
    52, 1), 53, 1), 'hex')::uuid
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

-- The only place where principals are made. They are built from uuids and checked codes alone: an agency's code holds
-- no colon and no lower-case letter, so nothing an agency chooses can spell another's principal.
CREATE FUNCTION principals_of(p_agency text)
RETURNS TABLE (principal text, since timestamptz) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT a.code, '-infinity'::timestamptz FROM agencies a WHERE a.code = p_agency AND NOT a.hub
  UNION ALL
  SELECT 'community', a.created_at FROM agencies a WHERE a.code = p_agency AND NOT a.hub
  UNION ALL
  SELECT CASE m.role WHEN 'observer' THEN 'observers:' ELSE 'group:' END || m.group_id::text, m.since
  FROM memberships m JOIN agencies a ON a.code = m.agency
  WHERE m.agency = p_agency AND m.until IS NULL AND NOT a.hub
$$;

-- Checks the credential of a verified token and makes it the caller of this transaction. Nothing is set unless the
-- outcome is 'ok'. Outcomes: ok, unknown, revoked, expired, suspended, network.
CREATE FUNCTION enter(
  p_client text, p_jti uuid, p_issued timestamptz, p_peer inet, p_request text, p_officer text, p_purpose text,
  OUT outcome text, OUT agency text, OUT roles text[]
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_principals text;
  v_since timestamptz;
BEGIN
  SELECT CASE
      WHEN c.status <> 'active' OR p_issued < c.tokens_valid_from THEN 'revoked'
      WHEN c.expires_at <= clock_timestamp() THEN 'expired'
      WHEN a.status <> 'active' THEN 'suspended'
      WHEN cardinality(c.allowed_networks) > 0 AND NOT coalesce(p_peer <<= ANY (c.allowed_networks), false) THEN 'network'
      WHEN EXISTS (SELECT FROM revoked_tokens t WHERE t.jti = p_jti) THEN 'revoked'
      ELSE 'ok' END,
    c.agency, c.roles, a.created_at,
    CASE WHEN a.hub THEN '' ELSE concat_ws(',', a.code, 'community', (
      SELECT string_agg(CASE m.role WHEN 'observer' THEN 'observers:' ELSE 'group:' END || m.group_id::text, ',')
      FROM memberships m WHERE m.agency = a.code AND m.until IS NULL)) END
  INTO outcome, agency, roles, v_since, v_principals
  FROM credentials c JOIN agencies a ON a.code = c.agency WHERE c.client_id = p_client;
  IF NOT FOUND THEN
    outcome := 'unknown';
  ELSIF outcome = 'ok' THEN
    PERFORM become(p_client, agency, roles, v_principals, v_since, p_peer, p_request, p_officer, p_purpose);
  END IF;
END $$;

CREATE FUNCTION become(
  p_client text, p_agency text, p_roles text[], p_principals text, p_since timestamptz, p_peer inet, p_request text,
  p_officer text, p_purpose text
) RETURNS void LANGUAGE sql VOLATILE AS $$
  SELECT set_config('interdesk.client', p_client, true), set_config('interdesk.agency', p_agency, true),
    set_config('interdesk.roles', array_to_string(p_roles, ','), true),
    set_config('interdesk.principals', p_principals, true),
    set_config('interdesk.event_principals', CASE WHEN p_principals = '' THEN '' ELSE p_agency || ',community' END, true),
    set_config('interdesk.member_since', p_since::text, true),
    set_config('interdesk.peer', coalesce(host(p_peer), ''), true),
    set_config('interdesk.request', coalesce(p_request, ''), true),
    set_config('interdesk.officer', coalesce(p_officer, ''), true),
    set_config('interdesk.purpose', coalesce(p_purpose, ''), true)
$$;

-- The operator at the host's command line, as nobody in particular or for one agency. Its entries name 'operator'.
CREATE FUNCTION enter_operator(p_agency text, p_request text, p_officer text, p_purpose text, OUT outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_agency agencies;
BEGIN
  SELECT * INTO v_agency FROM agencies WHERE code = coalesce(p_agency, 'HUB');
  IF NOT FOUND THEN
    outcome := 'unknown';
  ELSIF v_agency.status <> 'active' THEN
    outcome := 'suspended';
  ELSE
    outcome := 'ok';
    PERFORM become('operator', v_agency.code, ARRAY['operator'],
      coalesce((SELECT string_agg(principal, ',') FROM principals_of(v_agency.code)), ''), v_agency.created_at,
      NULL, p_request, p_officer, p_purpose);
  END IF;
END $$;

-- What sign-in needs before anybody is the caller: one credential, by the id the client claims.
CREATE FUNCTION credential_for_sign_in(p_client text)
RETURNS TABLE (client_id text, agency text, roles text[], auth_method text, secret_hash bytea,
  former_secret_hash bytea, jwks jsonb, allowed_networks cidr[], usable boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT c.client_id, c.agency, c.roles, c.auth_method, c.secret_hash,
    CASE WHEN c.former_secret_until > clock_timestamp() THEN c.former_secret_hash END, c.jwks, c.allowed_networks,
    c.status = 'active' AND a.status = 'active' AND coalesce(c.expires_at > clock_timestamp(), true)
  FROM credentials c JOIN agencies a ON a.code = c.agency WHERE c.client_id = p_client
$$;

ALTER TABLE agencies ENABLE ROW LEVEL SECURITY;
ALTER TABLE agencies FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON agencies TO interdesk_engine USING (true) WITH CHECK (true);
CREATE POLICY directory ON agencies FOR SELECT TO interdesk_api, interdesk_worker USING (caller_agency() IS NOT NULL);
CREATE POLICY platform_creates ON agencies FOR INSERT TO interdesk_api, interdesk_worker
  WITH CHECK (NOT hub AND (caller_has_role('platform_admin') OR caller_has_role('operator')));
CREATE POLICY own_or_platform_changes ON agencies FOR UPDATE TO interdesk_api, interdesk_worker
  USING (caller_has_role('platform_admin') OR caller_has_role('operator')
    OR (code = caller_agency() AND caller_has_role('agency_admin')))
  WITH CHECK (true);

ALTER TABLE groups ENABLE ROW LEVEL SECURITY;
ALTER TABLE groups FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON groups TO interdesk_engine USING (true) WITH CHECK (true);
ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
ALTER TABLE memberships FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON memberships TO interdesk_engine USING (true) WITH CHECK (true);

-- Members of a group know the group and each other; nobody else learns that it exists.
CREATE FUNCTION in_group(p_group uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM memberships WHERE group_id = p_group AND agency = caller_agency() AND until IS NULL)
$$;
CREATE FUNCTION chairs_group(p_group uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM groups WHERE id = p_group AND chair = caller_agency() AND ended_at IS NULL)
$$;
CREATE POLICY members_see ON groups FOR SELECT TO interdesk_api, interdesk_worker
  USING (chair = caller_agency() OR in_group(id));
CREATE POLICY chair_creates ON groups FOR INSERT TO interdesk_api, interdesk_worker WITH CHECK (chair = caller_agency());
CREATE POLICY chair_changes ON groups FOR UPDATE TO interdesk_api, interdesk_worker
  USING (chair = caller_agency()) WITH CHECK (true);
CREATE POLICY members_see ON memberships FOR SELECT TO interdesk_api, interdesk_worker USING (in_group(group_id));
CREATE POLICY chair_adds ON memberships FOR INSERT TO interdesk_api, interdesk_worker WITH CHECK (chairs_group(group_id));
CREATE POLICY chair_or_self_ends ON memberships FOR UPDATE TO interdesk_api, interdesk_worker
  USING (chairs_group(group_id) OR agency = caller_agency()) WITH CHECK (true);

ALTER TABLE credentials ENABLE ROW LEVEL SECURITY;
ALTER TABLE credentials FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON credentials TO interdesk_engine USING (true) WITH CHECK (true);
CREATE FUNCTION has_agency_admin(p_agency text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM credentials WHERE agency = p_agency AND status = 'active' AND 'agency_admin' = ANY (roles))
$$;
CREATE POLICY own_agency ON credentials FOR SELECT TO interdesk_api, interdesk_worker USING (
  agency = caller_agency() AND (caller_has_role('agency_admin') OR caller_has_role('platform_admin')
    OR client_id = current_setting('interdesk.client', true)) OR caller_has_role('operator'));
CREATE POLICY own_agency_issues ON credentials FOR INSERT TO interdesk_api, interdesk_worker WITH CHECK (
  agency = caller_agency() AND (caller_has_role('agency_admin') OR caller_has_role('platform_admin'))
  OR caller_has_role('platform_admin') AND roles = ARRAY['agency_admin'] AND NOT has_agency_admin(agency)
  OR caller_has_role('operator'));
CREATE POLICY own_agency_changes ON credentials FOR UPDATE TO interdesk_api, interdesk_worker USING (
  agency = caller_agency() AND (caller_has_role('agency_admin') OR caller_has_role('platform_admin'))
  OR caller_has_role('operator')) WITH CHECK (true);

ALTER TABLE recoveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE recoveries FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON recoveries TO interdesk_engine USING (true) WITH CHECK (true);
CREATE POLICY platform_or_own ON recoveries TO interdesk_api, interdesk_worker USING (
  caller_has_role('platform_admin') OR caller_has_role('operator')
  OR agency = caller_agency() AND caller_has_role('agency_admin'))
  WITH CHECK (caller_has_role('platform_admin') OR agency = caller_agency());

DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['revoked_tokens', 'used_assertions', 'sign_in_failures', 'signing_keys'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
  END LOOP;
END $$;
