-- Recalls: a record is taken back from those who could see it, and each of them says what it did with its copies.

-- What the recipients knew of the record stands here again: a recall outlives what it is about.
CREATE TABLE recalls (
  id uuid PRIMARY KEY,
  record_id uuid NOT NULL,
  kind text NOT NULL,
  reference text NOT NULL,
  originator text NOT NULL REFERENCES agencies (code),
  cause text NOT NULL CHECK (cause IN ('recall', 'handling', 'retraction')),
  reason text NOT NULL,
  at timestamptz NOT NULL,
  due_at timestamptz NOT NULL
);
CREATE INDEX recalls_by_record ON recalls (record_id, at DESC, id DESC);
CREATE INDEX recalls_by_originator ON recalls (originator, at DESC, id DESC);

CREATE TABLE recall_recipients (
  recall_id uuid NOT NULL REFERENCES recalls (id),
  agency text NOT NULL REFERENCES agencies (code),
  -- The recall's own, for the policy and the indexes below.
  record_id uuid NOT NULL,
  originator text NOT NULL,
  at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  -- Whether it is overdue is for the clock to say, so that it is so also while no worker runs.
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'acknowledged', 'superseded')),
  outcome text CHECK (outcome IN ('deleted', 'retained_with_reason')),
  reason text,
  closed_at timestamptz,
  -- How often both sides were told that it is overdue, and when they are told next.
  notices integer NOT NULL DEFAULT 0,
  next_notice_at timestamptz NOT NULL,
  PRIMARY KEY (recall_id, agency),
  CHECK ((state = 'open') = (closed_at IS NULL)),
  CHECK ((state = 'acknowledged') = (outcome IS NOT NULL)),
  CHECK (outcome IS DISTINCT FROM 'retained_with_reason' OR reason IS NOT NULL)
);
CREATE INDEX recall_recipients_by_agency ON recall_recipients (agency, at DESC, recall_id DESC);
CREATE INDEX recall_recipients_open ON recall_recipients (record_id, agency) WHERE state = 'open';
CREATE INDEX recall_recipients_due ON recall_recipients (next_notice_at) WHERE state = 'open';

DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['recalls', 'recall_recipients'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO interdesk_engine', v_table);
    EXECUTE format('GRANT SELECT ON %I TO interdesk_api, interdesk_worker', v_table);
  END LOOP;
END $$;
-- The originator sees every recipient's part, a recipient its own: it must not learn who else could see the record.
CREATE POLICY own_part ON recall_recipients FOR SELECT TO interdesk_api, interdesk_worker USING (
  caller_agency() IN (agency, originator));
CREATE POLICY parties_see ON recalls FOR SELECT TO interdesk_api, interdesk_worker USING (
  originator = caller_agency()
  OR EXISTS (SELECT FROM recall_recipients p WHERE p.recall_id = recalls.id AND p.agency = caller_agency()));

SET LOCAL ROLE interdesk_engine;

-- Asks agencies that lost sight of a record, or of all that it said, what they did with their copies; NULL if nobody did.
-- p_cause: recall (with the originator's reason), handling, retraction. p_due_at: seven days from now, if it is null.
CREATE FUNCTION open_recall(
  p_record uuid, p_recipients text[], p_cause text, p_reason text DEFAULT NULL, p_due_at timestamptz DEFAULT NULL, p_id uuid DEFAULT NULL
) RETURNS uuid LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_at timestamptz := clock_timestamp();
  v_recall recalls;
BEGIN
  IF p_recipients = '{}' THEN
    RETURN NULL;
  END IF;
  INSERT INTO recalls (id, record_id, kind, reference, originator, cause, reason, at, due_at)
  SELECT coalesce(p_id, uuid7()), r.id, r.kind, r.reference, r.originator, p_cause,
    coalesce(p_reason, CASE p_cause WHEN 'retraction' THEN 'The originator retracted the record.'
      ELSE 'The originator narrowed who may see the record.' END),
    v_at, coalesce(p_due_at, v_at + interval '7 days')
  FROM records r WHERE r.id = p_record RETURNING * INTO STRICT v_recall;
  INSERT INTO recall_recipients (recall_id, agency, record_id, originator, at, due_at, next_notice_at)
  SELECT v_recall.id, a, p_record, v_recall.originator, v_at, v_recall.due_at, v_recall.due_at FROM unnest(p_recipients) AS a;
  PERFORM announce('recall.requested', v_recall.kind, p_record, v_recall.reference, NULL, p_recipients, '{}', false,
    jsonb_build_object('recall', v_recall.id));
  -- In each one's own trail, sealed: nobody can say later that it was not told.
  INSERT INTO audit_entries (agency, action, outcome, kind, record_ids, detail)
  SELECT a, 'recall.request', 'done', v_recall.kind, ARRAY[p_record], jsonb_build_object('recall', v_recall.id) FROM unnest(p_recipients) AS a;
  RETURN v_recall.id;
END $$;

-- Closes the parts of agencies that see a record again and still owed an answer. Of a retracted record nobody sees
-- anything again.
CREATE FUNCTION supersede_recalls(p_record uuid, p_agencies text[]) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_part recall_recipients;
BEGIN
  FOR v_part IN
    UPDATE recall_recipients SET state = 'superseded', closed_at = clock_timestamp()
    WHERE record_id = p_record AND agency = ANY (p_agencies) AND state = 'open'
      AND EXISTS (SELECT FROM records WHERE id = p_record AND state = 'current')
    RETURNING *
  LOOP
    PERFORM tell_of_recall('recall.superseded', v_part, ARRAY[v_part.originator, v_part.agency]);
  END LOOP;
END $$;

-- Tells of one recipient's part, only to that recipient and the originator, who both know of it. Neither need see the record.
CREATE FUNCTION tell_of_recall(p_event text, p_part recall_recipients, p_told text[]) RETURNS void LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT announce(p_event, r.kind, r.record_id, r.reference, NULL, p_told, '{}', false,
    jsonb_build_object('recall', r.id, 'agency', p_part.agency))
  FROM recalls r WHERE r.id = p_part.recall_id
$$;

-- Takes the caller's own record back from agencies and groups, by whatever principal each stands in its audience.
-- Outcomes: changed, stale, nobody (who has anything to answer for; what was changed must not stay).
CREATE FUNCTION recall_record(
  p_recall uuid, p_id uuid, p_expected integer, p_expected_version integer, p_handling jsonb, p_excluded text[],
  p_document text, p_shared_document text, p_agencies text[], p_groups uuid[], p_reason text, p_due_at timestamptz
) RETURNS text LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_was records := hold_record(p_id, p_expected, p_expected_version);
  v_asked text[];
BEGIN
  IF v_was.id IS NULL THEN
    RETURN 'stale';
  END IF;
  SELECT c.asked INTO v_asked FROM change_handling(v_was, NULL, p_handling, audience_without(v_was.audience, p_agencies, p_groups),
    p_excluded, p_document, p_shared_document, NULL, NULL, 'record.recall',
    jsonb_build_object('recall', p_recall, 'agencies', p_agencies, 'groups', p_groups), p_recall, p_reason, p_due_at) AS c;
  RETURN CASE WHEN v_asked = '{}' THEN 'nobody' ELSE 'changed' END;
END $$;

-- An audience without the principals of these agencies and groups, whatever each rests on.
CREATE FUNCTION audience_without(p_audience text[], p_agencies text[], p_groups uuid[]) RETURNS text[] LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT ARRAY(SELECT p FROM unnest(p_audience) WITH ORDINALITY AS a (p, n)
    WHERE CASE WHEN p ~ ':' THEN NOT substring(p FROM ':([^@]+)') = ANY (p_groups::text[])
      ELSE NOT substring(p FROM '^[^@!]+') = ANY (p_agencies) END ORDER BY n)
$$;

-- What the caller's agency did with its copies. Outcomes: acknowledged, closed (it has said so before, or need not any more).
CREATE FUNCTION acknowledge_recall(p_recall uuid, p_outcome text, p_reason text) RETURNS text LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_part recall_recipients;
BEGIN
  UPDATE recall_recipients SET state = 'acknowledged', outcome = p_outcome, reason = p_reason, closed_at = clock_timestamp()
  WHERE recall_id = p_recall AND agency = caller_agency() AND state = 'open' RETURNING * INTO v_part;
  IF NOT FOUND THEN
    RETURN 'closed';
  END IF;
  PERFORM tell_of_recall('recall.acknowledged', v_part, ARRAY[v_part.originator]);
  PERFORM audit('recall.acknowledge', 'done', r.kind, ARRAY[r.record_id], ARRAY[r.originator],
    jsonb_build_object('recall', r.id, 'outcome', p_outcome)) FROM recalls r WHERE r.id = p_recall;
  RETURN 'acknowledged';
END $$;

-- Tells both sides of what is overdue: once when it falls due, then every seven days, counted; how many it told of, at
-- most 500. Weeks in which no worker ran are passed over.
CREATE FUNCTION remind_of_recalls() RETURNS integer LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_part recall_recipients;
  v_event text;
  v_count integer := 0;
BEGIN
  FOR v_part IN
    SELECT * FROM recall_recipients WHERE state = 'open' AND next_notice_at <= clock_timestamp()
    ORDER BY next_notice_at, recall_id, agency LIMIT 500 FOR UPDATE SKIP LOCKED
  LOOP
    UPDATE recall_recipients SET notices = notices + 1,
      next_notice_at = due_at + interval '7 days' * (1 + floor(extract(epoch FROM clock_timestamp() - due_at) / 604800))
    WHERE recall_id = v_part.recall_id AND agency = v_part.agency;
    v_event := CASE WHEN v_part.notices = 0 THEN 'recall.overdue' ELSE 'recall.escalated' END;
    PERFORM tell_of_recall(v_event, v_part, ARRAY[v_part.originator, v_part.agency]);
    INSERT INTO audit_entries (agency, action, outcome, kind, record_ids, detail)
    SELECT a, v_event, 'done', r.kind, ARRAY[r.record_id], jsonb_build_object('recall', r.id, 'agency', v_part.agency, 'escalations', v_part.notices)
    FROM recalls r CROSS JOIN unnest(ARRAY[v_part.originator, v_part.agency]) AS a WHERE r.id = v_part.recall_id;
    v_count := v_count + 1;
  END LOOP;
  RETURN v_count;
END $$;

REVOKE ALL ON FUNCTION open_recall, supersede_recalls, tell_of_recall, recall_record, audience_without, acknowledge_recall,
  remind_of_recalls FROM PUBLIC;
GRANT EXECUTE ON FUNCTION recall_record, audience_without, acknowledge_recall TO interdesk_api, interdesk_worker;
GRANT EXECUTE ON FUNCTION remind_of_recalls TO interdesk_worker;
RESET ROLE;
