-- Originator control: who reads a record asks its originator for leave to pass it on. The answer is the originator's
-- alone, and a grant is a disclosure of its own.

CREATE TABLE onward_requests (
  id uuid PRIMARY KEY,
  record_id uuid NOT NULL REFERENCES records (id),
  -- Who asks, and to whom it would like to pass the record on.
  agency text NOT NULL REFERENCES agencies (code),
  agencies text[] NOT NULL CHECK (cardinality(agencies) BETWEEN 1 AND 20 AND NOT agency = ANY (agencies)),
  reason text NOT NULL,
  respond_by timestamptz NOT NULL,
  state text NOT NULL DEFAULT 'requested' CHECK (state IN ('requested', 'granted', 'refused', 'withdrawn')),
  granted_to text[] CHECK (granted_to <@ agencies AND granted_to <> '{}'),
  decision_note text CHECK (state <> 'refused' OR decision_note IS NOT NULL),
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  -- When it was told that no answer had come in time.
  overdue_at timestamptz,
  CHECK ((state = 'granted') = (granted_to IS NOT NULL))
);
CREATE INDEX onward_requests_by_record ON onward_requests (record_id, created_at DESC, id DESC);
CREATE INDEX onward_requests_waiting ON onward_requests (respond_by, id) WHERE state = 'requested' AND overdue_at IS NULL;

-- The disclosure knows the request that it grants, not the other way round: whoever asked does not see disclosures.
ALTER TABLE disclosures ADD COLUMN onward_request_id uuid REFERENCES onward_requests (id);
CREATE UNIQUE INDEX disclosures_by_onward_request ON disclosures (onward_request_id) WHERE onward_request_id IS NOT NULL;

ALTER TABLE onward_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE onward_requests FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON onward_requests TO interdesk_engine USING (true) WITH CHECK (true);
-- Between who asks and the originator: to a third reader it would tell who else sees the record.
CREATE POLICY requester_and_originator ON onward_requests FOR SELECT TO interdesk_api, interdesk_worker USING (EXISTS (
  SELECT FROM records r WHERE r.id = onward_requests.record_id
    AND (r.originator = caller_agency() OR (onward_requests.agency = caller_agency() AND r.state = 'current'
      AND (NOT r.covered OR lies_open(r.id))))));
GRANT SELECT, INSERT, UPDATE, DELETE ON onward_requests TO interdesk_engine;
GRANT SELECT ON onward_requests TO interdesk_api, interdesk_worker;

SET LOCAL ROLE interdesk_engine;

-- Whether an agency sees a record now.
CREATE FUNCTION sees_record(p_record records, p_agency text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT NOT p_agency = ANY (p_record.excluded) AND EXISTS (
    SELECT FROM principals_of(p_agency) AS p WHERE p.principal = ANY (p_record.audience))
$$;

-- Tells the originator, and whoever asked as long as it sees the record. Nothing of what was asked stands in the event.
CREATE FUNCTION tell_onward_request(p_record records, p_request onward_requests, p_event text) RETURNS void LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT announce(p_event, p_record.kind, p_record.id, p_record.reference, p_record.version,
    ARRAY[p_record.originator] || CASE WHEN sees_record(p_record, p_request.agency) THEN ARRAY[p_request.agency] ELSE '{}' END,
    p_record.excluded, true, jsonb_build_object('onward_request', p_request.id))
$$;

-- Asks for leave to pass a record on that the caller reads. Outcomes: requested; closed (not its reader any more, its
-- originator, or nothing is left of the record).
CREATE FUNCTION request_onward_sharing(p_id uuid, p_record uuid, p_agencies text[], p_reason text, p_respond_by timestamptz) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
  v_request onward_requests;
  v_now timestamptz := clock_timestamp();
BEGIN
  SELECT * INTO v_record FROM records r WHERE r.id = p_record AND r.state = 'current' AND r.originator <> caller_agency()
    AND sees_record(r, caller_agency()) FOR KEY SHARE;
  IF NOT FOUND OR v_record.originator = ANY (p_agencies) THEN
    RETURN 'closed';
  END IF;
  INSERT INTO onward_requests (id, record_id, agency, agencies, reason, respond_by, created_at, updated_at)
  VALUES (p_id, p_record, caller_agency(), p_agencies, p_reason, p_respond_by, v_now, v_now) RETURNING * INTO v_request;
  PERFORM tell_onward_request(v_record, v_request, 'onward_request.requested');
  PERFORM audit('onward_request.request', 'done', v_record.kind, ARRAY[p_record], ARRAY[v_record.originator],
    jsonb_build_object('onward_request', p_id, 'agencies', p_agencies));
  RETURN 'requested';
END $$;

-- Answers a request or takes it back. The originator grants (p_granted_to, by the disclosure that it has just made) and
-- refuses, who asked withdraws. Outcomes: moved, stale.
CREATE FUNCTION move_onward_request(
  p_id uuid, p_record uuid, p_expected integer, p_state text, p_granted_to text[], p_note text, p_disclosure uuid
) RETURNS text LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
  v_request onward_requests;
BEGIN
  SELECT * INTO v_record FROM records WHERE id = p_record AND state = 'current';
  UPDATE onward_requests SET state = p_state, granted_to = p_granted_to, decision_note = p_note, version = version + 1,
    updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond')
  WHERE id = p_id AND record_id = v_record.id AND version = p_expected AND state = 'requested'
    AND CASE p_state WHEN 'withdrawn' THEN agency ELSE v_record.originator END = caller_agency()
    AND sees_record(v_record, caller_agency())
  RETURNING * INTO v_request;
  IF NOT FOUND THEN
    RETURN 'stale';
  END IF;
  IF p_state = 'granted' THEN
    UPDATE disclosures SET onward_request_id = p_id
    WHERE id = p_disclosure AND record_id = p_record AND agencies = p_granted_to AND onward_request_id IS NULL;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'a grant is a disclosure to the agencies it names' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  PERFORM tell_onward_request(v_record, v_request, CASE p_state WHEN 'granted' THEN 'onward_request.granted'
    WHEN 'refused' THEN 'onward_request.refused' ELSE 'onward_request.withdrawn' END);
  PERFORM audit(CASE p_state WHEN 'granted' THEN 'onward_request.grant' WHEN 'refused' THEN 'onward_request.refuse'
    ELSE 'onward_request.withdraw' END, 'done', v_record.kind, ARRAY[p_record], ARRAY[v_record.originator],
    jsonb_strip_nulls(jsonb_build_object('onward_request', p_id, 'requested_by', v_request.agency,
      'granted_to', p_granted_to, 'disclosure', p_disclosure)));
  RETURN 'moved';
END $$;

-- Tells originator and requester, once, that a request has no answer in time; how many there were, at most 1000.
CREATE FUNCTION tell_overdue_onward_requests() RETURNS integer LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_request onward_requests;
  v_record records;
  v_count integer := 0;
BEGIN
  FOR v_request IN
    SELECT * FROM onward_requests WHERE state = 'requested' AND overdue_at IS NULL AND respond_by <= clock_timestamp()
    ORDER BY respond_by, id LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED
  LOOP
    UPDATE onward_requests SET overdue_at = clock_timestamp() WHERE id = v_request.id;
    v_count := v_count + 1;
    SELECT * INTO v_record FROM records WHERE id = v_request.record_id AND state = 'current';
    CONTINUE WHEN NOT FOUND;
    PERFORM tell_onward_request(v_record, v_request, 'onward_request.overdue');
    INSERT INTO audit_entries (agency, action, outcome, kind, record_ids, detail)
    SELECT a, 'onward_request.overdue', 'done', v_record.kind, ARRAY[v_record.id], jsonb_build_object('onward_request', v_request.id)
    FROM unnest(ARRAY[v_record.originator, v_request.agency]) AS a WHERE sees_record(v_record, a);
  END LOOP;
  RETURN v_count;
END $$;

REVOKE ALL ON FUNCTION sees_record, tell_onward_request, request_onward_sharing, move_onward_request, tell_overdue_onward_requests
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION request_onward_sharing, move_onward_request TO interdesk_api, interdesk_worker;
GRANT EXECUTE ON FUNCTION tell_overdue_onward_requests TO interdesk_worker;
RESET ROLE;
