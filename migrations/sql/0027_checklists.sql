-- The checklists of repatriation requests: made of the rules when a request is submitted, worked off by both sides.

CREATE TABLE checklists (
  record_id uuid PRIMARY KEY REFERENCES records (id),
  -- Counts the changes of what all who see it see: items, what was done with them, and for how many persons.
  version integer NOT NULL DEFAULT 1,
  -- What it was made for.
  category text NOT NULL,
  legal_act text NOT NULL,
  from_country text NOT NULL,
  to_country text NOT NULL,
  requested text NOT NULL,
  transit boolean NOT NULL,
  -- The request's, kept by a trigger. What is due days before it is read as a moment, which there is none of before year 1.
  due_at timestamptz CHECK (due_at >= '2000-01-01T00:00:00Z' AND due_at < '2201-01-01T00:00:00Z'),
  submitted_at timestamptz NOT NULL,
  -- When the requested side was asked last: at a change of what it answers to it is asked afresh.
  asked_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  -- For which moment both sides were told that it has passed.
  told_due timestamptz,
  told_asked timestamptz
);

CREATE TABLE checklist_items (
  record_id uuid NOT NULL REFERENCES checklists (record_id),
  code text NOT NULL,
  title text NOT NULL,
  -- The act that its rule is for; NULL: any.
  legal_act text,
  side text NOT NULL,
  per text NOT NULL,
  before text NOT NULL,
  needs text NOT NULL,
  waivable boolean NOT NULL,
  days_after_submission integer,
  days_before_due integer,
  source text,
  place integer NOT NULL,
  -- No rule asks for it any more; should one do so again, it goes on from where it was.
  dropped boolean NOT NULL DEFAULT false,
  told_due timestamptz,
  PRIMARY KEY (record_id, code)
);

-- What was done with items. Rows are added and never changed; the last one that is about a person, or about the request,
-- says how the item stands for it.
CREATE TABLE checklist_steps (
  id uuid PRIMARY KEY,
  record_id uuid NOT NULL,
  code text NOT NULL,
  -- The checklist's by this step.
  version integer NOT NULL,
  action text NOT NULL CHECK (action IN ('complete', 'waive', 'reopen')),
  -- Whether nothing is left to do by it: a screening that came to no result leaves something.
  settles boolean NOT NULL CHECK (settles = (action <> 'reopen') OR action = 'complete'),
  -- NULL: the hub, because the request changed.
  agency text,
  -- Whom it is about; empty for an item of the whole request.
  persons uuid[] NOT NULL DEFAULT '{}',
  note text CHECK (action = 'complete' OR note IS NOT NULL),
  document jsonb,
  -- A file of the request that shows it; it may have been removed since.
  attachment_id uuid,
  at timestamptz NOT NULL,
  FOREIGN KEY (record_id, code) REFERENCES checklist_items (record_id, code)
);
CREATE INDEX checklist_steps_by_item ON checklist_steps (record_id, code, version DESC);

-- What persons were screened as: gone with the person.
CREATE TABLE screenings (
  person_id uuid NOT NULL REFERENCES persons (id) ON DELETE CASCADE,
  record_id uuid NOT NULL REFERENCES checklists (record_id),
  version integer NOT NULL,
  -- Who screened.
  agency text NOT NULL,
  result text NOT NULL CHECK (result IN ('victim', 'no_indication', 'inconclusive')),
  PRIMARY KEY (person_id, version)
);
CREATE INDEX screenings_by_record ON screenings (record_id);

-- Of whom a version of a checklist counted, for a day: a repeated call answers the version that the first one made.
CREATE TABLE checklist_versions (
  record_id uuid NOT NULL REFERENCES checklists (record_id),
  version integer NOT NULL,
  persons uuid[] NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (record_id, version)
);
CREATE INDEX checklist_versions_by_age ON checklist_versions (at);

DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['checklists', 'checklist_items', 'checklist_steps', 'screenings', 'checklist_versions'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO interdesk_engine', v_table);
  END LOOP;
END $$;

SET LOCAL ROLE interdesk_engine;

-- The persons of a record that can be read: without its key a person is not there.
CREATE FUNCTION persons_of(p_record uuid) RETURNS uuid[] LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT ARRAY(SELECT p.id FROM persons p JOIN person_keys k ON k.person_id = p.id WHERE p.record_id = p_record ORDER BY p.created_at, p.id)
$$;

-- How each item stands for each of these persons, or for the request, by a version; action is NULL where it is open.
CREATE FUNCTION checklist_states(p_record uuid, p_version integer, p_persons uuid[])
RETURNS TABLE (code text, person_id uuid, action text, step checklist_steps) LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT i.code, s.person_id, CASE WHEN (l.step).settles THEN (l.step).action END, l.step
  FROM checklist_items i
  CROSS JOIN LATERAL unnest(CASE i.per WHEN 'person' THEN p_persons ELSE ARRAY[NULL::uuid] END) AS s (person_id)
  LEFT JOIN LATERAL (
    SELECT t AS step FROM checklist_steps t WHERE t.record_id = p_record AND t.code = i.code AND t.version <= p_version
      AND CASE i.per WHEN 'person' THEN s.person_id = ANY (t.persons) ELSE t.persons = '{}' END
    ORDER BY t.version DESC LIMIT 1) AS l ON true
  WHERE i.record_id = p_record AND NOT i.dropped
$$;

-- When an item is due; NULL: never.
CREATE FUNCTION item_due(p_checklist checklists, p_item checklist_items) RETURNS timestamptz LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT least(p_checklist.submitted_at + make_interval(days => p_item.days_after_submission),
    p_checklist.due_at - make_interval(days => p_item.days_before_due))
$$;

CREATE FUNCTION next_checklist_version(p_record uuid, p_at timestamptz) RETURNS integer LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_version integer;
BEGIN
  UPDATE checklists SET version = version + 1, updated_at = greatest(p_at, updated_at + interval '1 microsecond')
  WHERE record_id = p_record RETURNING version INTO v_version;
  INSERT INTO checklist_versions (record_id, version, persons, at)
  SELECT p_record, v_version, persons_of(p_record), c.updated_at FROM checklists c WHERE c.record_id = p_record;
  RETURN v_version;
END $$;

-- ------------------------------------------------------------------------------------------------------- how one is made
-- Opens again what would not have been settled so under what holds now: by an agency that answers for the item no more,
-- waived where nothing can be waived, without a document where one is asked for; and items of p_changed, which ask for
-- something else by the same code.
CREATE FUNCTION reopen_unfit_items(p_record records, p_version integer, p_changed text[]) RETURNS void LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO checklist_steps (id, record_id, code, version, action, settles, persons, note, at)
  SELECT uuid7(), p_record.id, i.code, p_version, 'reopen', false, array_remove(array_agg(s.person_id), NULL), 'The request changed.',
    clock_timestamp()
  FROM checklist_states(p_record.id, p_version, persons_of(p_record.id)) AS s
  JOIN checklist_items i ON i.record_id = p_record.id AND i.code = s.code
  WHERE s.action IS NOT NULL AND (i.code = ANY (p_changed)
    OR (s.step).agency <> CASE i.side WHEN 'requested' THEN requested_agency(p_record) ELSE p_record.originator END
    OR (s.action = 'waive' AND NOT i.waivable)
    OR (s.action = 'complete' AND i.needs = 'document' AND (s.step).document IS NULL AND (s.step).attachment_id IS NULL))
  GROUP BY i.code
$$;

-- Makes the checklist of a request, or makes it anew: items that no rule asks for any more go, and those that stay stand as
-- they did.
CREATE FUNCTION make_checklist(p_record records) RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_transit boolean := cardinality(p_record.parties) > 1;
  v_at timestamptz := clock_timestamp();
  v_was checklists;
  v_changed text[];
  v_version integer;
BEGIN
  SELECT * INTO v_was FROM checklists WHERE record_id = p_record.id;
  INSERT INTO checklists AS c (record_id, version, category, legal_act, from_country, to_country, requested, transit, submitted_at, asked_at,
    updated_at)
  VALUES (p_record.id, 0, facet_of(p_record, 'category'), facet_of(p_record, 'legal_act'), facet_of(p_record, 'from_country'),
    facet_of(p_record, 'to_country'), requested_agency(p_record), v_transit, v_at, v_at, v_at)
  ON CONFLICT (record_id) DO UPDATE SET category = excluded.category, legal_act = excluded.legal_act, from_country = excluded.from_country,
    to_country = excluded.to_country, requested = excluded.requested, transit = excluded.transit, asked_at = excluded.asked_at;
  -- The order of a deportation is no order of an extradition, though both are the order by which somebody leaves.
  v_changed := ARRAY(SELECT i.code FROM checklists c
    CROSS JOIN LATERAL checklist_rules_for(c.category, c.legal_act, c.from_country, c.to_country) AS r
    JOIN checklist_items i ON i.record_id = c.record_id AND i.code = r.code
    WHERE c.record_id = p_record.id AND (i.title, i.legal_act, i.source) IS DISTINCT FROM (r.title, r.legal_act, r.source));
  -- Where somebody leaves from and goes to decides the risk, the papers and who consents to what: only what was found out
  -- about the person is true of every journey.
  IF (v_was.from_country, v_was.to_country) IS DISTINCT FROM (facet_of(p_record, 'from_country'), facet_of(p_record, 'to_country')) THEN
    v_changed := v_changed || ARRAY(SELECT i.code FROM checklist_items i WHERE i.record_id = p_record.id AND i.code <> ALL (ARRAY[
      'identity_verified', 'trafficking_screening', 'identification', 'autopsy_requested', 'autopsy_agreed', 'autopsy_performed',
      'death_certificate']));
  END IF;
  UPDATE checklist_items SET dropped = true WHERE record_id = p_record.id;
  INSERT INTO checklist_items AS i (record_id, code, title, legal_act, side, per, before, needs, waivable, days_after_submission,
    days_before_due, source, place)
  SELECT p_record.id, r.code, r.title, r.legal_act, r.side, r.per, r.before, r.needs, r.waivable, r.days_after_submission,
    r.days_before_due, r.source, r.place
  FROM checklists c, checklist_rules_for(c.category, c.legal_act, c.from_country, c.to_country) AS r
  WHERE c.record_id = p_record.id AND (v_transit OR NOT r.with_transit)
  ON CONFLICT (record_id, code) DO UPDATE SET title = excluded.title, legal_act = excluded.legal_act, side = excluded.side,
    per = excluded.per, before = excluded.before, needs = excluded.needs, waivable = excluded.waivable,
    days_after_submission = excluded.days_after_submission, days_before_due = excluded.days_before_due, source = excluded.source,
    place = excluded.place, dropped = false;
  v_version := next_checklist_version(p_record.id, v_at);
  PERFORM reopen_unfit_items(p_record, v_version, v_changed);
  PERFORM audit('checklist.make', 'done', p_record.kind, ARRAY[p_record.id], ARRAY[p_record.originator], jsonb_build_object('version', v_version));
END $$;

-- A request that was submitted has the checklist of what it asks for, whatever call it was submitted or changed by.
CREATE FUNCTION follow_request() RETURNS trigger LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_due timestamptz := (NEW.document::jsonb ->> 'due_at')::timestamptz;
BEGIN
  IF NEW.life IN ('submitted', 'acknowledged', 'accepted', 'cleared', 'scheduled', 'on_hold', 'in_transit') AND NOT EXISTS (
    SELECT FROM checklists c WHERE c.record_id = NEW.id AND (c.category, c.legal_act, c.from_country, c.to_country, c.requested, c.transit)
      = (facet_of(NEW, 'category'), facet_of(NEW, 'legal_act'), facet_of(NEW, 'from_country'), facet_of(NEW, 'to_country'),
        requested_agency(NEW), cardinality(NEW.parties) > 1))
  THEN
    PERFORM make_checklist(NEW);
  END IF;
  UPDATE checklists SET due_at = v_due WHERE record_id = NEW.id AND due_at IS DISTINCT FROM v_due;
  -- When items are due follows from it, so the checklist reads differently.
  IF FOUND AND TG_OP = 'UPDATE' AND OLD.life <> 'draft' THEN
    PERFORM next_checklist_version(NEW.id, clock_timestamp());
  END IF;
  RETURN NULL;
END $$;

-- A person entered later makes what is done for each person open again, and a person removed counts no more.
CREATE FUNCTION follow_persons() RETURNS trigger LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM next_checklist_version(p.record_id, clock_timestamp()) FROM persons p
  WHERE p.id = CASE TG_OP WHEN 'INSERT' THEN NEW.person_id ELSE OLD.person_id END;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION follow_request, follow_persons FROM PUBLIC;
GRANT EXECUTE ON FUNCTION follow_request, follow_persons TO interdesk_owner;
RESET ROLE;
CREATE TRIGGER requests_have_checklists AFTER UPDATE OF document, state, life, parties ON records FOR EACH ROW
  WHEN (NEW.kind = 'repatriation-requests' AND NEW.state = 'current') EXECUTE FUNCTION follow_request();
CREATE TRIGGER checklists_count_persons AFTER INSERT OR DELETE ON person_keys FOR EACH ROW EXECUTE FUNCTION follow_persons();
SET LOCAL ROLE interdesk_engine;

-- ---------------------------------------------------------------------------------------------------- how one is read
-- The checklist of a request, by a version that the caller made itself or by the present one, with the persons it counts; no
-- row for whom it is not: parties of a request that was submitted see it.
CREATE FUNCTION seen_checklist(
  p_record uuid, p_version integer,
  OUT request records, OUT version integer, OUT updated_at timestamptz, OUT persons uuid[], OUT sees_persons boolean
) LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT r, coalesce(p_version, c.version), coalesce(v.at, c.updated_at), coalesce(v.persons, persons_of(r.id)),
    r.originator = caller_agency() OR carries_persons(r.id)
  FROM records r JOIN checklists c ON c.record_id = r.id
  LEFT JOIN checklist_versions v ON v.record_id = r.id AND v.version = p_version
  WHERE r.id = p_record AND r.state = 'current' AND takes_part(r) AND (NOT r.covered OR lies_open(r.id))
$$;

-- Its version, and when it became so.
CREATE FUNCTION checklist_head(p_record uuid, p_version integer DEFAULT NULL)
RETURNS TABLE (version integer, submitted_at timestamptz, updated_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT s.version, c.submitted_at, s.updated_at
  FROM seen_checklist(p_record, p_version) AS s JOIN checklists c ON c.record_id = (s.request).id
$$;

-- Its items, by that version. open, completed, waived, flagged: persons, of whom whoever does not see them is told nothing.
-- Where the caller sees an extradition pending that others may not, the item is open for that person until it is waived
-- knowing of it.
CREATE FUNCTION checklist_rows(p_record uuid, p_version integer DEFAULT NULL)
RETURNS TABLE (code text, title text, side text, per text, before text, needs text, waivable boolean, due_at timestamptz, source text,
  state text, sees_persons boolean, open uuid[], completed uuid[], waived uuid[], flagged uuid[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  WITH seen AS MATERIALIZED (SELECT * FROM seen_checklist(p_record, p_version) AS s WHERE (s.request).id IS NOT NULL),
  pending AS MATERIALIZED (SELECT f.* FROM seen s, extraditions_pending(s.request, caller_agency()) AS f),
  states AS MATERIALIZED (
    SELECT t.code, t.person_id, f.person_id IS NOT NULL AS flagged,
      CASE WHEN f.person_id IS NULL OR (t.action = 'waive' AND (t.step).at > f.since) THEN t.action END AS action
    FROM seen s CROSS JOIN checklist_states(p_record, s.version, s.persons) AS t
    LEFT JOIN pending f ON t.code = 'no_extradition_pending' AND f.person_id = t.person_id)
  SELECT i.code, i.title, i.side, i.per, i.before, i.needs, i.waivable, item_due(c, i), i.source,
    CASE WHEN count(s.code) = 0 OR bool_or(s.action IS NULL) THEN 'open' WHEN bool_and(s.action = 'waive') THEN 'waived' ELSE 'completed' END,
    bool_and(h.sees_persons),
    coalesce(array_agg(s.person_id) FILTER (WHERE h.sees_persons AND s.action IS NULL AND s.person_id IS NOT NULL), '{}'),
    coalesce(array_agg(s.person_id) FILTER (WHERE h.sees_persons AND s.action = 'complete' AND s.person_id IS NOT NULL), '{}'),
    coalesce(array_agg(s.person_id) FILTER (WHERE h.sees_persons AND s.action = 'waive' AND s.person_id IS NOT NULL), '{}'),
    coalesce(array_agg(s.person_id) FILTER (WHERE h.sees_persons AND s.flagged), '{}')
  FROM seen h JOIN checklists c ON c.record_id = p_record
  JOIN checklist_items i ON i.record_id = p_record AND NOT i.dropped
  LEFT JOIN states s ON s.code = i.code
  GROUP BY i.record_id, i.code, c.record_id
  ORDER BY i.place, i.code
$$;

-- Whether the caller reads what an agency did with a checklist. Who is asked in the place of another learns nothing of that
-- one; the originator asked both.
CREATE FUNCTION is_shown_work_of(p_record records, p_agency text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT caller_agency() = p_record.originator OR p_agency IN (caller_agency(), p_record.originator, requested_agency(p_record))
$$;

-- What was done with its items until that version, in its order. That the hub opened an item again says that it was settled:
-- it is shown to whoever is shown by whom.
CREATE FUNCTION checklist_history(p_record uuid, p_version integer DEFAULT NULL)
RETURNS TABLE (code text, action text, settles boolean, agency text, at timestamptz, note text, document jsonb, attachment_id uuid,
  persons uuid[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  WITH seen AS MATERIALIZED (SELECT * FROM seen_checklist(p_record, p_version)),
  steps AS (
    SELECT t.*, bool_or(is_shown_work_of(h.request, t.agency)) OVER (PARTITION BY t.code ORDER BY t.version, t.id) AS shown_before,
      is_shown_work_of(h.request, t.agency) AS shown
    FROM seen h JOIN checklist_steps t ON t.record_id = (h.request).id AND t.version <= h.version)
  SELECT t.code, t.action, t.settles, t.agency, t.at, t.note, t.document, t.attachment_id, CASE WHEN h.sees_persons THEN t.persons ELSE '{}' END
  FROM seen h, steps t WHERE CASE WHEN t.agency IS NULL THEN t.shown_before ELSE t.shown END
  ORDER BY t.version, t.id
$$;

-- What its persons were screened as last, for a side that says what for, under the purpose kept in the audit.
CREATE FUNCTION screenings_of(p_record uuid, p_version integer DEFAULT NULL) RETURNS TABLE (person_id uuid, result text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT DISTINCT ON (g.person_id) g.person_id, g.result
  FROM seen_checklist(p_record, p_version) AS h JOIN screenings g ON g.record_id = (h.request).id AND g.version <= h.version
  WHERE h.sees_persons AND on_a_side(h.request) AND nullif(current_setting('interdesk.purpose', true), '') IS NOT NULL
    AND g.person_id = ANY (h.persons) AND is_shown_work_of(h.request, g.agency)
  ORDER BY g.person_id, g.version DESC
$$;

-- Whether the last screening of somebody found a victim. It names nobody, and answers the two sides alone. To a side that is
-- not shown the work of the one asked before, the item is open, and that is refused by itself.
CREATE FUNCTION holds_victims(p_record uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(bool_or(last.result = 'victim'), false) FROM (
    SELECT DISTINCT ON (g.person_id) g.result
    FROM seen_checklist(p_record, NULL) AS h JOIN screenings g ON g.record_id = (h.request).id AND g.person_id = ANY (h.persons)
    WHERE on_a_side(h.request) AND is_shown_work_of(h.request, g.agency) ORDER BY g.person_id, g.version DESC) AS last
$$;

-- -------------------------------------------------------------------------------------------------- how one is worked off
-- Writes down what the caller's side did with an item, which all parties are told. Outcomes: written; stale (the checklist
-- has another version by now); hidden (not a side of such a request, or the item is not its own); unknown-attachment.
CREATE FUNCTION write_checklist_step(
  p_record uuid, p_code text, p_expected integer, p_action text, p_settles boolean, p_persons uuid[], p_note text, p_document jsonb,
  p_attachment uuid, p_result text, OUT outcome text, OUT version integer
) LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
  v_item checklist_items;
BEGIN
  SELECT * INTO v_record FROM records r WHERE r.id = p_record AND r.state = 'current' AND on_a_side(r)
    AND (NOT r.covered OR lies_open(r.id)) FOR NO KEY UPDATE;
  SELECT * INTO v_item FROM checklist_items i WHERE i.record_id = v_record.id AND i.code = p_code AND NOT i.dropped
    AND caller_agency() = CASE i.side WHEN 'requested' THEN requested_agency(v_record) ELSE v_record.originator END
    AND (p_action <> 'waive' OR i.waivable);
  IF NOT FOUND THEN
    outcome := 'hidden';
    RETURN;
  END IF;
  PERFORM FROM checklists c WHERE c.record_id = p_record AND c.version = p_expected FOR UPDATE;
  IF NOT FOUND THEN
    outcome := 'stale';
    RETURN;
  END IF;
  IF p_attachment IS NOT NULL AND NOT attachment_stands(p_record, p_attachment) THEN
    outcome := 'unknown-attachment';
    RETURN;
  END IF;
  version := next_checklist_version(p_record, clock_timestamp());
  INSERT INTO checklist_steps (id, record_id, code, version, action, settles, agency, persons, note, document, attachment_id, at)
  SELECT uuid7(), p_record, p_code, c.version, p_action, p_settles, caller_agency(), p_persons, p_note, p_document, p_attachment, c.updated_at
  FROM checklists c WHERE c.record_id = p_record;
  INSERT INTO screenings (person_id, record_id, version, agency, result)
  SELECT p, p_record, write_checklist_step.version, caller_agency(), p_result FROM unnest(p_persons) AS p WHERE p_result IS NOT NULL;
  PERFORM announce('repatriation.checklist_changed', v_record.kind, p_record, v_record.reference, v_record.version,
    v_record.originator || v_record.parties, v_record.excluded, true, jsonb_build_object('item', p_code));
  PERFORM audit('checklist.' || p_action, 'done', v_record.kind, ARRAY[p_record], ARRAY[v_record.originator],
    jsonb_build_object('item', p_code, 'persons', p_persons, 'version', version));
  outcome := 'written';
END $$;

-- Keeps a checklist as it is until the end of the transaction: for whoever is about to act on it.
CREATE FUNCTION hold_checklist(p_record uuid) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT FROM records r JOIN checklists c ON c.record_id = r.id WHERE r.id = p_record AND takes_part(r) FOR UPDATE OF c
$$;

-- Whether an extradition is pending for somebody who is to be deported, which the requested side sees, or the caller's if it
-- is the other, and which was not waived knowing of it. The requested side answers for the item and must not deport, whoever
-- moves the transport; what the other side alone sees stops only its own calls, or it would be told to the requested side.
CREATE FUNCTION extradition_stops(p_record records) RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM checklists c
    CROSS JOIN LATERAL (SELECT requested_agency(p_record) AS agency
      UNION SELECT p_record.originator WHERE p_record.originator = caller_agency()) AS a
    CROSS JOIN LATERAL extraditions_pending(p_record, a.agency) AS f
    JOIN checklist_states(c.record_id, c.version, persons_of(c.record_id)) AS s
      ON s.code = 'no_extradition_pending' AND s.person_id = f.person_id
    WHERE c.record_id = p_record.id AND (s.action = 'waive' AND (s.step).at > f.since) IS NOT TRUE)
$$;

-- Whether everything is done that has to be done before the journey, whatever state the request is in, and nobody who is to
-- return as a suspect was screened as a victim since: somebody may have been entered, an item opened again, or an extradition
-- asked for, after the request was cleared. What travels asks this.
CREATE FUNCTION journey_is_cleared(p_record records) RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT NOT EXISTS (
    SELECT FROM checklists c JOIN checklist_items i ON i.record_id = c.record_id AND NOT i.dropped AND i.before = 'clear'
    LEFT JOIN checklist_states(c.record_id, c.version, persons_of(c.record_id)) AS s ON s.code = i.code
    WHERE c.record_id = p_record.id AND s.action IS NULL)
  AND NOT ('category:suspect' = ANY (p_record.facets) AND EXISTS (
    SELECT FROM (SELECT DISTINCT ON (g.person_id) g.result FROM screenings g JOIN persons p ON p.id = g.person_id
      WHERE g.record_id = p_record.id ORDER BY g.person_id, g.version DESC) AS last WHERE last.result = 'victim'))
  AND NOT extradition_stops(p_record)
$$;

-- ---------------------------------------------------------------------------------------------------------- what is late
-- Both sides of a request, as far as they see it.
CREATE FUNCTION sides_that_see(p_record records) RETURNS text[] LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT ARRAY(SELECT a FROM unnest(agencies_of(p_record.audience, p_record.excluded)) AS a
    WHERE a IN (p_record.originator, requested_agency(p_record)))
$$;

CREATE FUNCTION tell_lateness(p_record records, p_event text, p_action text, p_detail jsonb) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_told text[] := sides_that_see(p_record);
BEGIN
  PERFORM announce(p_event, p_record.kind, p_record.id, p_record.reference, p_record.version, v_told, '{}', true, p_detail);
  INSERT INTO audit_entries (agency, action, outcome, kind, record_ids, detail)
  SELECT a, p_action, 'done', p_record.kind, ARRAY[p_record.id], p_detail FROM unnest(v_told) AS a;
END $$;

-- Tells both sides, once for each moment that passes, of items and requests that are late, and of those where a life is at
-- risk and nobody has acknowledged them within p_hours. How many there were, at most 1000 of each.
CREATE FUNCTION tell_late_repatriations(p_hours integer) RETURNS integer LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_late record;
  v_count integer := 0;
BEGIN
  FOR v_late IN
    SELECT r AS request, i.code, d.due FROM checklists c JOIN records r ON r.id = c.record_id AND r.state = 'current'
    JOIN checklist_items i ON i.record_id = c.record_id AND NOT i.dropped
    CROSS JOIN LATERAL (SELECT item_due(c, i) AS due) AS d
    WHERE d.due <= clock_timestamp() AND i.told_due IS DISTINCT FROM d.due
      AND (r.life IN ('submitted', 'acknowledged', 'accepted')
        OR (i.before = 'close' AND r.life IN ('cleared', 'scheduled', 'in_transit', 'handed_over')))
      AND (SELECT bool_or(s.action IS NULL) IS NOT FALSE
        FROM checklist_states(c.record_id, c.version, persons_of(c.record_id)) AS s WHERE s.code = i.code)
    ORDER BY d.due, r.id, i.code LIMIT 1000 FOR NO KEY UPDATE OF c SKIP LOCKED
  LOOP
    UPDATE checklist_items SET told_due = v_late.due WHERE record_id = (v_late.request).id AND code = v_late.code;
    PERFORM tell_lateness(v_late.request, 'repatriation.item_overdue', 'checklist.item_overdue', jsonb_build_object('item', v_late.code));
    v_count := v_count + 1;
  END LOOP;
  FOR v_late IN
    SELECT r AS request, c.due_at AS due FROM checklists c JOIN records r ON r.id = c.record_id AND r.state = 'current'
    WHERE c.due_at <= clock_timestamp() AND c.told_due IS DISTINCT FROM c.due_at
      AND r.life IN ('submitted', 'acknowledged', 'accepted', 'cleared', 'scheduled', 'in_transit', 'on_hold')
    ORDER BY c.due_at, r.id LIMIT 1000 FOR NO KEY UPDATE OF c SKIP LOCKED
  LOOP
    UPDATE checklists SET told_due = v_late.due WHERE record_id = (v_late.request).id;
    PERFORM tell_lateness(v_late.request, 'repatriation.overdue', 'repatriation.overdue', NULL);
    v_count := v_count + 1;
  END LOOP;
  FOR v_late IN
    SELECT r AS request, c.asked_at AS asked FROM checklists c JOIN records r ON r.id = c.record_id AND r.state = 'current'
    WHERE r.life = 'submitted' AND facet_of(r, 'priority') = 'life_at_risk' AND c.told_asked IS DISTINCT FROM c.asked_at
      AND c.asked_at + make_interval(hours => p_hours) <= clock_timestamp()
    ORDER BY c.asked_at, r.id LIMIT 1000 FOR NO KEY UPDATE OF c SKIP LOCKED
  LOOP
    UPDATE checklists SET told_asked = v_late.asked WHERE record_id = (v_late.request).id;
    PERFORM tell_lateness(v_late.request, 'repatriation.unacknowledged', 'repatriation.unacknowledged', NULL);
    v_count := v_count + 1;
  END LOOP;
  RETURN v_count;
END $$;

REVOKE ALL ON FUNCTION persons_of, checklist_states, item_due, next_checklist_version, seen_checklist,
  holds_victims, reopen_unfit_items, make_checklist, checklist_head, checklist_rows, is_shown_work_of, checklist_history, screenings_of,
  write_checklist_step, hold_checklist, extradition_stops, journey_is_cleared, sides_that_see, tell_lateness,
  tell_late_repatriations FROM PUBLIC;
GRANT EXECUTE ON FUNCTION checklist_head, checklist_rows, checklist_history, screenings_of, holds_victims, write_checklist_step,
  hold_checklist TO interdesk_api, interdesk_worker;
GRANT EXECUTE ON FUNCTION tell_late_repatriations TO interdesk_worker;
RESET ROLE;
