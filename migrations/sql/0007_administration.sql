-- Administering agencies and credentials: who may grant what, what is told to the agency, and recovery.

-- Once an agency has had an administrator it stays its own: the hub cannot make a second one but by recovery, even if
-- every administrator's credential has been revoked since.
ALTER TABLE agencies ADD COLUMN first_admin_at timestamptz;
ALTER TABLE agencies ADD CONSTRAINT agencies_hub_is_active CHECK (NOT hub OR status = 'active');
ALTER TABLE credentials ADD COLUMN issued_by text DEFAULT nullif(current_setting('interdesk.client', true), '');
ALTER TABLE credentials ADD CONSTRAINT credentials_grace_is_bounded
  CHECK (former_secret_until <= updated_at + interval '7 days 1 minute');
ALTER TABLE recoveries ADD CONSTRAINT recoveries_wait_a_day CHECK (effective_at >= requested_at + interval '24 hours');
ALTER TABLE recoveries ADD COLUMN completed_with text REFERENCES credentials (client_id);
ALTER TABLE recoveries DROP COLUMN cancelled_by, ADD COLUMN decided_by text;

-- Versions, so that a repeated call can be answered with the one it made. Never a secret, not even its hash.
CREATE TABLE agency_versions (code text NOT NULL, version integer NOT NULL, entry jsonb NOT NULL, PRIMARY KEY (code, version));
CREATE TABLE credential_versions (
  client_id text NOT NULL, version integer NOT NULL, entry jsonb NOT NULL, PRIMARY KEY (client_id, version)
);
CREATE FUNCTION keep_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF TG_TABLE_NAME = 'agencies' THEN
    INSERT INTO agency_versions VALUES (NEW.code, NEW.version, to_jsonb(NEW)) ON CONFLICT (code, version) DO UPDATE SET entry = excluded.entry;
  ELSE
    INSERT INTO credential_versions VALUES (NEW.client_id, NEW.version, to_jsonb(NEW) - 'secret_hash' - 'former_secret_hash')
    ON CONFLICT (client_id, version) DO UPDATE SET entry = excluded.entry;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER agencies_versions AFTER INSERT OR UPDATE OF version ON agencies FOR EACH ROW EXECUTE FUNCTION keep_version();
CREATE TRIGGER credentials_versions AFTER INSERT OR UPDATE OF version ON credentials FOR EACH ROW EXECUTE FUNCTION keep_version();

-- Tells an agency what was done to it: an event for its own systems, and where somebody else did it, an entry in its
-- own audit too, so that its auditors need not ask the hub.
CREATE FUNCTION tell_agency(p_agency text, p_event text, p_action text, p_data jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF p_event !~ '^(agency|credential|recovery)\.[a-z_]+$' THEN
    RAISE EXCEPTION 'not an event of administration: %', p_event;
  END IF;
  IF NOT coalesce(caller_agency() = p_agency OR caller_has_role('platform_admin') OR caller_has_role('operator'), false) THEN
    RAISE EXCEPTION 'not this caller''s agency' USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM announce(p_event, NULL, NULL, NULL, NULL, ARRAY[p_agency], '{}', true, p_data) FROM agencies WHERE code = p_agency AND NOT hub;
  IF caller_agency() IS DISTINCT FROM p_agency THEN
    INSERT INTO audit_entries (agency, client_id, action, outcome, request_id, detail)
    VALUES (p_agency, nullif(current_setting('interdesk.client', true), ''), p_action, 'done',
      nullif(current_setting('interdesk.request', true), ''), p_data || jsonb_build_object('by', caller_agency()));
  END IF;
END $$;

-- An agency_admin keeps its agency's entry, but not what the hub decides about it.
CREATE FUNCTION guard_agency() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF (NEW.kind, NEW.country, NEW.status) IS DISTINCT FROM (OLD.kind, OLD.country, OLD.status)
    AND NOT coalesce(caller_has_role('platform_admin') OR caller_has_role('operator'), false) THEN
    RAISE EXCEPTION 'kind, country and status are the hub''s to change' USING ERRCODE = 'check_violation', CONSTRAINT = 'agencies_by_hub';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER agencies_guard BEFORE UPDATE OF kind, country, status ON agencies FOR EACH ROW EXECUTE FUNCTION guard_agency();

-- Ends every token of an agency. Whatever keeps an agency's administrators out also ends a recovery they could otherwise
-- not cancel in time.
CREATE FUNCTION end_tokens(p_agency text) RETURNS integer LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_recovery uuid;
  v_count integer;
BEGIN
  IF NOT coalesce(caller_has_role('platform_admin') OR caller_has_role('operator'), false) THEN
    RAISE EXCEPTION 'only the hub ends all tokens of an agency' USING ERRCODE = 'insufficient_privilege';
  END IF;
  UPDATE recoveries SET state = 'cancelled', decided_at = clock_timestamp(), decided_by = current_setting('interdesk.client', true)
  WHERE agency = p_agency AND state = 'pending' RETURNING id INTO v_recovery;
  IF FOUND THEN
    PERFORM tell_agency(p_agency, 'recovery.cancelled', 'recovery.cancel', jsonb_build_object('agency', p_agency, 'recovery', v_recovery));
  END IF;
  UPDATE credentials SET tokens_valid_from = clock_timestamp() WHERE agency = p_agency AND status = 'active';
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END $$;
CREATE FUNCTION end_tokens_on_suspension() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM end_tokens(NEW.code);
  RETURN NULL;
END $$;
CREATE TRIGGER agencies_suspended AFTER UPDATE OF status ON agencies FOR EACH ROW
  WHEN (OLD.status = 'active' AND NEW.status = 'suspended') EXECUTE FUNCTION end_tokens_on_suspension();

-- An agency keeps an administrator, whoever of two revokes the other at the same moment. The operator may do as needed.
CREATE FUNCTION guard_last_admin() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_admin text[] := ARRAY['agency_admin', 'platform_admin'];
BEGIN
  IF OLD.status = 'active' AND OLD.roles && v_admin AND NOT (NEW.status = 'active' AND NEW.roles && v_admin)
    AND NOT coalesce(caller_has_role('operator'), false) THEN
    PERFORM FROM agencies WHERE code = OLD.agency FOR NO KEY UPDATE;
    IF NOT EXISTS (SELECT FROM credentials c WHERE c.agency = OLD.agency AND c.client_id <> OLD.client_id AND c.status = 'active'
      AND c.roles && v_admin AND coalesce(c.expires_at > clock_timestamp(), true)) THEN
      RAISE EXCEPTION 'an agency keeps an administrator' USING ERRCODE = 'check_violation', CONSTRAINT = 'credentials_last_admin';
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER credentials_last_admin BEFORE UPDATE OF roles, status ON credentials FOR EACH ROW EXECUTE FUNCTION guard_last_admin();

CREATE FUNCTION mark_first_admin() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  UPDATE agencies SET first_admin_at = clock_timestamp() WHERE code = NEW.agency AND first_admin_at IS NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER credentials_first_admin AFTER INSERT OR UPDATE OF roles ON credentials FOR EACH ROW
  WHEN ('agency_admin' = ANY (NEW.roles)) EXECUTE FUNCTION mark_first_admin();

-- Whether an agency never had an administrator. Waits for whoever is making one at this moment.
CREATE FUNCTION awaits_first_admin(p_agency text) RETURNS boolean LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM FROM agencies WHERE code = p_agency FOR NO KEY UPDATE;
  RETURN EXISTS (SELECT FROM agencies WHERE code = p_agency AND NOT hub AND first_admin_at IS NULL);
END $$;

-- Asks for an administrator's credential of an agency that lost its own. Outcomes: requested, pending (there is one
-- already), suspended, no-admin (it never had one, so the first can be issued), hub.
CREATE FUNCTION request_recovery(p_agency text, p_id uuid, p_label text, OUT outcome text) LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_agency agencies;
  v_at timestamptz := clock_timestamp();
BEGIN
  IF NOT coalesce(caller_has_role('platform_admin'), false) THEN
    RAISE EXCEPTION 'only a platform_admin asks for a recovery' USING ERRCODE = 'insufficient_privilege';
  END IF;
  SELECT * INTO v_agency FROM agencies WHERE code = p_agency FOR NO KEY UPDATE;
  outcome := CASE WHEN v_agency.hub THEN 'hub' WHEN v_agency.first_admin_at IS NULL THEN 'no-admin'
    WHEN v_agency.status <> 'active' THEN 'suspended'
    WHEN EXISTS (SELECT FROM recoveries WHERE agency = p_agency AND state = 'pending') THEN 'pending' ELSE 'requested' END;
  IF outcome = 'requested' THEN
    INSERT INTO recoveries (id, agency, label, requested_by, requested_at, effective_at)
    VALUES (p_id, p_agency, p_label, current_setting('interdesk.client', true), v_at, v_at + interval '24 hours');
    PERFORM tell_agency(p_agency, 'recovery.requested', 'recovery.request',
      jsonb_build_object('agency', p_agency, 'recovery', p_id,
        'effective_at', utc_text(v_at + interval '24 hours')));
  END IF;
END $$;

-- Ends a recovery before it takes effect: any administrator of the agency, or the hub that asked for it.
-- Outcomes: cancelled, decided (it is no longer pending), unknown.
CREATE FUNCTION cancel_recovery(p_agency text, p_id uuid, OUT outcome text) LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF NOT coalesce(caller_has_role('platform_admin') OR caller_has_role('operator')
    OR (caller_has_role('agency_admin') AND caller_agency() = p_agency), false) THEN
    RAISE EXCEPTION 'not this caller''s to cancel' USING ERRCODE = 'insufficient_privilege';
  END IF;
  UPDATE recoveries SET state = 'cancelled', decided_at = clock_timestamp(), decided_by = current_setting('interdesk.client', true)
  WHERE id = p_id AND agency = p_agency AND state = 'pending';
  IF FOUND THEN
    outcome := 'cancelled';
    PERFORM tell_agency(p_agency, 'recovery.cancelled', 'recovery.cancel', jsonb_build_object('agency', p_agency, 'recovery', p_id));
  ELSE
    outcome := CASE WHEN EXISTS (SELECT FROM recoveries WHERE id = p_id AND agency = p_agency) THEN 'decided' ELSE 'unknown' END;
  END IF;
END $$;

-- Issues the credential of a recovery that has waited its day. Outcomes: completed, decided, early, suspended, unknown.
CREATE FUNCTION complete_recovery(p_agency text, p_id uuid, p_client text, p_secret_hash bytea, OUT outcome text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_recovery recoveries;
BEGIN
  IF NOT coalesce(caller_has_role('platform_admin'), false) THEN
    RAISE EXCEPTION 'only a platform_admin completes a recovery' USING ERRCODE = 'insufficient_privilege';
  END IF;
  SELECT * INTO v_recovery FROM recoveries WHERE id = p_id AND agency = p_agency FOR UPDATE;
  outcome := CASE WHEN NOT FOUND THEN 'unknown' WHEN v_recovery.state <> 'pending' THEN 'decided'
    WHEN v_recovery.effective_at > clock_timestamp() THEN 'early'
    WHEN EXISTS (SELECT FROM agencies WHERE code = p_agency AND status <> 'active') THEN 'suspended' ELSE 'completed' END;
  IF outcome = 'completed' THEN
    INSERT INTO credentials (client_id, agency, label, roles, auth_method, secret_hash)
    VALUES (p_client, p_agency, v_recovery.label, ARRAY['agency_admin'], 'client_secret', p_secret_hash);
    UPDATE recoveries SET state = 'completed', decided_at = clock_timestamp(), decided_by = current_setting('interdesk.client', true),
      completed_with = p_client WHERE id = p_id;
    PERFORM tell_agency(p_agency, 'recovery.completed', 'recovery.complete',
      jsonb_build_object('agency', p_agency, 'recovery', p_id, 'client_id', p_client));
  END IF;
END $$;

-- Warns agencies of credentials that expire within 30 and within 7 days, once each. Returns how many warnings it gave.
CREATE FUNCTION warn_expiring_credentials() RETURNS integer LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_credential record;
  v_count integer := 0;
BEGIN
  FOR v_credential IN
    SELECT c.client_id, c.agency, c.label, c.expires_at, d.days
    FROM credentials c JOIN agencies a ON a.code = c.agency AND NOT a.hub
      CROSS JOIN LATERAL (SELECT CASE WHEN c.expires_at <= clock_timestamp() + interval '7 days' THEN 7 ELSE 30 END AS days) AS d
    WHERE c.status = 'active' AND c.expires_at > clock_timestamp() AND c.expires_at <= clock_timestamp() + interval '30 days'
      AND coalesce(c.warned_days > d.days, true)
    ORDER BY c.client_id FOR NO KEY UPDATE OF c SKIP LOCKED
  LOOP
    UPDATE credentials SET warned_days = v_credential.days WHERE client_id = v_credential.client_id;
    PERFORM announce('credential.expiring', NULL, NULL, NULL, NULL, ARRAY[v_credential.agency], '{}', true, jsonb_build_object(
      'agency', v_credential.agency, 'client_id', v_credential.client_id,
      'expires_at', utc_text(v_credential.expires_at), 'days', v_credential.days));
    v_count := v_count + 1;
  END LOOP;
  RETURN v_count;
END $$;

-- The hub's own agency takes part in nothing, so it stands in no directory but its own administrators'.
DROP POLICY directory ON agencies;
CREATE POLICY directory ON agencies FOR SELECT TO interdesk_api USING (caller_agency() IS NOT NULL AND (NOT hub OR code = caller_agency()));
CREATE POLICY directory_of_worker ON agencies FOR SELECT TO interdesk_worker USING (caller_agency() IS NOT NULL);
DROP POLICY own_or_platform_changes ON agencies;
CREATE POLICY own_or_platform_changes ON agencies FOR UPDATE TO interdesk_api, interdesk_worker
  USING (caller_has_role('platform_admin') OR caller_has_role('operator')
    OR (code = caller_agency() AND caller_has_role('agency_admin')));

DROP POLICY own_agency_issues ON credentials;
CREATE POLICY own_agency_issues ON credentials FOR INSERT TO interdesk_api, interdesk_worker WITH CHECK (
  agency = caller_agency() AND (caller_has_role('agency_admin') OR caller_has_role('platform_admin'))
  OR caller_has_role('platform_admin') AND roles = ARRAY['agency_admin'] AND awaits_first_admin(agency)
  OR caller_has_role('operator'));
-- Without a check of its own, a changed row must be one that could be changed: no credential moves to another agency.
DROP POLICY own_agency_changes ON credentials;
CREATE POLICY own_agency_changes ON credentials FOR UPDATE TO interdesk_api, interdesk_worker USING (
  agency = caller_agency() AND (caller_has_role('agency_admin') OR caller_has_role('platform_admin'))
  OR caller_has_role('operator'));
DROP POLICY platform_or_own ON recoveries;
CREATE POLICY platform_or_own ON recoveries FOR SELECT TO interdesk_api, interdesk_worker USING (
  caller_has_role('platform_admin') OR caller_has_role('operator') OR agency = caller_agency() AND caller_has_role('agency_admin'));

ALTER TABLE agency_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE agency_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON agency_versions TO interdesk_engine USING (true) WITH CHECK (true);
CREATE POLICY directory ON agency_versions FOR SELECT TO interdesk_api, interdesk_worker
  USING (caller_has_role('platform_admin') OR caller_has_role('operator') OR code = caller_agency() AND caller_has_role('agency_admin'));
ALTER TABLE credential_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE credential_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON credential_versions TO interdesk_engine USING (true) WITH CHECK (true);
-- Whoever issued a credential for another agency may see it as it was then, to answer a repeated call, and never later.
CREATE POLICY own_agency ON credential_versions FOR SELECT TO interdesk_api, interdesk_worker USING (
  entry ->> 'agency' = caller_agency() AND (caller_has_role('agency_admin') OR caller_has_role('platform_admin'))
  OR caller_has_role('operator') OR version = 1 AND entry ->> 'issued_by' = current_setting('interdesk.client', true));

REVOKE INSERT, UPDATE ON credentials, recoveries FROM interdesk_api;
REVOKE INSERT, UPDATE ON recoveries FROM interdesk_worker;
GRANT INSERT (client_id, agency, label, roles, auth_method, allowed_networks, jwks, secret_hash, expires_at) ON credentials TO interdesk_api;
GRANT UPDATE (label, roles, allowed_networks, jwks, secret_hash, former_secret_hash, former_secret_until, expires_at, status, version,
  updated_at, revoked_at, warned_days) ON credentials TO interdesk_api;
GRANT SELECT ON agency_versions, credential_versions TO interdesk_api, interdesk_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON agency_versions, credential_versions TO interdesk_engine;

DO $$
DECLARE
  v_function record;
BEGIN
  FOR v_function IN SELECT p.oid::regprocedure AS name FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
    AND p.proname IN ('keep_version', 'tell_agency', 'guard_agency', 'end_tokens', 'end_tokens_on_suspension', 'guard_last_admin',
      'mark_first_admin', 'awaits_first_admin', 'request_recovery', 'cancel_recovery', 'complete_recovery', 'warn_expiring_credentials')
  LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_function.name);
    EXECUTE format('ALTER FUNCTION %s OWNER TO interdesk_engine', v_function.name);
  END LOOP;
END $$;
SET LOCAL ROLE interdesk_engine;
DROP FUNCTION has_agency_admin(text);
GRANT EXECUTE ON FUNCTION tell_agency, end_tokens, awaits_first_admin, request_recovery, cancel_recovery, complete_recovery
  TO interdesk_api, interdesk_worker;
GRANT EXECUTE ON FUNCTION warn_expiring_credentials TO interdesk_worker;
UPDATE agencies a SET first_admin_at = clock_timestamp()
WHERE EXISTS (SELECT FROM credentials c WHERE c.agency = a.code AND 'agency_admin' = ANY (c.roles));
INSERT INTO agency_versions SELECT code, version, to_jsonb(agencies) FROM agencies;
INSERT INTO credential_versions SELECT client_id, version, to_jsonb(credentials) - 'secret_hash' - 'former_secret_hash' FROM credentials;
RESET ROLE;
