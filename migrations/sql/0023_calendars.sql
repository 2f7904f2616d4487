-- Secret addresses for calendar programs, which cannot fetch tokens: each opens what its credential reads of meetings, at
-- every read as that credential stands then, and nothing else.

CREATE TABLE calendar_addresses (
  id uuid PRIMARY KEY,
  client_id text NOT NULL REFERENCES credentials (client_id),
  secret_hash bytea NOT NULL CHECK (length(secret_hash) = 32),
  created_at timestamptz NOT NULL,
  ended_at timestamptz
);
CREATE UNIQUE INDEX calendar_addresses_by_secret ON calendar_addresses (secret_hash);
CREATE UNIQUE INDEX calendar_addresses_one_live ON calendar_addresses (client_id) WHERE ended_at IS NULL;
ALTER TABLE calendar_addresses ENABLE ROW LEVEL SECURITY;
ALTER TABLE calendar_addresses FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON calendar_addresses TO interdesk_engine USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON calendar_addresses TO interdesk_engine;

-- Whoever had a credential's secret for an hour may have made itself an address with it: another secret or key ends it.
CREATE FUNCTION end_calendar_of_credential() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  UPDATE calendar_addresses SET ended_at = clock_timestamp() WHERE client_id = NEW.client_id AND ended_at IS NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER credentials_end_calendar AFTER UPDATE OF secret_hash, jwks, status ON credentials FOR EACH ROW
  WHEN ((OLD.secret_hash, OLD.jwks, OLD.status) IS DISTINCT FROM (NEW.secret_hash, NEW.jwks, NEW.status))
  EXECUTE FUNCTION end_calendar_of_credential();
REVOKE ALL ON FUNCTION end_calendar_of_credential FROM PUBLIC;
ALTER FUNCTION end_calendar_of_credential OWNER TO interdesk_engine;

SET LOCAL ROLE interdesk_engine;

-- Ends the calling credential's address; whether it had one.
CREATE FUNCTION end_calendar_address() RETURNS boolean LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  UPDATE calendar_addresses SET ended_at = clock_timestamp()
  WHERE client_id = current_setting('interdesk.client', true) AND ended_at IS NULL;
  IF FOUND THEN
    PERFORM audit('calendar.end', 'done', NULL, '{}', '{}');
  END IF;
  RETURN FOUND;
END $$;

-- Gives the calling credential an address in the place of the one that it had.
CREATE FUNCTION make_calendar_address(p_id uuid, p_secret_hash bytea) RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  -- Held, so that two calls at once end each other's address one after the other.
  PERFORM FROM credentials WHERE client_id = current_setting('interdesk.client', true) FOR NO KEY UPDATE;
  UPDATE calendar_addresses SET ended_at = clock_timestamp()
  WHERE client_id = current_setting('interdesk.client', true) AND ended_at IS NULL;
  INSERT INTO calendar_addresses (id, client_id, secret_hash, created_at)
  VALUES (p_id, current_setting('interdesk.client', true), p_secret_hash, clock_timestamp());
  PERFORM audit('calendar.make', 'done', NULL, '{}', '{}', jsonb_build_object('calendar', p_id));
END $$;

-- An address of the calling credential's, whether it opens anything still or not.
CREATE FUNCTION calendar_address(p_id uuid) RETURNS TABLE (id uuid, created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT c.id, c.created_at FROM calendar_addresses c WHERE c.id = p_id AND c.client_id = current_setting('interdesk.client', true)
$$;

-- Makes the credential behind an address the caller of this transaction, if it could enter with a token of the moment in
-- which the address was made, and has one of these roles. Outcomes: those of enter(), forbidden.
CREATE FUNCTION enter_calendar(p_secret_hash bytea, p_roles text[], p_peer inet, p_request text,
  OUT outcome text, OUT agency text, OUT roles text[], OUT client_id text
) LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_created timestamptz;
BEGIN
  SELECT c.client_id, c.created_at INTO client_id, v_created FROM calendar_addresses c
  WHERE c.secret_hash = p_secret_hash AND c.ended_at IS NULL;
  SELECT e.outcome, e.agency, e.roles INTO outcome, agency, roles FROM enter(client_id, NULL, v_created, p_peer, p_request, NULL, NULL) AS e;
  IF outcome = 'ok' AND NOT roles && p_roles THEN
    outcome := 'forbidden';
  END IF;
END $$;

REVOKE ALL ON FUNCTION end_calendar_address, make_calendar_address, calendar_address, enter_calendar FROM PUBLIC;
GRANT EXECUTE ON FUNCTION end_calendar_address, make_calendar_address, calendar_address, enter_calendar TO interdesk_api, interdesk_worker;
RESET ROLE;
