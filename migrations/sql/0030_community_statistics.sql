-- Tables over all incident reports, for every agency alike: published by the worker, rounded, and never changed.

-- What is left of reports that were purged: how they were counted, and nothing of which reports they were.
CREATE TABLE incident_residues (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  month text NOT NULL,
  country text NOT NULL,
  subdivision text,
  type text NOT NULL,
  nationality text,
  condition text,
  verification text NOT NULL
);

-- A moment as of which tables were published.
CREATE TABLE statistics_publications (
  as_of timestamptz PRIMARY KEY,
  published_at timestamptz NOT NULL CHECK (published_at >= as_of)
);

CREATE TABLE published_statistics (
  as_of timestamptz NOT NULL REFERENCES statistics_publications (as_of),
  -- The year in which the reports were reported.
  period text NOT NULL,
  "table" text NOT NULL,
  -- [{key, then, reports}]
  cells jsonb NOT NULL,
  -- The publication for which the period was counted, from which the later ones have it.
  counted_at timestamptz NOT NULL,
  PRIMARY KEY (as_of, period, "table")
);

-- Where rounding begins in each period, and the order in which cells are rounded, follow from this; whoever knew it
-- could undo a part of it.
CREATE TABLE statistics_secret (
  key bytea PRIMARY KEY
);
INSERT INTO statistics_secret (key) SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['incident_residues', 'statistics_publications', 'published_statistics', 'statistics_secret'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
    -- What is published stays as it is: there is no right to change it.
    EXECUTE format('GRANT SELECT, INSERT ON %I TO interdesk_engine', v_table);
  END LOOP;
END $$;
CREATE POLICY everybody ON statistics_publications FOR SELECT TO interdesk_api, interdesk_worker USING (caller_agency() IS NOT NULL);
CREATE POLICY everybody ON published_statistics FOR SELECT TO interdesk_api, interdesk_worker USING (caller_agency() IS NOT NULL);
GRANT SELECT ON statistics_publications TO interdesk_api, interdesk_worker;
GRANT SELECT (as_of, period, "table", cells) ON published_statistics TO interdesk_api, interdesk_worker;

SET LOCAL ROLE interdesk_engine;

-- Reports as they are counted for everybody, each once on every side: the crime it names first, `several` for victims of
-- several nationalities, and of their conditions the gravest.
CREATE FUNCTION incident_facts(p_at timestamptz)
RETURNS TABLE (record_id uuid, month text, country text, subdivision text, type text, nationality text, condition text, verification text)
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT h.record_id, to_char(h.reported_on, 'YYYY-MM'), h.country, h.subdivision, h.types[1],
    CASE count(DISTINCT v ->> 'nationality') WHEN 0 THEN NULL WHEN 1 THEN min(v ->> 'nationality') ELSE 'several' END,
    (ARRAY['deceased', 'life_at_risk', 'detained', 'missing', 'injured', 'unknown', 'safe'])[min(array_position(
      ARRAY['deceased', 'life_at_risk', 'detained', 'missing', 'injured', 'unknown', 'safe'], v ->> 'condition'))],
    h.verification
  FROM incident_history h LEFT JOIN LATERAL jsonb_array_elements(h.victims) AS v ON true
  WHERE stood_at(h.since, h.until, p_at) AND NOT EXISTS (
    SELECT FROM incident_merges m JOIN incident_history o ON o.record_id = m.target_id AND stood_at(o.since, o.until, p_at)
    WHERE m.record_id = h.record_id AND stood_at(m.since, m.until, p_at)
      -- Two agencies that do not see each other's merge can have merged two reports into each other.
      AND NOT (m.record_id < m.target_id AND EXISTS (SELECT FROM incident_merges b
        WHERE (b.record_id, b.target_id) = (m.target_id, m.record_id) AND stood_at(b.since, b.until, p_at))))
  GROUP BY h.record_id, h.since
$$;

-- Keeps of a report that is being purged how it counts, unless another counts in its place or will from now on.
CREATE FUNCTION keep_residue(p_record uuid) RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO incident_residues (month, country, subdivision, type, nationality, condition, verification)
  SELECT f.month, f.country, f.subdivision, f.type, f.nationality, f.condition, f.verification
  FROM incident_facts(NULL) AS f
  WHERE f.record_id = p_record AND NOT EXISTS (SELECT FROM incident_merges m JOIN incident_history o ON o.record_id = m.record_id
    WHERE m.target_id = p_record AND m.until IS NULL AND o.until IS NULL)
$$;

-- A number that nobody can foresee without the secret, always the same for a label.
CREATE FUNCTION secret_number(p_label text) RETURNS bytea LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT sha256(key || convert_to(p_label, 'UTF8')) FROM statistics_secret
$$;

-- In how many reports of each period something counted changed from one moment to another.
CREATE FUNCTION changed_incidents(p_from timestamptz, p_to timestamptz) RETURNS TABLE (period text, reports bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT left(m.month, 4), count(DISTINCT coalesce(a.record_id, b.record_id))
  FROM incident_facts(p_from) AS a FULL JOIN incident_facts(p_to) AS b ON b.record_id = a.record_id
  CROSS JOIN LATERAL unnest(ARRAY[a.month, b.month]) AS m (month)
  WHERE a IS DISTINCT FROM b AND m.month IS NOT NULL GROUP BY 1
$$;

-- The tables of one period, rounded. Cells stand in a row, in a secret order, and every fifth report counts for five,
-- from a secret one on: so every number is a multiple of five and at most four away from the truth, and the cells of each
-- table come to the same sum.
CREATE FUNCTION rounded_incidents(p_period text, p_at timestamptz) RETURNS TABLE ("table" text, cells jsonb)
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  WITH facts AS (
    SELECT * FROM incident_facts(p_at) AS f WHERE left(f.month, 4) = p_period
    UNION ALL
    SELECT NULL, r.month, r.country, r.subdivision, r.type, r.nationality, r.condition, r.verification
    FROM incident_residues r WHERE left(r.month, 4) = p_period
  ), counted AS (
    SELECT t."table", f.verification = 'unfounded' AS unfounded, t.wide, t.narrow, count(*) AS reports
    FROM facts f CROSS JOIN LATERAL (VALUES ('month', NULL, f.month), ('country', f.country, f.subdivision), ('type', NULL, f.type),
      ('nationality', NULL, f.nationality), ('condition', NULL, f.condition), ('verification', NULL, f.verification)) AS t ("table", wide, narrow)
    -- Unfounded ones are no part of the sum: their number stands apart.
    WHERE f.verification <> 'unfounded' OR t."table" = 'verification'
    GROUP BY 1, 2, 3, 4
  ), placed AS (
    SELECT c.*, o.start + sum(c.reports) OVER (PARTITION BY c."table", c.unfounded
      ORDER BY secret_number(concat_ws('/', p_period, c."table", c.wide)), secret_number(concat_ws('/', p_period, c."table", c.wide, c.narrow)),
        c.narrow NULLS FIRST ROWS UNBOUNDED PRECEDING) AS until
    FROM counted c CROSS JOIN LATERAL (SELECT get_byte(secret_number(p_period || CASE WHEN c.unfounded THEN '/unfounded' ELSE '' END), 0) % 5 AS start) AS o
  ), rounded AS (
    SELECT p."table", p.unfounded, p.wide, p.narrow, (5 * (floor(p.until / 5) - floor((p.until - p.reports) / 5)))::bigint AS reports FROM placed p
  ), shown AS (
    SELECT r."table", NULL AS key, r.narrow AS "then", r.reports FROM rounded r WHERE r."table" NOT IN ('month', 'country')
    UNION ALL SELECT 'month', r.narrow, NULL, r.reports FROM rounded r WHERE r."table" = 'month'
    UNION ALL SELECT 'subdivision', NULL, r.narrow, r.reports FROM rounded r WHERE r."table" = 'country' AND r.narrow IS NOT NULL
    UNION ALL SELECT 'country', NULL, r.wide, sum(r.reports) FROM rounded r WHERE r."table" = 'country' GROUP BY r.wide
    UNION ALL SELECT 'year', NULL, NULL, sum(r.reports) FROM rounded r WHERE r."table" = 'country'
  )
  SELECT t."table", coalesce(jsonb_agg(jsonb_build_object('key', coalesce(s.key, p_period), 'then', s."then", 'reports', s.reports)
    ORDER BY s.key COLLATE "C", s."then" COLLATE "C" NULLS FIRST) FILTER (WHERE s.reports > 0), '[]')
  FROM unnest(ARRAY['year', 'month', 'country', 'subdivision', 'type', 'nationality', 'condition', 'verification']) AS t ("table")
  LEFT JOIN shown s ON s."table" = t."table" GROUP BY 1
$$;

-- Publishes the tables as of a moment that has passed, once; false where that or a later moment is published. A period in
-- which fewer than five reports changed since it was counted last keeps its tables.
CREATE FUNCTION publish_statistics(p_at timestamptz) RETURNS boolean LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_former timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('interdesk.publish_statistics', 0));
  v_former := (SELECT max(as_of) FROM statistics_publications);
  IF v_former >= p_at THEN
    RETURN false;
  END IF;
  INSERT INTO statistics_publications (as_of, published_at) VALUES (p_at, clock_timestamp());
  INSERT INTO published_statistics (as_of, period, "table", cells, counted_at)
  WITH changed AS MATERIALIZED (
    SELECT f.counted_at, c.period FROM (SELECT DISTINCT s.counted_at FROM published_statistics s WHERE s.as_of = v_former) AS f
    CROSS JOIN LATERAL changed_incidents(f.counted_at, p_at) AS c WHERE c.reports >= 5
  ), kept AS (
    SELECT s.* FROM published_statistics s
    WHERE s.as_of = v_former AND NOT EXISTS (SELECT FROM changed c WHERE (c.period, c.counted_at) = (s.period, s.counted_at))
  ), counted AS (
    SELECT DISTINCT left(f.month, 4) AS period FROM (
      SELECT month FROM incident_facts(p_at) UNION ALL SELECT month FROM incident_residues) AS f
    EXCEPT SELECT period FROM kept
  )
  SELECT p_at, k.period, k."table", k.cells, k.counted_at FROM kept k
  UNION ALL
  SELECT p_at, c.period, r."table", r.cells, p_at FROM counted c CROSS JOIN LATERAL rounded_incidents(c.period, p_at) AS r;
  PERFORM announce('statistics.published', NULL, NULL, NULL, NULL, ARRAY['community'], '{}', false, jsonb_build_object('as_of', utc_text(p_at)));
  PERFORM audit('statistics.publish', 'done', NULL, '{}', '{}', jsonb_build_object('as_of', utc_text(p_at)));
  RETURN true;
END $$;

-- Publishes as of the end of the last month, UTC, and of the months before it for which nobody did, up to a year back.
-- How many there were.
CREATE FUNCTION publish_due_statistics() RETURNS integer LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_month timestamp := date_trunc('month', utc_today()::timestamp);
  v_at timestamptz;
  v_count integer := 0;
BEGIN
  FOREACH v_at IN ARRAY ARRAY(
    SELECT m AT TIME ZONE 'UTC' - interval '1 microsecond' FROM generate_series(v_month - interval '11 months', v_month, interval '1 month') AS m)
  LOOP
    CONTINUE WHEN NOT EXISTS (SELECT FROM incident_history WHERE since <= v_at);
    v_count := v_count + publish_statistics(v_at)::integer;
  END LOOP;
  RETURN v_count;
END $$;

REVOKE ALL ON FUNCTION incident_facts, keep_residue, secret_number, changed_incidents, rounded_incidents, publish_statistics,
  publish_due_statistics FROM PUBLIC;
GRANT EXECUTE ON FUNCTION publish_statistics, publish_due_statistics TO interdesk_worker;
RESET ROLE;
