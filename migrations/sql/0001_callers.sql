-- Who calls: what an agency stands for in audiences, the caller of a transaction, and who sees what of the directory.

-- Whether an agreement opens sharing: it was put in force, and its last day has not passed.
CREATE FUNCTION is_in_force(p_since timestamptz, p_until date) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT p_since IS NOT NULL AND (p_until IS NULL OR p_until >= utc_today())
$$;

-- What an agreement adds to what one of its parties stands for: sharing that rests on it, directly or as the charter
-- of a group of which the party is a member too.
CREATE FUNCTION principals_by_agreement(p_agency text, p_agreement uuid)
RETURNS TABLE (principal text, since timestamptz) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT p.agency || '@' || a.id::text, a.in_force_since
  FROM agreement_parties p JOIN agreements a ON a.id = p.agreement_id
  WHERE p.agency = p_agency AND a.id = p_agreement
  UNION ALL
  SELECT CASE m.role WHEN 'observer' THEN 'observers:' ELSE 'group:' END || m.group_id::text || '@' || a.id::text,
    greatest(m.since, a.in_force_since, g.charter_since)
  FROM agreement_parties p JOIN agreements a ON a.id = p.agreement_id
  JOIN groups g ON g.charter = a.id JOIN memberships m ON m.group_id = g.id AND m.agency = p.agency AND m.until IS NULL
  WHERE p.agency = p_agency AND a.id = p_agreement
$$;

-- The principals that an agency holds only as long as an agreement is in force or an emergency stands.
CREATE FUNCTION conditional_principals_of(p_agency text)
RETURNS TABLE (principal text, since timestamptz) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT b.principal, b.since
  FROM agreement_parties p JOIN agreements a ON a.id = p.agreement_id AND is_in_force(a.in_force_since, a.valid_until)
  CROSS JOIN LATERAL principals_by_agreement(p.agency, a.id) AS b
  WHERE p.agency = p_agency
  UNION ALL
  SELECT e.agency || '!' || e.disclosure_id::text, e.since
  FROM emergencies e WHERE e.agency = p_agency AND e.ended_at IS NULL AND e.until > clock_timestamp()
$$;
-- The same as enter() writes them; NULL if there are none.
CREATE FUNCTION conditional_principals_text(p_agency text) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT string_agg(principal, ',') FROM conditional_principals_of(p_agency)
$$;

-- The only place where principals are made, with enter() below, which writes the same in one string. They are built
-- from uuids and checked codes alone: an agency's code holds no colon, no at sign, no exclamation mark and no lower-case
-- letter, so nothing an agency chooses can spell another's principal.
--   KH-CNP              the agency                    KH-CNP@<agreement>      while that agreement is in force
--   group:<id>          chair and members             group:<id>@<charter>    those who are parties to it, while in force
--   observers:<id>      observers                     observers:<id>@<charter>
--   community           every agency                  KH-CNP!<disclosure>     until that emergency lapses
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
  UNION ALL
  SELECT c.principal, c.since FROM conditional_principals_of(p_agency) AS c
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
    CASE WHEN a.hub THEN '' ELSE concat_ws(',', a.code, 'community',
      (SELECT string_agg(CASE m.role WHEN 'observer' THEN 'observers:' ELSE 'group:' END || m.group_id::text, ',')
        FROM memberships m WHERE m.agency = a.code AND m.until IS NULL),
      CASE WHEN a.conditional_sight THEN conditional_principals_text(a.code) END) END
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
