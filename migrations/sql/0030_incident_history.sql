-- What was known of incident reports at any moment: what is counted of them, as it stood from when to when.

-- A row for each time that something counted of a report changed; one that is retracted has none that stands.
CREATE TABLE incident_history (
  record_id uuid NOT NULL REFERENCES records (id),
  since timestamptz NOT NULL,
  -- The first moment at which it was so no more; NULL while it stands.
  until timestamptz CHECK (until >= since),
  reported_on date NOT NULL,
  country text NOT NULL,
  subdivision text,
  types text[] NOT NULL,
  verification text NOT NULL,
  -- [{nationality, condition}]
  victims jsonb NOT NULL,
  PRIMARY KEY (record_id, since)
);
CREATE UNIQUE INDEX incident_history_standing ON incident_history (record_id) WHERE until IS NULL;

-- Which report was merged into which, from when to when.
CREATE TABLE incident_merges (
  record_id uuid NOT NULL REFERENCES records (id),
  target_id uuid NOT NULL REFERENCES records (id),
  since timestamptz NOT NULL,
  until timestamptz CHECK (until >= since),
  PRIMARY KEY (record_id, target_id, since)
);
CREATE INDEX incident_merges_by_target ON incident_merges (target_id);

-- Since when those have seen a record, without a break, who saw it when it was retracted: its tombstone is granted them
-- by name, from that day on. Of the kinds whose past is counted.
CREATE TABLE former_sights (
  record_id uuid NOT NULL REFERENCES records (id),
  agency text NOT NULL REFERENCES agencies (code),
  since timestamptz NOT NULL,
  PRIMARY KEY (record_id, agency)
);

DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['incident_history', 'incident_merges', 'former_sights'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO interdesk_engine', v_table);
  END LOOP;
END $$;
-- Counted by those who may read the report. A tombstone is not covered any more: what it was is, for whoever never
-- acknowledged its caveat.
CREATE POLICY readers ON incident_history FOR SELECT TO interdesk_api, interdesk_worker USING (EXISTS (
  SELECT FROM records r WHERE r.id = incident_history.record_id
    AND (NOT coalesce(r.handling -> 'codes' ? 'H3', false) OR lies_open(r.id))));
CREATE POLICY both_ends ON incident_merges FOR SELECT TO interdesk_api, interdesk_worker USING (
  EXISTS (SELECT FROM incident_history h WHERE h.record_id = incident_merges.record_id)
  AND EXISTS (SELECT FROM incident_history h WHERE h.record_id = incident_merges.target_id));
GRANT SELECT ON incident_history, incident_merges TO interdesk_api, interdesk_worker;

-- Whether something that was so from p_since to p_until was so at a moment; NULL stands for the present.
CREATE FUNCTION stood_at(p_since timestamptz, p_until timestamptz, p_at timestamptz) RETURNS boolean LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT CASE WHEN p_at IS NULL THEN p_until IS NULL ELSE p_since <= p_at AND coalesce(p_until > p_at, true) END
$$;

-- What is counted of a report.
CREATE FUNCTION counted_sides(p_document jsonb)
RETURNS TABLE (reported_on date, country text, subdivision text, types text[], verification text, victims jsonb) LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT (p_document ->> 'reported_on')::date, p_document ->> 'country', p_document ->> 'subdivision',
    ARRAY(SELECT jsonb_array_elements_text(p_document -> 'types')), p_document ->> 'verification',
    coalesce((SELECT jsonb_agg(jsonb_build_object('nationality', v.victim -> 'nationality', 'condition', v.victim -> 'condition') ORDER BY v.n)
      FROM jsonb_array_elements(p_document -> 'victims') WITH ORDINALITY AS v (victim, n)), '[]')
$$;

-- Records of a kind with the moment since which the caller has seen them without a break, as seen_since() has it for one.
-- An exclusion is not asked for here: whether the caller sees them now is the policies' to say.
CREATE FUNCTION caller_sights(p_kind text) RETURNS TABLE (record_id uuid, since timestamptz) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT s.record_id, min(s.since) FROM (
    SELECT g.record_id, greatest(min(greatest(g.since, p.since)), min(l.at)) AS since
    FROM record_grants g JOIN principals_of(caller_agency()) AS p ON p.principal = g.principal
    JOIN records r ON r.id = g.record_id AND r.kind = p_kind
    LEFT JOIN lifted_exclusions l ON l.record_id = g.record_id AND l.agency = caller_agency()
    GROUP BY g.record_id
    UNION ALL
    SELECT f.record_id, f.since FROM former_sights f WHERE f.agency = caller_agency()) AS s
  GROUP BY s.record_id
$$;

-- Keeps since when those see a record who see it at the moment of its retraction.
CREATE FUNCTION keep_former_sights(p_record records) RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO former_sights (record_id, agency, since)
  SELECT p_record.id, a.agency, greatest(min(greatest(g.since, p.since)), min(l.at))
  FROM unnest(agencies_of(p_record.audience, p_record.excluded)) AS a (agency)
  CROSS JOIN LATERAL principals_of(a.agency) AS p
  JOIN record_grants g ON g.record_id = p_record.id AND g.principal = p.principal
  LEFT JOIN lifted_exclusions l ON l.record_id = p_record.id AND l.agency = a.agency
  GROUP BY a.agency ON CONFLICT DO NOTHING
$$;

-- Counts the reports that the caller may read, under its policies, by one or two of their sides or all together: as they
-- stood at a moment, of those that it has seen since then, or as they stand now (p_at is NULL). One that is merged into
-- another is left out where the other is counted.
CREATE FUNCTION count_incidents(p_by text, p_then text, p_filters jsonb, p_at timestamptz)
RETURNS TABLE (key text, "then" text, reports bigint, confirmed bigint, unfounded bigint, victims bigint) LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  WITH standing AS MATERIALIZED (
    SELECT h.* FROM incident_history h WHERE stood_at(h.since, h.until, p_at)
      AND (p_at IS NULL OR h.record_id IN (SELECT s.record_id FROM caller_sights('incident-reports') AS s WHERE s.since <= p_at))
  ), merged AS MATERIALIZED (
    SELECT m.record_id FROM incident_merges m JOIN standing o ON o.record_id = m.target_id
    WHERE stood_at(m.since, m.until, p_at)
      -- Two agencies that do not see each other's merge can have merged two reports into each other.
      AND NOT (m.record_id < m.target_id AND EXISTS (SELECT FROM incident_merges b
        WHERE (b.record_id, b.target_id) = (m.target_id, m.record_id) AND stood_at(b.since, b.until, p_at)))
  )
  SELECT s.sides ->> p_by, s.sides ->> p_then,
    count(DISTINCT i.record_id) FILTER (WHERE i.verification <> 'unfounded'),
    count(DISTINCT i.record_id) FILTER (WHERE i.verification = 'confirmed'),
    count(DISTINCT i.record_id) FILTER (WHERE i.verification = 'unfounded'),
    count(DISTINCT (i.record_id, v.n)) FILTER (WHERE i.verification <> 'unfounded' AND v.n IS NOT NULL)
  FROM standing i
  LEFT JOIN LATERAL (SELECT a.n, a.victim ->> 'nationality' AS nationality, a.victim ->> 'condition' AS condition
    FROM jsonb_array_elements(i.victims) WITH ORDINALITY AS a (victim, n)) AS v ON true
  CROSS JOIN LATERAL unnest(CASE WHEN 'type' IN (p_by, p_then) THEN i.types ELSE ARRAY[NULL::text] END) AS t (type)
  CROSS JOIN LATERAL (SELECT jsonb_build_object('year', to_char(i.reported_on, 'YYYY'), 'month', to_char(i.reported_on, 'YYYY-MM'),
    'country', i.country, 'subdivision', i.subdivision, 'type', t.type, 'nationality', v.nationality, 'condition', v.condition,
    'verification', i.verification) AS sides) AS s
  WHERE i.record_id NOT IN (SELECT m.record_id FROM merged m)
    AND i.reported_on BETWEEN coalesce((p_filters ->> 'reported_from')::date, '-infinity')
      AND coalesce((p_filters ->> 'reported_to')::date, 'infinity')
    AND i.country = coalesce(p_filters ->> 'country', i.country)
    AND (p_filters ->> 'subdivision' IS NULL OR i.subdivision = p_filters ->> 'subdivision')
    AND (p_filters ->> 'type' IS NULL OR p_filters ->> 'type' = ANY (i.types))
    AND (p_filters ->> 'nationality' IS NULL OR v.nationality = p_filters ->> 'nationality')
    AND (p_filters ->> 'condition' IS NULL OR v.condition = p_filters ->> 'condition')
    AND i.verification = coalesce(p_filters ->> 'verification', i.verification)
  GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 10000
$$;

-- Keeps the history with every way of writing a report. What is purged leaves none, here or in its versions: the one
-- line of each report that stays behind for the published tables says nothing of which report it was.
CREATE FUNCTION keep_incident_history() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_was incident_history;
  v_now record;
  v_at timestamptz;
BEGIN
  SELECT * INTO v_was FROM incident_history WHERE record_id = NEW.id AND until IS NULL;
  -- Two servers' clocks need not agree.
  v_at := greatest(NEW.updated_at, v_was.since);
  IF NEW.state = 'current' THEN
    SELECT * INTO v_now FROM counted_sides(NEW.document::jsonb);
    IF (v_was.reported_on, v_was.country, v_was.subdivision, v_was.types, v_was.verification, v_was.victims)
      IS NOT DISTINCT FROM (v_now.reported_on, v_now.country, v_now.subdivision, v_now.types, v_now.verification, v_now.victims)
    THEN
      RETURN NULL;
    END IF;
  ELSIF NEW.state = 'purged' THEN
    PERFORM keep_residue(NEW.id);
  ELSIF v_was.record_id IS NOT NULL THEN
    PERFORM keep_former_sights(NEW);
  END IF;
  UPDATE incident_history SET until = v_at WHERE record_id = NEW.id AND until IS NULL;
  IF NEW.state = 'current' THEN
    INSERT INTO incident_history (record_id, since, reported_on, country, subdivision, types, verification, victims)
    VALUES (NEW.id, v_at, v_now.reported_on, v_now.country, v_now.subdivision, v_now.types, v_now.verification, v_now.victims)
    ON CONFLICT (record_id, since) DO UPDATE SET until = NULL, reported_on = excluded.reported_on, country = excluded.country,
      subdivision = excluded.subdivision, types = excluded.types, verification = excluded.verification, victims = excluded.victims;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER records_have_been_incidents AFTER INSERT OR UPDATE OF document, state ON records FOR EACH ROW
  WHEN (NEW.kind = 'incident-reports') EXECUTE FUNCTION keep_incident_history();

CREATE FUNCTION keep_incident_merges() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO incident_merges (record_id, target_id, since) VALUES (NEW.record_id, NEW.target_id, NEW.created_at);
  ELSE
    UPDATE incident_merges SET until = greatest(clock_timestamp(), since)
    WHERE record_id = OLD.record_id AND target_id = OLD.target_id AND until IS NULL;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER incidents_are_merged AFTER INSERT ON record_links FOR EACH ROW
  WHEN (NEW.type = 'duplicate_of') EXECUTE FUNCTION keep_incident_merges();
CREATE TRIGGER incidents_are_parted AFTER DELETE ON record_links FOR EACH ROW
  WHEN (OLD.type = 'duplicate_of') EXECUTE FUNCTION keep_incident_merges();

REVOKE ALL ON FUNCTION stood_at, counted_sides, caller_sights, keep_former_sights, count_incidents, keep_incident_history,
  keep_incident_merges FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stood_at, count_incidents TO interdesk_api, interdesk_worker, interdesk_engine;
GRANT EXECUTE ON FUNCTION counted_sides, keep_former_sights TO interdesk_engine;
ALTER FUNCTION caller_sights OWNER TO interdesk_engine;
ALTER FUNCTION keep_incident_history OWNER TO interdesk_engine;
ALTER FUNCTION keep_incident_merges OWNER TO interdesk_engine;

SET LOCAL ROLE interdesk_engine;
GRANT EXECUTE ON FUNCTION keep_incident_history, keep_incident_merges TO interdesk_owner;
GRANT EXECUTE ON FUNCTION caller_sights TO interdesk_api, interdesk_worker;

-- What reports said before this was kept stands in their versions.
INSERT INTO incident_history (record_id, since, until, reported_on, country, subdivision, types, verification, victims)
SELECT v.record_id, v.at, v.until, s.* FROM (
  SELECT v.*, lead(v.at) OVER (PARTITION BY v.record_id ORDER BY v.version) AS until FROM record_versions v
  JOIN records r ON r.id = v.record_id AND r.kind = 'incident-reports') AS v
CROSS JOIN LATERAL counted_sides(v.document::jsonb) AS s WHERE v.document::jsonb ? 'types';
INSERT INTO incident_merges (record_id, target_id, since)
SELECT k.record_id, k.target_id, k.created_at FROM record_links k WHERE k.type = 'duplicate_of';
RESET ROLE;
