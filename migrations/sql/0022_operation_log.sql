-- What happens in an operation, as its agencies write it down. Entries are added and never changed: no role may update
-- them, and only the purge of the operation deletes them.

CREATE TABLE operation_log (
  id uuid PRIMARY KEY,
  record_id uuid NOT NULL REFERENCES records (id),
  agency text NOT NULL REFERENCES agencies (code),
  -- On whose behalf, if the call said so.
  officer text,
  -- When it happened; created_at is when it was written down.
  at timestamptz NOT NULL,
  kind text NOT NULL CHECK (kind IN ('sighting', 'entry', 'arrest', 'rescue', 'seizure', 'decision', 'other')),
  entry text NOT NULL,
  created_at timestamptz NOT NULL
);
-- No two entries of an operation share a moment of writing: log_operation() makes each later than the one before.
CREATE UNIQUE INDEX operation_log_newest ON operation_log (record_id, created_at DESC);
CREATE INDEX operation_log_latest ON operation_log (record_id, at DESC, id DESC);

ALTER TABLE operation_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE operation_log FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON operation_log TO interdesk_engine USING (true) WITH CHECK (true);
-- Whoever only reads the plan sees nothing of its log. The sub-select is under the caller's own policy on records.
CREATE POLICY parties ON operation_log FOR SELECT TO interdesk_api, interdesk_worker USING (EXISTS (
  SELECT FROM records r WHERE r.id = operation_log.record_id AND (r.originator = caller_agency()
    OR (caller_agency() = ANY (r.parties) AND r.state = 'current' AND (NOT r.covered OR lies_open(r.id))))));
GRANT SELECT, INSERT, DELETE ON operation_log TO interdesk_engine;
GRANT SELECT ON operation_log TO interdesk_api, interdesk_worker;

SET LOCAL ROLE interdesk_engine;

-- Until when the log of an operation takes entries: without end while it is under way or interrupted, for seven days
-- after it was completed, which is the last of its states; NULL in all others.
CREATE FUNCTION operation_log_open_until(p_record records) RETURNS timestamptz LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT CASE
    WHEN p_record.life IN ('active', 'suspended') THEN 'infinity'::timestamptz
    WHEN p_record.life = 'completed' THEN (
      SELECT max(v.at) FROM record_versions v WHERE v.record_id = p_record.id AND 'state' = ANY (v.changed)) + interval '7 days'
    END
$$;

-- Writes an entry for the caller's agency, which takes part in the operation; all who do are told. Writers of one
-- operation follow one another, and each entry is later than those before it: whoever has read the newest has passed over
-- none. The operation's own course stands still meanwhile. Outcomes: logged; closed; hidden (not one of those who take
-- part and see it).
CREATE FUNCTION log_operation(p_id uuid, p_record uuid, p_at timestamptz, p_kind text, p_entry text, OUT outcome text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
BEGIN
  SELECT * INTO v_record FROM records r WHERE r.id = p_record AND r.kind = 'joint-operations' AND r.state = 'current' AND takes_part(r)
    AND (NOT r.covered OR lies_open(r.id)) FOR SHARE;
  IF NOT FOUND THEN
    outcome := 'hidden';
    RETURN;
  ELSIF coalesce(operation_log_open_until(v_record) <= clock_timestamp(), true) THEN
    outcome := 'closed';
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('interdesk.operation_log ' || p_record, 0));
  INSERT INTO operation_log (id, record_id, agency, officer, at, kind, entry, created_at)
  SELECT p_id, p_record, caller_agency(), nullif(current_setting('interdesk.officer', true), ''), p_at, p_kind, p_entry,
    greatest(clock_timestamp(), max(l.created_at) + interval '1 microsecond')
  FROM operation_log l WHERE l.record_id = p_record;
  PERFORM announce('operation.logged', v_record.kind, p_record, v_record.reference, v_record.version,
    v_record.originator || v_record.parties, v_record.excluded, true, jsonb_build_object('log_entry', p_id));
  PERFORM audit('operation.log', 'done', v_record.kind, ARRAY[p_record], ARRAY[v_record.originator], jsonb_build_object('log_entry', p_id));
  outcome := 'logged';
END $$;

REVOKE ALL ON FUNCTION operation_log_open_until, log_operation FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log_operation TO interdesk_api, interdesk_worker;
RESET ROLE;
