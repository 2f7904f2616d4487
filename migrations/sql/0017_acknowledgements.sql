-- Which agency acknowledged which wording of a record's caveat (H3). Without a foreign key to the record, like versions:
-- only the function below writes here, of a record that it has just read.
CREATE TABLE caveat_acknowledgements (
  id uuid PRIMARY KEY,
  record_id uuid NOT NULL,
  agency text NOT NULL REFERENCES agencies (code),
  caveat text NOT NULL,
  -- The wording as a key; computed by the function, since the text's bytes depend on the database's encoding.
  caveat_hash bytea NOT NULL,
  -- The record's version that said so.
  record_version integer NOT NULL,
  client_id text NOT NULL,
  officer text,
  at timestamptz NOT NULL
);
CREATE UNIQUE INDEX caveat_acknowledgements_once ON caveat_acknowledgements (record_id, agency, caveat_hash);
CREATE INDEX caveat_acknowledgements_newest ON caveat_acknowledgements (record_id, at DESC, id DESC);
ALTER TABLE caveat_acknowledgements ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON caveat_acknowledgements TO interdesk_engine USING (true) WITH CHECK (true);
CREATE POLICY originator_and_own ON caveat_acknowledgements FOR SELECT TO interdesk_api, interdesk_worker USING (EXISTS (
  SELECT FROM records r WHERE r.id = record_id AND caller_agency() IN (r.originator, agency)));
GRANT SELECT, INSERT, UPDATE, DELETE ON caveat_acknowledgements TO interdesk_engine;
GRANT SELECT ON caveat_acknowledgements TO interdesk_api, interdesk_worker;

SET LOCAL ROLE interdesk_engine;

-- Acknowledges for the caller's agency the caveat of a record that it sees, in the words in which it was shown; once.
-- The originator is told, and the agency itself, whose other systems may read the record from now on. Outcomes:
-- acknowledged; known (acknowledgement is the first one); reworded (wording is how it reads now); nothing (is covered).
CREATE FUNCTION acknowledge_caveat(p_id uuid, p_record uuid, p_caveat text, OUT outcome text, OUT acknowledgement uuid, OUT wording text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
BEGIN
  SELECT * INTO v_record FROM records r WHERE r.id = p_record AND r.covered AND r.originator <> caller_agency()
    AND r.audience && string_to_array(current_setting('interdesk.principals', true), ',') AND NOT caller_agency() = ANY (r.excluded);
  wording := v_record.handling ->> 'caveat';
  IF v_record.id IS NULL THEN
    outcome := 'nothing';
  ELSIF wording <> p_caveat THEN
    outcome := 'reworded';
  ELSE
    INSERT INTO caveat_acknowledgements AS a (id, record_id, agency, caveat, caveat_hash, record_version, client_id, officer, at)
    VALUES (p_id, p_record, caller_agency(), p_caveat, sha256(convert_to(p_caveat, 'UTF8')), v_record.version,
      current_setting('interdesk.client', true), nullif(current_setting('interdesk.officer', true), ''), clock_timestamp())
    ON CONFLICT (record_id, agency, caveat_hash) DO NOTHING RETURNING a.id INTO acknowledgement;
    outcome := CASE WHEN acknowledgement IS NULL THEN 'known' ELSE 'acknowledged' END;
    IF acknowledgement IS NULL THEN
      SELECT a.id INTO acknowledgement FROM caveat_acknowledgements a WHERE a.record_id = p_record AND a.agency = caller_agency()
        AND a.caveat_hash = sha256(convert_to(p_caveat, 'UTF8'));
    ELSE
      PERFORM note_change(p_record, 'handling.acknowledge', 'handling.acknowledged', ARRAY[v_record.originator, caller_agency()],
        jsonb_build_object('agency', caller_agency(), 'acknowledgement', acknowledgement));
    END IF;
  END IF;
END $$;

REVOKE ALL ON FUNCTION acknowledge_caveat FROM PUBLIC;
GRANT EXECUTE ON FUNCTION acknowledge_caveat TO interdesk_api, interdesk_worker;
RESET ROLE;
