-- What was known of repatriation requests at any moment: their state, and what is counted of them, from when to when.

CREATE TABLE repatriation_history (
  record_id uuid NOT NULL REFERENCES records (id),
  since timestamptz NOT NULL,
  -- The first moment at which it was so no more; NULL while it stands.
  until timestamptz CHECK (until >= since),
  state text NOT NULL,
  category text NOT NULL,
  legal_act text NOT NULL,
  from_country text NOT NULL,
  to_country text NOT NULL,
  priority text NOT NULL,
  PRIMARY KEY (record_id, since)
);
CREATE UNIQUE INDEX repatriation_history_standing ON repatriation_history (record_id) WHERE until IS NULL;
ALTER TABLE repatriation_history ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON repatriation_history TO interdesk_engine USING (true) WITH CHECK (true);
CREATE POLICY readers ON repatriation_history FOR SELECT TO interdesk_api, interdesk_worker USING (EXISTS (
  SELECT FROM records r WHERE r.id = repatriation_history.record_id
    AND (NOT coalesce(r.handling -> 'codes' ? 'H3', false) OR lies_open(r.id))));
GRANT SELECT, INSERT, UPDATE, DELETE ON repatriation_history TO interdesk_engine;
GRANT SELECT ON repatriation_history TO interdesk_api, interdesk_worker;

CREATE FUNCTION keep_repatriation_history() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  d jsonb := NEW.document;
  v_was repatriation_history;
  v_at timestamptz;
BEGIN
  SELECT * INTO v_was FROM repatriation_history WHERE record_id = NEW.id AND until IS NULL;
  v_at := greatest(NEW.updated_at, v_was.since);
  IF NEW.state = 'current' AND (v_was.state, v_was.category, v_was.legal_act, v_was.from_country, v_was.to_country, v_was.priority)
    IS NOT DISTINCT FROM (NEW.life, d ->> 'category', d ->> 'legal_act', d ->> 'from_country', d ->> 'to_country', d ->> 'priority')
  THEN
    RETURN NULL;
  ELSIF NEW.state = 'retracted' AND v_was.record_id IS NOT NULL THEN
    PERFORM keep_former_sights(NEW);
  END IF;
  UPDATE repatriation_history SET until = v_at WHERE record_id = NEW.id AND until IS NULL;
  IF NEW.state = 'current' THEN
    INSERT INTO repatriation_history (record_id, since, state, category, legal_act, from_country, to_country, priority)
    VALUES (NEW.id, v_at, NEW.life, d ->> 'category', d ->> 'legal_act', d ->> 'from_country', d ->> 'to_country', d ->> 'priority')
    ON CONFLICT (record_id, since) DO UPDATE SET until = NULL, state = excluded.state, category = excluded.category,
      legal_act = excluded.legal_act, from_country = excluded.from_country, to_country = excluded.to_country, priority = excluded.priority;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER repatriations_have_been AFTER INSERT OR UPDATE OF document, state, life ON records FOR EACH ROW
  WHEN (NEW.kind = 'repatriation-requests') EXECUTE FUNCTION keep_repatriation_history();

-- The requests that the caller may read, each with what it was at a moment (NULL: now), and with the stays that it made
-- in its states by then, in order, as far as the caller has seen them. Time on hold counts for none of them and stands
-- apart; a request that goes on from where it was has not left that state. `reached` is the state after it; NULL where it
-- is there still.
CREATE FUNCTION repatriation_stays(p_filters jsonb, p_at timestamptz)
RETURNS TABLE (record_id uuid, now_in text, category text, legal_act text, from_country text, to_country text, priority text,
  number bigint, state text, reached text, since timestamptz, until timestamptz, days numeric, held numeric)
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  WITH seen AS MATERIALIZED (
    SELECT h.*, CASE WHEN h.until <= coalesce(p_at, 'infinity') THEN h.until END AS ended,
      count(*) FILTER (WHERE h.state <> 'on_hold') OVER w AS lane
    FROM repatriation_history h JOIN caller_sights('repatriation-requests') AS s ON s.record_id = h.record_id
    WHERE h.since <= coalesce(p_at, 'infinity') AND s.since <= coalesce(p_at, 'infinity') AND coalesce(h.until > s.since, true)
    WINDOW w AS (PARTITION BY h.record_id ORDER BY h.since)
  ), standing AS (
    SELECT n.* FROM seen n WHERE stood_at(n.since, n.until, p_at)
      AND n.category = coalesce(p_filters ->> 'category', n.category) AND n.legal_act = coalesce(p_filters ->> 'legal_act', n.legal_act)
      AND n.from_country = coalesce(p_filters ->> 'from_country', n.from_country)
      AND n.to_country = coalesce(p_filters ->> 'to_country', n.to_country)
  ), laned AS (
    SELECT s.*, first_value(s.state) OVER (PARTITION BY s.record_id, s.lane ORDER BY s.since) AS staying FROM seen s
  ), turned AS (
    SELECT l.*, (l.staying IS DISTINCT FROM lag(l.staying) OVER (PARTITION BY l.record_id ORDER BY l.since))::integer AS turn FROM laned l
  ), numbered AS (
    SELECT t.*, sum(t.turn) OVER (PARTITION BY t.record_id ORDER BY t.since) AS stay FROM turned t
  ), stays AS (
    SELECT n.record_id, n.stay, min(n.staying) AS state, min(n.since) AS since, max(n.ended) AS until, bool_or(n.ended IS NULL) AS lasts,
      coalesce(sum(extract(epoch FROM n.ended - n.since)) FILTER (WHERE n.state <> 'on_hold'), 0) / 86400 AS days,
      coalesce(sum(extract(epoch FROM n.ended - n.since)) FILTER (WHERE n.state = 'on_hold'), 0) / 86400 AS held
    FROM numbered n GROUP BY n.record_id, n.stay
  ), linked AS (
    SELECT y.*, lead(y.state) OVER (PARTITION BY y.record_id ORDER BY y.stay) AS reached,
      min(y.since) FILTER (WHERE y.state = 'submitted') OVER (PARTITION BY y.record_id) AS submitted_at
    FROM stays y
  )
  SELECT c.record_id, c.state, c.category, c.legal_act, c.from_country, c.to_country, c.priority,
    k.stay, k.state, k.reached, k.since, CASE WHEN NOT k.lasts THEN k.until END, k.days, k.held
  FROM standing c JOIN linked k ON k.record_id = c.record_id
  WHERE (p_filters ->> 'since' IS NULL OR (k.submitted_at AT TIME ZONE 'UTC')::date >= (p_filters ->> 'since')::date)
    AND (p_filters ->> 'until' IS NULL OR (k.submitted_at AT TIME ZONE 'UTC')::date <= (p_filters ->> 'until')::date)
$$;

-- How many requests there are, by one of their sides or all together, and what became of them.
CREATE FUNCTION count_repatriations(p_by text, p_filters jsonb, p_at timestamptz)
RETURNS TABLE (key text, requests bigint, under_way bigint, on_hold bigint, handed_over bigint, declined bigint, withdrawn bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT CASE p_by WHEN 'state' THEN s.now_in WHEN 'category' THEN s.category WHEN 'legal_act' THEN s.legal_act
      WHEN 'priority' THEN s.priority WHEN 'countries' THEN s.from_country || '>' || s.to_country END,
    count(*), count(*) FILTER (WHERE s.now_in IN ('submitted', 'acknowledged', 'accepted', 'cleared', 'scheduled', 'in_transit')),
    count(*) FILTER (WHERE s.now_in = 'on_hold'), count(*) FILTER (WHERE s.now_in IN ('handed_over', 'closed')),
    count(*) FILTER (WHERE s.now_in = 'declined'), count(*) FILTER (WHERE s.now_in = 'withdrawn')
  FROM (SELECT DISTINCT t.record_id, t.now_in, t.category, t.legal_act, t.from_country, t.to_country, t.priority
    FROM repatriation_stays(p_filters, p_at) AS t) AS s
  GROUP BY 1 ORDER BY 1 LIMIT 10000
$$;

-- The days that steps took which have been taken, and what of it was on hold: how many, their median and their 90th
-- percentile, interpolated between two neighbours (percentile_cont). The whole way, from the first submission to the last
-- handover, has no states.
CREATE FUNCTION repatriation_days(p_filters jsonb, p_at timestamptz)
RETURNS TABLE (from_state text, to_state text, number bigint, median_days numeric, p90_days numeric, held bigint, held_median_days numeric,
  held_p90_days numeric)
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  WITH stays AS MATERIALIZED (SELECT * FROM repatriation_stays(p_filters, p_at)), ends AS (
    SELECT s.record_id, min(s.number) FILTER (WHERE s.state = 'submitted') AS first, max(s.number) FILTER (WHERE s.state = 'handed_over') AS last
    FROM stays s GROUP BY s.record_id
  ), taken AS (
    SELECT s.state AS from_state, s.reached AS to_state, s.days, s.held FROM stays s WHERE s.reached IS NOT NULL
    UNION ALL
    SELECT NULL, NULL, sum(s.days), sum(s.held) FROM stays s JOIN ends e ON e.record_id = s.record_id
    WHERE s.number >= e.first AND s.number < e.last GROUP BY s.record_id
  )
  SELECT t.from_state, t.to_state, count(*),
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY t.days::double precision)::numeric, 2),
    round(percentile_cont(0.9) WITHIN GROUP (ORDER BY t.days::double precision)::numeric, 2),
    count(*) FILTER (WHERE t.held > 0),
    round((percentile_cont(0.5) WITHIN GROUP (ORDER BY t.held::double precision) FILTER (WHERE t.held > 0))::numeric, 2),
    round((percentile_cont(0.9) WITHIN GROUP (ORDER BY t.held::double precision) FILTER (WHERE t.held > 0))::numeric, 2)
  FROM taken t GROUP BY 1, 2 ORDER BY 1, 2
$$;

REVOKE ALL ON FUNCTION keep_repatriation_history, repatriation_stays, count_repatriations, repatriation_days FROM PUBLIC;
GRANT EXECUTE ON FUNCTION repatriation_stays, count_repatriations, repatriation_days TO interdesk_api, interdesk_worker;
ALTER FUNCTION keep_repatriation_history OWNER TO interdesk_engine;
SET LOCAL ROLE interdesk_engine;
GRANT EXECUTE ON FUNCTION keep_repatriation_history TO interdesk_owner;

-- What requests were before this was kept stands in their versions.
INSERT INTO repatriation_history (record_id, since, until, state, category, legal_act, from_country, to_country, priority)
SELECT v.record_id, v.at, v.until, d ->> 'state', d ->> 'category', d ->> 'legal_act', d ->> 'from_country', d ->> 'to_country', d ->> 'priority'
FROM (
  SELECT v.record_id, v.at, v.document::jsonb AS d, lead(v.at) OVER (PARTITION BY v.record_id ORDER BY v.version) AS until FROM record_versions v
  JOIN records r ON r.id = v.record_id AND r.kind = 'repatriation-requests') AS v WHERE d ? 'category';
RESET ROLE;
