-- Retention: every record has a day by which its originator renews it with a reason, holds it, or lets it go.

-- As text, because no cast to date is immutable; dates written as ISO 8601 sort like the days they mean.
CREATE INDEX records_by_review ON records ((handling ->> 'review_on'), id) WHERE state <> 'purged';

-- That an originator was warned, once for each date it set.
CREATE TABLE review_warnings (
  record_id uuid NOT NULL REFERENCES records (id),
  review_on date NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (record_id, review_on)
);

CREATE TABLE renewals (
  id uuid PRIMARY KEY,
  record_id uuid NOT NULL REFERENCES records (id),
  reason text NOT NULL,
  former_review_on date NOT NULL,
  review_on date NOT NULL,
  officer text,
  at timestamptz NOT NULL
);
CREATE INDEX renewals_by_record ON renewals (record_id, at DESC, id DESC);

-- While one is open, which it is until it is released or its last day has passed, the record is not purged.
CREATE TABLE legal_holds (
  id uuid PRIMARY KEY,
  record_id uuid NOT NULL REFERENCES records (id),
  reason text NOT NULL,
  authority text,
  until date,
  officer text,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  released_at timestamptz,
  release_reason text,
  CHECK ((released_at IS NULL) = (release_reason IS NULL))
);
CREATE INDEX legal_holds_by_record ON legal_holds (record_id, created_at DESC, id DESC);

DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['review_warnings', 'renewals', 'legal_holds'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
    EXECUTE format('CREATE POLICY originator ON %I FOR SELECT TO interdesk_api, interdesk_worker USING (EXISTS (
      SELECT FROM records r WHERE r.id = record_id AND r.originator = caller_agency()))', v_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO interdesk_engine', v_table);
    EXECUTE format('GRANT SELECT ON %I TO interdesk_api, interdesk_worker', v_table);
  END LOOP;
END $$;

-- What readers and originators add without changing the record itself must not slip in behind a purge: the lock waits
-- for one under way, and makes one that comes later pass over the record. Arguments: the columns that name a record.
CREATE FUNCTION refuse_purged() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_column text;
  v_state text;
BEGIN
  FOREACH v_column IN ARRAY TG_ARGV LOOP
    SELECT state INTO v_state FROM records WHERE id = (to_jsonb(NEW) ->> v_column)::uuid FOR KEY SHARE;
    IF v_state = 'purged' THEN
      RAISE EXCEPTION 'nothing is added to what is purged' USING ERRCODE = 'insufficient_privilege';
    END IF;
  END LOOP;
  RETURN NEW;
END $$;
CREATE TRIGGER amendments_to_what_stands AFTER INSERT ON amendments FOR EACH ROW EXECUTE FUNCTION refuse_purged('record_id');
CREATE TRIGGER onward_requests_for_what_stands AFTER INSERT ON onward_requests FOR EACH ROW EXECUTE FUNCTION refuse_purged('record_id');
CREATE TRIGGER sightings_of_what_stands AFTER INSERT ON sightings FOR EACH ROW EXECUTE FUNCTION refuse_purged('record_id');
CREATE TRIGGER links_of_what_stands AFTER INSERT ON record_links FOR EACH ROW EXECUTE FUNCTION refuse_purged('record_id', 'target_id');
REVOKE ALL ON FUNCTION refuse_purged FROM PUBLIC;
ALTER FUNCTION refuse_purged OWNER TO interdesk_engine;

SET LOCAL ROLE interdesk_engine;
GRANT EXECUTE ON FUNCTION refuse_purged TO interdesk_owner;

-- A day as it stands in a handling, so many months from now.
CREATE FUNCTION review_day(p_months integer) RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT to_char(utc_today() + make_interval(months => p_months), 'YYYY-MM-DD')
$$;

CREATE FUNCTION is_held(p_record uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM legal_holds WHERE record_id = p_record AND released_at IS NULL AND coalesce(until >= utc_today(), true))
$$;

-- ----------------------------------------------------------------------------------------------------- the originator's
-- Sets a later review date of the caller's own record, which readers see as a new version. Outcomes: renewed, stale.
CREATE FUNCTION renew_record(
  p_id uuid, p_record uuid, p_expected integer, p_expected_audience integer, p_at timestamptz, p_review_on date, p_reason text,
  p_document text, p_shared_document text, OUT outcome text
) LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_was records;
BEGIN
  SELECT * INTO v_was FROM records WHERE id = p_record AND originator = caller_agency() AND state = 'current'
    AND version = p_expected AND audience_version = p_expected_audience FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    outcome := 'stale';
    RETURN;
  END IF;
  UPDATE records SET version = version + 1, audience_version = audience_version + 1, updated_at = p_at,
    handling = handling || jsonb_build_object('review_on', p_review_on), document = p_document, shared_document = p_shared_document
  WHERE id = p_record;
  INSERT INTO record_versions (record_id, version, at, changed, document, shared_document)
  VALUES (p_record, v_was.version + 1, p_at, ARRAY['handling'], p_document, p_shared_document);
  INSERT INTO renewals (id, record_id, reason, former_review_on, review_on, officer, at)
  VALUES (p_id, p_record, p_reason, (v_was.handling ->> 'review_on')::date, p_review_on, nullif(current_setting('interdesk.officer', true), ''), p_at);
  PERFORM announce('record.updated', v_was.kind, p_record, v_was.reference, v_was.version + 1, v_was.audience, v_was.excluded);
  PERFORM announce('handling.changed', v_was.kind, p_record, v_was.reference, v_was.version + 1, ARRAY[v_was.originator], '{}');
  PERFORM audit('record.renew', 'done', v_was.kind, ARRAY[p_record], '{}', jsonb_build_object('renewal', p_id,
    'former_review_on', v_was.handling ->> 'review_on', 'review_on', p_review_on));
  outcome := 'renewed';
END $$;

-- Holds a record of the caller's back from the purge. The lock lets the record's changes pass and keeps a purge away.
-- Outcomes: placed, purged.
CREATE FUNCTION place_legal_hold(
  p_id uuid, p_record uuid, p_reason text, p_authority text, p_until date, p_at timestamptz, OUT outcome text
) LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
BEGIN
  SELECT * INTO STRICT v_record FROM records WHERE id = p_record AND originator = caller_agency() FOR KEY SHARE;
  IF v_record.state = 'purged' THEN
    outcome := 'purged';
    RETURN;
  END IF;
  INSERT INTO legal_holds (id, record_id, reason, authority, until, officer, created_at, updated_at)
  VALUES (p_id, p_record, p_reason, p_authority, p_until, nullif(current_setting('interdesk.officer', true), ''), p_at, p_at);
  PERFORM announce('retention.changed', v_record.kind, p_record, v_record.reference, v_record.version, ARRAY[v_record.originator], '{}', true,
    jsonb_build_object('legal_hold', p_id));
  PERFORM audit('legal_hold.place', 'done', v_record.kind, ARRAY[p_record], '{}', jsonb_build_object('legal_hold', p_id, 'until', p_until));
  outcome := 'placed';
END $$;

-- Releases a hold of the caller's own record. Outcomes: released, stale (somebody else released it, or it is purged).
CREATE FUNCTION release_legal_hold(
  p_id uuid, p_record uuid, p_expected integer, p_reason text, p_at timestamptz, OUT outcome text
) LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
BEGIN
  SELECT * INTO STRICT v_record FROM records WHERE id = p_record AND originator = caller_agency();
  UPDATE legal_holds SET released_at = p_at, release_reason = p_reason, version = version + 1, updated_at = p_at
  WHERE id = p_id AND record_id = p_record AND version = p_expected AND released_at IS NULL;
  IF NOT FOUND THEN
    outcome := 'stale';
    RETURN;
  END IF;
  PERFORM announce('retention.changed', v_record.kind, p_record, v_record.reference, v_record.version, ARRAY[v_record.originator], '{}', true,
    jsonb_build_object('legal_hold', p_id));
  PERFORM audit('legal_hold.release', 'done', v_record.kind, ARRAY[p_record], '{}', jsonb_build_object('legal_hold', p_id));
  outcome := 'released';
END $$;

-- -------------------------------------------------------------------------------------------------------- the daily job
-- Whose review date has come or is at most six months away; `due`: it has passed, so that only a hold keeps the record.
CREATE FUNCTION records_up_for_review()
RETURNS TABLE (id uuid, kind text, reference text, originator text, review_on date, due boolean, held boolean, warned boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT r.id, r.kind, r.reference, r.originator, (r.handling ->> 'review_on')::date, r.handling ->> 'review_on' < review_day(0),
    is_held(r.id), EXISTS (SELECT FROM review_warnings w WHERE w.record_id = r.id AND w.review_on = (r.handling ->> 'review_on')::date)
  FROM records r WHERE r.state <> 'purged' AND r.handling ->> 'review_on' <= review_day(6)
  ORDER BY r.handling ->> 'review_on', r.id
$$;

-- Warns the originators of the next p_limit records whose review is at most six months away; no row when none is left.
CREATE FUNCTION warn_of_reviews(p_limit integer)
RETURNS TABLE (id uuid, kind text, reference text, originator text, review_on date) LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_ids uuid[];
BEGIN
  -- One job at a time: the next statement sees what the job before has committed.
  PERFORM pg_advisory_xact_lock(hashtextextended('interdesk.warn_of_reviews', 0));
  WITH unwarned AS (
    SELECT r.id, (r.handling ->> 'review_on')::date AS review_on FROM records r
    WHERE r.state <> 'purged' AND r.handling ->> 'review_on' <= review_day(6)
      AND NOT EXISTS (SELECT FROM review_warnings w WHERE w.record_id = r.id AND w.review_on = (r.handling ->> 'review_on')::date)
    ORDER BY r.handling ->> 'review_on', r.id LIMIT p_limit FOR KEY SHARE SKIP LOCKED
  ), warned AS (
    INSERT INTO review_warnings AS w (record_id, review_on) SELECT u.id, u.review_on FROM unwarned u RETURNING w.record_id
  )
  SELECT array_agg(w.record_id) INTO v_ids FROM warned w;
  PERFORM announce('record.review_due', r.kind, r.id, r.reference, r.version, ARRAY[r.originator], '{}', true,
    jsonb_build_object('review_on', r.handling -> 'review_on')) FROM records r WHERE r.id = ANY (v_ids);
  PERFORM audit('record.warn', 'done', r.kind, array_agg(r.id), array_agg(r.originator)) FROM records r WHERE r.id = ANY (v_ids) GROUP BY r.kind;
  RETURN QUERY SELECT r.id, r.kind, r.reference, r.originator, (r.handling ->> 'review_on')::date FROM records r WHERE r.id = ANY (v_ids);
END $$;

-- Deletes everything that hangs on a record. Every table in which something of it stands is named here, those of later
-- files too: that they exist is looked up when it is called.
CREATE FUNCTION clear_record(p_record uuid) RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  DELETE FROM record_versions WHERE record_id = p_record;
  DELETE FROM record_grants WHERE record_id = p_record;
  DELETE FROM lifted_exclusions WHERE record_id = p_record;
  DELETE FROM emergencies WHERE record_id = p_record;
  DELETE FROM disclosures WHERE record_id = p_record;
  DELETE FROM onward_requests WHERE record_id = p_record;
  DELETE FROM record_links WHERE record_id = p_record OR target_id = p_record;
  DELETE FROM amendments WHERE record_id = p_record;
  DELETE FROM sightings WHERE record_id = p_record;
  DELETE FROM review_warnings WHERE record_id = p_record;
  DELETE FROM renewals WHERE record_id = p_record;
  DELETE FROM legal_holds WHERE record_id = p_record;
  DELETE FROM caveat_acknowledgements WHERE record_id = p_record;
  DELETE FROM operation_approvals WHERE record_id = p_record;
  DELETE FROM operation_teams WHERE record_id = p_record;
  DELETE FROM operation_log WHERE record_id = p_record;
  PERFORM forget_conflicts(p_record);
  DELETE FROM incidents WHERE record_id = p_record;
  DELETE FROM incident_calls WHERE record_id = p_record;
  DELETE FROM incident_alarms WHERE record_id = p_record;
  DELETE FROM incident_likenesses WHERE p_record IN (record_id, other_id);
  DELETE FROM incident_history WHERE record_id = p_record;
  DELETE FROM incident_merges WHERE p_record IN (record_id, target_id);
  DELETE FROM former_sights WHERE record_id = p_record;
  DELETE FROM repatriation_history WHERE record_id = p_record;
  DELETE FROM person_keys WHERE person_id IN (SELECT id FROM persons WHERE record_id = p_record);
  DELETE FROM person_versions WHERE person_id IN (SELECT id FROM persons WHERE record_id = p_record);
  DELETE FROM persons WHERE record_id = p_record;
  DELETE FROM screenings WHERE record_id = p_record;
  DELETE FROM checklist_steps WHERE record_id = p_record;
  DELETE FROM checklist_items WHERE record_id = p_record;
  DELETE FROM checklist_versions WHERE record_id = p_record;
  DELETE FROM checklists WHERE record_id = p_record;
  DELETE FROM repatriation_messages WHERE record_id = p_record;
  DELETE FROM repatriation_steps WHERE record_id = p_record;
  PERFORM forget_attachments(p_record);
  -- That a seat was taken stays, by ids; not what was said of it.
  UPDATE manifest_entries SET reason = NULL, receipt = receipt || '{"note": null}' WHERE record_id = p_record;
  -- A recall outlives the record, since its recipients still answer for their copies; not so why it was made.
  UPDATE recalls SET reason = 'The record has been purged since.' WHERE record_id = p_record;
END $$;

-- The document of a purged record, in the words of the API.
CREATE FUNCTION purged_document(p_id uuid, p_reference text, p_version integer, p_at timestamptz) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT format('{"id":"%s","reference":"%s","state":"purged","version":%s,"updated_at":"%s"}', p_id, p_reference, p_version,
    utc_text(p_at))
$$;

-- Makes a tombstone of one record that the caller of this function has locked. Whoever sees the record at this moment
-- sees the tombstone from now on, by name: nobody else comes to see it by joining a group, or the hub, later.
CREATE FUNCTION entomb(p_was records) RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_at timestamptz := greatest(clock_timestamp(), p_was.updated_at + interval '1 microsecond');
  v_document text := purged_document(p_was.id, p_was.reference, p_was.version + 1, v_at);
  v_seeing text[];
BEGIN
  -- What has ended by itself is told for what it is, and sees no tombstone.
  PERFORM lapse_emergencies_of(p_was.id);
  v_seeing := agencies_of(p_was.audience, p_was.excluded);
  UPDATE records SET state = 'purged', version = p_was.version + 1, audience_version = audience_version + 1, updated_at = v_at,
    external_id = NULL, life = NULL, parties = '{}', facets = '{}', names = '{}', audience = v_seeing, excluded = '{}', document = v_document, shared_document = v_document,
    handling = handling || '{"codes": [], "caveat": null, "legal_basis": null, "discoverable": "none"}'
  WHERE id = p_was.id;
  PERFORM clear_record(p_was.id);
  INSERT INTO record_versions (record_id, version, at, changed, document, shared_document)
  VALUES (p_was.id, p_was.version + 1, v_at, ARRAY['state'], v_document, v_document);
  INSERT INTO record_grants (record_id, principal, since) SELECT p_was.id, a, v_at FROM unnest(v_seeing) AS a;
  PERFORM announce('record.purged', p_was.kind, p_was.id, p_was.reference, p_was.version + 1,
    CASE WHEN 'community' = ANY (p_was.audience) THEN ARRAY['community'] ELSE v_seeing END, p_was.excluded);
END $$;

-- Purges the next p_limit records whose review date has passed, fewer where they have many versions; no row when none
-- is left. A record that somebody is just changing, holding or adding to is passed over: another call finds it again.
CREATE FUNCTION purge_due_records(p_limit integer)
RETURNS TABLE (id uuid, kind text, reference text, originator text, review_on date) LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  -- Versions that one transaction deletes; the first record is purged however many it has.
  c_versions CONSTANT integer := 20000;
  v_versions bigint := 0;
  v_record record;
  v_locked uuid[] := '{}';
  v_due uuid[];
BEGIN
  FOR v_record IN SELECT r.id, r.version FROM records r
    WHERE r.state <> 'purged' AND r.handling ->> 'review_on' < review_day(0) AND NOT is_held(r.id)
    ORDER BY r.handling ->> 'review_on', r.id LIMIT p_limit FOR UPDATE SKIP LOCKED
  LOOP
    v_versions := v_versions + v_record.version;
    EXIT WHEN v_versions > c_versions AND v_locked <> '{}';
    v_locked := v_locked || v_record.id;
  END LOOP;
  -- Looked at again under the lock: a hold that was placed in between is seen by this statement, and was not by that.
  v_due := ARRAY(SELECT d FROM unnest(v_locked) AS d WHERE NOT is_held(d));
  PERFORM entomb(r) FROM records r WHERE r.id = ANY (v_due);
  PERFORM audit('record.purge', 'done', r.kind, array_agg(r.id), array_agg(r.originator)) FROM records r WHERE r.id = ANY (v_due) GROUP BY r.kind;
  RETURN QUERY SELECT r.id, r.kind, r.reference, r.originator, (r.handling ->> 'review_on')::date FROM records r WHERE r.id = ANY (v_due);
END $$;

-- Takes words out of the search's vocabulary that stand in no name any more, among the next p_limit after p_after. The
-- last word looked at; NULL at the end. Writers wait only while something is deleted, and not for long: it gives up
-- (lock_not_available) rather than queue behind one of them.
CREATE FUNCTION forget_names(p_after text, p_limit integer) RETURNS text LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET lock_timeout = '1s' AS $$
DECLARE
  v_words text[] := ARRAY(SELECT w.word FROM name_words w WHERE w.word ~>~ p_after ORDER BY w.word USING ~<~ LIMIT p_limit);
  v_unused text[] := ARRAY(SELECT word FROM unnest(v_words) AS word
    WHERE NOT EXISTS (SELECT FROM record_search s WHERE s.terms @@ term_literal(word)::tsquery));
BEGIN
  IF v_unused <> '{}' THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('interdesk.name_words', 0));
    DELETE FROM name_words w WHERE w.word = ANY (v_unused)
      AND NOT EXISTS (SELECT FROM record_search s WHERE s.terms @@ term_literal(w.word)::tsquery);
  END IF;
  RETURN v_words[cardinality(v_words)];
END $$;

REVOKE ALL ON FUNCTION review_day, is_held, renew_record, place_legal_hold, release_legal_hold, records_up_for_review, warn_of_reviews,
  clear_record, purged_document, entomb, purge_due_records, forget_names FROM PUBLIC;
GRANT EXECUTE ON FUNCTION renew_record, place_legal_hold, release_legal_hold TO interdesk_api, interdesk_worker;
GRANT EXECUTE ON FUNCTION records_up_for_review, warn_of_reviews, purge_due_records, forget_names TO interdesk_worker;
RESET ROLE;
