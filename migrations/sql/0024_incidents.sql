-- Incident reports: what is compared of them, the calls to acknowledge urgent ones, and reports of the same matter.

-- What of a report is compared stands in columns beside the documents, kept by a trigger: no way of writing a record can
-- forget it. There is a row for every report that stands.
CREATE TABLE incidents (
  record_id uuid PRIMARY KEY REFERENCES records (id),
  country text NOT NULL,
  subdivision text,
  -- As names are compared; empty where none is given.
  place text NOT NULL,
  latitude double precision,
  longitude double precision,
  -- From the first to the last day on which it may have happened.
  happened daterange NOT NULL,
  nationalities text[] NOT NULL,
  recruited_via text[] NOT NULL,
  demand_amount numeric,
  demand_currency text,
  urgency text CHECK (urgency IN ('life_at_risk', 'detained'))
);
CREATE INDEX incidents_by_days ON incidents USING gist (happened);

-- Since when a report is urgent; one stands at a time.
CREATE TABLE incident_alarms (
  id uuid PRIMARY KEY,
  record_id uuid NOT NULL REFERENCES records (id),
  urgency text NOT NULL CHECK (urgency IN ('life_at_risk', 'detained')),
  raised_at timestamptz NOT NULL,
  ended_at timestamptz
);
CREATE UNIQUE INDEX incident_alarms_standing ON incident_alarms (record_id) WHERE ended_at IS NULL;

CREATE TABLE incident_calls (
  id uuid PRIMARY KEY,
  alarm_id uuid NOT NULL REFERENCES incident_alarms (id),
  record_id uuid NOT NULL REFERENCES records (id),
  agency text NOT NULL REFERENCES agencies (code),
  -- The alarm's when the agency was called.
  urgency text NOT NULL,
  called_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  acknowledged_at timestamptz,
  note text CHECK (note IS NULL OR acknowledged_at IS NOT NULL),
  -- Need not acknowledge any more.
  ended_at timestamptz CHECK (ended_at IS NULL OR acknowledged_at IS NULL),
  -- When both sides were told that it was overdue.
  overdue_at timestamptz,
  UNIQUE (alarm_id, agency)
);
CREATE INDEX incident_calls_by_record ON incident_calls (record_id, called_at DESC, id DESC);
CREATE INDEX incident_calls_waiting ON incident_calls (due_at, id)
  WHERE acknowledged_at IS NULL AND ended_at IS NULL AND overdue_at IS NULL;

-- Whose originator was told of which other report like its own. Without foreign keys: the check would have two reports
-- that change at the same moment wait for each other for ever.
CREATE TABLE incident_likenesses (
  record_id uuid NOT NULL,
  other_id uuid NOT NULL,
  told_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (record_id, other_id)
);
CREATE INDEX incident_likenesses_by_other ON incident_likenesses (other_id);

DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['incidents', 'incident_alarms', 'incident_calls', 'incident_likenesses'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO interdesk_engine', v_table);
  END LOOP;
END $$;
-- Between the agency that was called and the originator: to a third one it would tell who else sees the report.
CREATE POLICY called_and_originator ON incident_calls FOR SELECT TO interdesk_api, interdesk_worker USING (EXISTS (
  SELECT FROM records r WHERE r.id = incident_calls.record_id
    AND (r.originator = caller_agency() OR (incident_calls.agency = caller_agency() AND r.state = 'current'
      AND (NOT r.covered OR lies_open(r.id))))));
GRANT SELECT ON incident_calls TO interdesk_api, interdesk_worker;
-- Official figures, open to every agency.
CREATE TABLE declared_figures (
  id uuid PRIMARY KEY,
  agency text NOT NULL REFERENCES agencies (code),
  series text NOT NULL,
  country text,
  nationality text,
  period_from text NOT NULL,
  period_to text NOT NULL,
  -- NULL: it was said that none was given.
  value integer CHECK (value >= 0),
  source text NOT NULL,
  published_on date NOT NULL,
  note text,
  created_at timestamptz NOT NULL,
  withdrawn_at timestamptz
);
CREATE UNIQUE INDEX declared_figures_standing
  ON declared_figures (agency, series, coalesce(country, ''), coalesce(nationality, ''), period_from, period_to) WHERE withdrawn_at IS NULL;
CREATE INDEX declared_figures_newest ON declared_figures (created_at DESC, id DESC);
ALTER TABLE declared_figures ENABLE ROW LEVEL SECURITY;
ALTER TABLE declared_figures FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON declared_figures TO interdesk_engine USING (true) WITH CHECK (true);
CREATE POLICY everybody ON declared_figures FOR SELECT TO interdesk_api, interdesk_worker USING (caller_agency() IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON declared_figures TO interdesk_engine;
GRANT SELECT ON declared_figures TO interdesk_api, interdesk_worker;

-- The first day that a date only as exact as it is known can mean, and the last one.
CREATE FUNCTION first_day(p_date text) RETURNS date LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT (p_date || substr('-01-01', length(p_date) - 3))::date
$$;
CREATE FUNCTION last_day(p_date text) RETURNS date LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT CASE length(p_date) WHEN 10 THEN p_date::date
    ELSE (first_day(p_date) + CASE length(p_date) WHEN 4 THEN interval '1 year' ELSE interval '1 month' END)::date - 1 END
$$;

CREATE FUNCTION index_incident() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  d jsonb;
  v_conditions text[];
BEGIN
  DELETE FROM incidents WHERE record_id = NEW.id;
  IF NEW.state <> 'current' THEN
    RETURN NULL;
  END IF;
  d := NEW.document;
  v_conditions := ARRAY(SELECT v ->> 'condition' FROM jsonb_array_elements(d -> 'victims') AS v);
  INSERT INTO incidents (record_id, country, subdivision, place, latitude, longitude, happened, nationalities, recruited_via,
    demand_amount, demand_currency, urgency)
  SELECT NEW.id, d ->> 'country', d ->> 'subdivision', coalesce(fold_name(d ->> 'place'), ''),
    (d #>> '{coordinates,latitude}')::double precision, (d #>> '{coordinates,longitude}')::double precision,
    -- What has not ended, as far as is known, went on when it was reported.
    daterange(coalesce(first_day(d ->> 'occurred_from'), first_day(d ->> 'occurred_to'), first_day(d ->> 'reported_on')),
      coalesce(last_day(d ->> 'occurred_to'), greatest(last_day(d ->> 'occurred_from'), last_day(d ->> 'reported_on'))), '[]'),
    ARRAY(SELECT DISTINCT v ->> 'nationality' FROM jsonb_array_elements(d -> 'victims') AS v WHERE v ->> 'nationality' IS NOT NULL),
    ARRAY(SELECT DISTINCT v ->> 'recruited_via' FROM jsonb_array_elements(d -> 'victims') AS v WHERE v ->> 'recruited_via' <> 'unknown'),
    (d #>> '{demand,amount}')::numeric, d #>> '{demand,currency}',
    CASE WHEN d ->> 'verification' = 'unfounded' OR NEW.life NOT IN ('open', 'investigating', 'located') THEN NULL
      WHEN 'life_at_risk' = ANY (v_conditions) THEN 'life_at_risk'
      WHEN 'detained' = ANY (v_conditions) THEN 'detained' END;
  RETURN NULL;
END $$;
CREATE TRIGGER records_are_incidents AFTER INSERT OR UPDATE OF document, state, life ON records FOR EACH ROW
  WHEN (NEW.kind = 'incident-reports') EXECUTE FUNCTION index_incident();

-- What follows from a report as it stands when the transaction ends, so that whoever is told of it has been told before
-- that it is there.
CREATE FUNCTION follow_incident() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM keep_alarm(r) FROM records r WHERE r.id = NEW.id;
  PERFORM tell_likenesses(NEW.id);
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER incidents_are_followed AFTER INSERT OR UPDATE OF document, state, life, audience, excluded ON records
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind = 'incident-reports') EXECUTE FUNCTION follow_incident();

-- A trigger runs as whoever owns its function, and definer functions are the engine's.
REVOKE ALL ON FUNCTION first_day, last_day, index_incident, follow_incident FROM PUBLIC;
GRANT EXECUTE ON FUNCTION first_day, last_day TO interdesk_engine;
ALTER FUNCTION index_incident OWNER TO interdesk_engine;
ALTER FUNCTION follow_incident OWNER TO interdesk_engine;

SET LOCAL ROLE interdesk_engine;
GRANT EXECUTE ON FUNCTION index_incident, follow_incident TO interdesk_owner;

-- ------------------------------------------------------------------------------------------------------- urgent reports
CREATE FUNCTION incident_deadline(p_urgency text, p_from timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT p_from + CASE p_urgency WHEN 'life_at_risk' THEN interval '1 hour' ELSE interval '24 hours' END
$$;

-- Raises or ends the alarm of a report that the caller of this function holds, and calls every agency that sees it and
-- was not called yet. A report that becomes more urgent raises another alarm; one that becomes less so keeps the one
-- that stands, and who acknowledged need not do it again.
CREATE FUNCTION keep_alarm(p_record records) RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_urgency text := (SELECT i.urgency FROM incidents i WHERE i.record_id = p_record.id);
  v_alarm incident_alarms;
  v_now timestamptz := clock_timestamp();
  v_seeing text[] := '{}';
  v_called text[];
BEGIN
  SELECT * INTO v_alarm FROM incident_alarms WHERE record_id = p_record.id AND ended_at IS NULL;
  IF v_urgency IS NULL AND v_alarm.id IS NULL THEN
    RETURN;
  END IF;
  IF v_urgency IS NULL OR (v_alarm.urgency = 'detained' AND v_urgency = 'life_at_risk') THEN
    UPDATE incident_alarms SET ended_at = v_now WHERE id = v_alarm.id;
    v_alarm := NULL;
  ELSIF v_alarm.urgency <> v_urgency THEN
    UPDATE incident_alarms SET urgency = v_urgency WHERE id = v_alarm.id;
  END IF;
  IF v_urgency IS NOT NULL THEN
    v_seeing := array_remove(agencies_of(p_record.audience, p_record.excluded), p_record.originator);
    IF v_alarm.id IS NULL THEN
      INSERT INTO incident_alarms (id, record_id, urgency, raised_at) VALUES (uuid7(), p_record.id, v_urgency, v_now)
      RETURNING * INTO v_alarm;
      v_called := ARRAY[p_record.originator];
    END IF;
  END IF;
  UPDATE incident_calls SET ended_at = v_now WHERE record_id = p_record.id AND acknowledged_at IS NULL AND ended_at IS NULL
    AND (alarm_id IS DISTINCT FROM v_alarm.id OR NOT agency = ANY (v_seeing));
  WITH called AS (
    INSERT INTO incident_calls AS c (id, alarm_id, record_id, agency, urgency, called_at, due_at)
    SELECT uuid7(), v_alarm.id, p_record.id, a, v_urgency, v_now, incident_deadline(v_urgency, v_now) FROM unnest(v_seeing) AS a
    -- Who saw it no more and sees it again is called again.
    ON CONFLICT (alarm_id, agency) DO UPDATE SET ended_at = NULL, overdue_at = NULL, urgency = excluded.urgency,
      called_at = excluded.called_at, due_at = excluded.due_at WHERE c.ended_at IS NOT NULL
    RETURNING agency
  )
  SELECT v_called || array_agg(agency ORDER BY agency) INTO v_called FROM called;
  IF v_called IS NOT NULL THEN
    PERFORM announce('incident.urgent', p_record.kind, p_record.id, p_record.reference, p_record.version, v_called, '{}');
    INSERT INTO audit_entries (agency, action, outcome, kind, record_ids)
    SELECT a, 'incident.call', 'done', p_record.kind, ARRAY[p_record.id] FROM unnest(v_called) AS a WHERE a <> p_record.originator;
  END IF;
END $$;

-- Calls those who came to see an urgent report by a group, an agreement or as a new agency, and ends the calls on those
-- who ceased to. Changes of a report's own audience are followed at once, by the trigger. How many reports it looked at.
CREATE FUNCTION keep_alarms() RETURNS integer LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
  v_count integer := 0;
BEGIN
  FOR v_record IN
    SELECT r.* FROM incident_alarms a JOIN records r ON r.id = a.record_id
    WHERE a.ended_at IS NULL AND array_to_string(r.audience, ' ') ~ '[:@!]|community'
    ORDER BY r.id FOR NO KEY UPDATE OF r SKIP LOCKED
  LOOP
    PERFORM keep_alarm(v_record);
    v_count := v_count + 1;
  END LOOP;
  RETURN v_count;
END $$;

-- That an urgent report has come to the caller's agency. Outcomes: acknowledged (call_id; also where it was before), lost
-- (it sees the report no more), nothing (the report is not urgent).
CREATE FUNCTION acknowledge_incident(p_id uuid, p_record uuid, p_note text, OUT outcome text, OUT call_id uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
  v_alarm incident_alarms;
  v_now timestamptz := clock_timestamp();
  v_call incident_calls;
BEGIN
  SELECT * INTO v_record FROM records r WHERE r.id = p_record AND r.state = 'current' AND r.originator <> caller_agency()
    AND sees_record(r, caller_agency()) FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    outcome := 'lost';
    RETURN;
  END IF;
  SELECT * INTO v_alarm FROM incident_alarms WHERE record_id = p_record AND ended_at IS NULL;
  IF NOT FOUND THEN
    outcome := 'nothing';
    RETURN;
  END IF;
  outcome := 'acknowledged';
  SELECT c.id INTO call_id FROM incident_calls c
  WHERE c.alarm_id = v_alarm.id AND c.agency = caller_agency() AND c.acknowledged_at IS NOT NULL;
  IF FOUND THEN
    RETURN;
  END IF;
  -- Whoever came to see the report a moment ago may acknowledge before it was called.
  INSERT INTO incident_calls AS c (id, alarm_id, record_id, agency, urgency, called_at, due_at, acknowledged_at, note)
  VALUES (p_id, v_alarm.id, p_record, caller_agency(), v_alarm.urgency, v_now, incident_deadline(v_alarm.urgency, v_now), v_now, p_note)
  ON CONFLICT (alarm_id, agency) DO UPDATE SET acknowledged_at = v_now, note = p_note, ended_at = NULL RETURNING * INTO v_call;
  call_id := v_call.id;
  PERFORM tell_of_call(v_record, v_call, 'incident.acknowledged');
  PERFORM audit('incident.acknowledge', 'done', v_record.kind, ARRAY[p_record], ARRAY[v_record.originator], jsonb_build_object('call', call_id));
END $$;

-- Tells the originator, and the agency that was called.
CREATE FUNCTION tell_of_call(p_record records, p_call incident_calls, p_event text) RETURNS void LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT announce(p_event, p_record.kind, p_record.id, p_record.reference, p_record.version,
    ARRAY[p_record.originator, p_call.agency], p_record.excluded, true, jsonb_build_object('agency', p_call.agency))
$$;

-- Tells originator and agency, once, that an urgent report was not acknowledged in time; how many there were, at most 1000.
CREATE FUNCTION tell_overdue_incident_calls() RETURNS integer LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_call incident_calls;
  v_record records;
  v_count integer := 0;
BEGIN
  FOR v_call IN
    SELECT * FROM incident_calls WHERE acknowledged_at IS NULL AND ended_at IS NULL AND overdue_at IS NULL AND due_at <= clock_timestamp()
    ORDER BY due_at, id LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED
  LOOP
    UPDATE incident_calls SET overdue_at = clock_timestamp() WHERE id = v_call.id;
    v_count := v_count + 1;
    SELECT * INTO v_record FROM records r WHERE r.id = v_call.record_id AND r.state = 'current' AND sees_record(r, v_call.agency);
    CONTINUE WHEN NOT FOUND;
    PERFORM tell_of_call(v_record, v_call, 'incident.overdue');
    INSERT INTO audit_entries (agency, action, outcome, kind, record_ids, detail)
    SELECT a, 'incident.overdue', 'done', v_record.kind, ARRAY[v_record.id], jsonb_build_object('agency', v_call.agency)
    FROM unnest(ARRAY[v_record.originator, v_call.agency]) AS a;
  END LOOP;
  RETURN v_count;
END $$;

-- --------------------------------------------------------------------------------------------- reports of the same matter
-- Kilometres between two places, well enough for places that are near each other; NULL unless both are known.
CREATE FUNCTION kilometres(p_latitude double precision, p_longitude double precision, q_latitude double precision, q_longitude double precision)
RETURNS double precision LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT 12742 * asin(least(1, sqrt(sind((q_latitude - p_latitude) / 2) ^ 2
    + cosd(p_latitude) * cosd(q_latitude) * sind((q_longitude - p_longitude) / 2) ^ 2)))
$$;

-- How two reports' places are alike, if they are.
CREATE FUNCTION likeness_of_places(p incidents, q incidents) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT CASE WHEN k.apart > 25 THEN NULL
    WHEN k.apart <= 2 OR (p.place <> '' AND q.place <> ''
      -- One may say more of the way than the other.
      AND greatest(word_similarity(p.place, q.place), word_similarity(q.place, p.place)) >= 0.8) THEN 'same_place'
    WHEN k.apart <= 25 THEN 'near_place'
    WHEN p.subdivision = q.subdivision AND '' IN (p.place, q.place) THEN 'same_subdivision' END
  FROM (SELECT kilometres(p.latitude, p.longitude, q.latitude, q.longitude) AS apart) AS k
$$;

-- Reports like one, whoever sees them, with how alike they are: in the same country, at places that are alike, in windows
-- that overlap when each is widened by three days. That alone is no sign where many people are held at one place, so they
-- have something else in common too: a nationality, a way of recruiting, an amount (within a tenth).
CREATE FUNCTION likenesses_of(p_record uuid) RETURNS TABLE (other_id uuid, score numeric, reasons text[]) LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT other_id, score, reasons FROM (
    SELECT o.record_id AS other_id, sum(f.weight) AS score, array_agg(f.reason ORDER BY f.n) AS reasons
    FROM incidents i
    JOIN incidents o ON o.country = i.country AND o.record_id <> i.record_id
      AND o.happened && daterange(lower(i.happened) - 3, upper(i.happened) + 3)
    CROSS JOIN LATERAL likeness_of_places(i, o) AS p (places)
    CROSS JOIN LATERAL (VALUES
      (1, p.places, CASE p.places WHEN 'same_place' THEN 0.30 WHEN 'near_place' THEN 0.20 ELSE 0.15 END),
      (2, CASE WHEN greatest(upper(i.happened) - lower(i.happened), upper(o.happened) - lower(o.happened)) <= 31 THEN 'same_days' END, 0.25),
      (3, CASE WHEN greatest(upper(i.happened) - lower(i.happened), upper(o.happened) - lower(o.happened)) > 31 THEN 'same_time' END, 0.10),
      (4, CASE WHEN i.nationalities && o.nationalities THEN 'shared_nationality' END, 0.15),
      (5, CASE WHEN i.recruited_via && o.recruited_via THEN 'shared_recruitment' END, 0.15),
      (6, CASE WHEN i.demand_currency = o.demand_currency
        AND abs(i.demand_amount - o.demand_amount) <= 0.1 * greatest(i.demand_amount, o.demand_amount) THEN 'similar_demand' END, 0.15)
    ) AS f (n, reason, weight)
    WHERE i.record_id = p_record AND p.places IS NOT NULL AND f.reason IS NOT NULL
    GROUP BY o.record_id) AS alike
  WHERE score >= 0.6
$$;

-- Whether an agency may read a record's content now.
CREATE FUNCTION reads_record(p_record records, p_agency text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT p_record.state = 'current' AND sees_record(p_record, p_agency)
    AND (NOT p_record.covered OR p_record.originator = p_agency
      OR EXISTS (SELECT FROM caveat_acknowledgements a WHERE a.record_id = p_record.id AND a.agency = p_agency
        AND a.caveat_hash = sha256(convert_to(p_record.handling ->> 'caveat', 'UTF8'))))
$$;

-- Tells the originators of two reports that are alike, each once and only if it reads the other one. Which one that is
-- the event does not say: sight of it may end.
CREATE FUNCTION tell_likenesses(p_record uuid) RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_pair record;
BEGIN
  FOR v_pair IN
    SELECT p.own, p.other FROM likenesses_of(p_record) AS l
    CROSS JOIN LATERAL (VALUES (p_record, l.other_id), (l.other_id, p_record)) AS p (own, other)
    WHERE NOT EXISTS (SELECT FROM incident_likenesses t WHERE (t.record_id, t.other_id) = (p.own, p.other))
    ORDER BY p.own, p.other
  LOOP
    INSERT INTO incident_likenesses (record_id, other_id)
    SELECT mine.id, theirs.id FROM records mine, records theirs
    WHERE mine.id = v_pair.own AND theirs.id = v_pair.other AND reads_record(theirs, mine.originator)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
      PERFORM announce('incident.likeness_found', r.kind, r.id, r.reference, r.version, ARRAY[r.originator], '{}')
      FROM records r WHERE r.id = v_pair.own;
    END IF;
  END LOOP;
END $$;

-- Reports like one of the caller's own, among those that it reads, at most 50; not those that are merged with it.
CREATE FUNCTION possible_duplicates(p_record uuid)
RETURNS TABLE (id uuid, reference text, originator text, title text, score numeric, reasons text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT o.id, o.reference, o.originator, o.document::jsonb ->> 'title', l.score, l.reasons
  FROM records r CROSS JOIN LATERAL likenesses_of(r.id) AS l
  CROSS JOIN LATERAL (SELECT c.* FROM records c WHERE c.id = l.other_id AND reads_record(c, caller_agency()) OFFSET 0) AS o
  WHERE r.id = p_record AND r.originator = caller_agency()
    AND NOT EXISTS (SELECT FROM record_links k WHERE k.type = 'duplicate_of'
      AND (k.record_id, k.target_id) IN ((r.id, o.id), (o.id, r.id)))
  ORDER BY l.score DESC, o.id DESC LIMIT 50
$$;

-- The report that one was merged into, as far as the caller sees it.
CREATE FUNCTION merged_into(p_record uuid) RETURNS uuid LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT k.target_id FROM record_links k
  JOIN records s ON s.id = k.record_id AND reads_record(s, caller_agency())
  JOIN records t ON t.id = k.target_id AND t.state = 'current' AND sees_record(t, caller_agency())
  WHERE k.record_id = p_record AND k.type = 'duplicate_of' LIMIT 1
$$;

-- Tells who merged two reports or parted them again, and the other's originator if it sees that of the first.
CREATE FUNCTION tell_of_merge(p_record records, p_target uuid, p_event text, p_link uuid) RETURNS void LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT announce(p_event, p_record.kind, p_record.id, p_record.reference, p_record.version,
    ARRAY[p_record.originator] || CASE WHEN reads_record(p_record, t.originator) THEN ARRAY[t.originator] ELSE '{}' END,
    p_record.excluded, true, jsonb_build_object('link', p_link))
  FROM records t WHERE t.id = p_target
$$;

-- Says that another report counts in the place of the caller's own. Outcomes: merged; unknown (none that the caller
-- sees); merged-already, target-merged (as far as the caller sees).
CREATE FUNCTION merge_incident(p_link uuid, p_record uuid, p_target uuid, p_note text, p_at timestamptz, OUT outcome text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
BEGIN
  -- In one order for everybody: of two that are merged into each other at the same moment one comes second.
  PERFORM FROM records r WHERE r.id IN (p_record, p_target) AND r.kind = 'incident-reports' AND r.state = 'current'
    AND sees_record(r, caller_agency()) ORDER BY r.id FOR NO KEY UPDATE;
  SELECT * INTO v_record FROM records WHERE id = p_record AND originator = caller_agency() AND state = 'current';
  IF v_record.id IS NULL OR NOT EXISTS (SELECT FROM records t WHERE t.id = p_target AND t.kind = 'incident-reports'
    AND t.state = 'current' AND sees_record(t, caller_agency()))
  THEN
    outcome := 'unknown';
  ELSIF merged_into(p_record) IS NOT NULL THEN
    outcome := 'merged-already';
  ELSIF merged_into(p_target) IS NOT NULL THEN
    outcome := 'target-merged';
  ELSE
    INSERT INTO record_links (id, record_id, type, target_id, target_kind, note, created_at)
    VALUES (p_link, p_record, 'duplicate_of', p_target, 'incident-reports', p_note, p_at);
    PERFORM tell_of_merge(v_record, p_target, 'incident.merged', p_link);
    PERFORM audit('incident.merge', 'done', v_record.kind, ARRAY[p_record], '{}',
      jsonb_build_object('link', p_link, 'duplicate_of', p_target));
    outcome := 'merged';
  END IF;
END $$;

-- Parts the caller's own report from those it was merged into, as far as the caller sees them. Outcomes: parted, nothing.
CREATE FUNCTION unmerge_incident(p_record uuid, OUT outcome text) LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
  v_link record_links;
BEGIN
  outcome := 'nothing';
  SELECT * INTO v_record FROM records WHERE id = p_record AND originator = caller_agency() AND state = 'current' FOR NO KEY UPDATE;
  FOR v_link IN
    DELETE FROM record_links k USING records t
    WHERE k.record_id = v_record.id AND k.type = 'duplicate_of' AND t.id = k.target_id AND t.state = 'current'
      AND sees_record(t, caller_agency()) RETURNING k.*
  LOOP
    PERFORM tell_of_merge(v_record, v_link.target_id, 'incident.unmerged', v_link.id);
    PERFORM audit('incident.unmerge', 'done', v_record.kind, ARRAY[p_record], '{}',
      jsonb_build_object('link', v_link.id, 'duplicate_of', v_link.target_id));
    outcome := 'parted';
  END LOOP;
END $$;

-- ------------------------------------------------------------------------------------------------------ official figures
-- Outcomes: declared; taken (one of this series and period stands).
CREATE FUNCTION declare_figure(
  p_id uuid, p_series text, p_country text, p_nationality text, p_from text, p_to text, p_value integer, p_source text,
  p_published_on date, p_note text, p_at timestamptz, OUT outcome text
) LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO declared_figures (id, agency, series, country, nationality, period_from, period_to, value, source, published_on, note, created_at)
  VALUES (p_id, caller_agency(), p_series, p_country, p_nationality, p_from, p_to, p_value, p_source, p_published_on, p_note, p_at)
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    outcome := 'taken';
    RETURN;
  END IF;
  PERFORM announce('figure.declared', NULL, NULL, NULL, NULL, ARRAY['community'], '{}', false, jsonb_build_object('figure', p_id));
  PERFORM audit('figure.declare', 'done', NULL, '{}', '{}', jsonb_build_object('figure', p_id));
  outcome := 'declared';
END $$;

-- Outcomes: withdrawn, stale.
CREATE FUNCTION withdraw_figure(p_id uuid, OUT outcome text) LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  UPDATE declared_figures SET withdrawn_at = clock_timestamp() WHERE id = p_id AND agency = caller_agency() AND withdrawn_at IS NULL;
  IF NOT FOUND THEN
    outcome := 'stale';
    RETURN;
  END IF;
  PERFORM announce('figure.withdrawn', NULL, NULL, NULL, NULL, ARRAY['community'], '{}', false, jsonb_build_object('figure', p_id));
  PERFORM audit('figure.withdraw', 'done', NULL, '{}', '{}', jsonb_build_object('figure', p_id));
  outcome := 'withdrawn';
END $$;

REVOKE ALL ON FUNCTION declare_figure, withdraw_figure, incident_deadline, keep_alarm, keep_alarms, acknowledge_incident, tell_of_call, tell_overdue_incident_calls,
  kilometres, likeness_of_places, likenesses_of, reads_record, tell_likenesses, possible_duplicates, merged_into, tell_of_merge,
  merge_incident, unmerge_incident FROM PUBLIC;
GRANT EXECUTE ON FUNCTION declare_figure, withdraw_figure, acknowledge_incident, possible_duplicates, merge_incident, unmerge_incident TO interdesk_api, interdesk_worker;
GRANT EXECUTE ON FUNCTION keep_alarms, tell_overdue_incident_calls TO interdesk_worker;
RESET ROLE;
