-- What came of joint operations, counted over those that the caller sees.

CREATE INDEX records_completed_operations ON records (id) WHERE kind = 'joint-operations' AND life = 'completed';

SET LOCAL ROLE interdesk_engine;

-- Results of completed operations, one number in a row. The function is the caller's own, under its policies; what lies
-- under a caveat that its agency has yet to acknowledge is not counted, like all of that content. p_by: year (in which the
-- window began, UTC), country, crime_type; an operation against several crimes counts for each of them, and once in the
-- rows with `whole`. measure: operations; arrested, rescued (category: nationality); seized (category: kind, as many as
-- were counted); value (category: kind, and the currency).
CREATE FUNCTION operation_results(p_by text, p_year integer, p_country text, p_crime_type text)
RETURNS TABLE (whole boolean, key text, measure text, category text, currency text, amount numeric) LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  WITH completed AS MATERIALIZED (
    SELECT r.id, o.year, o.country, o.crime_types, o.outcome
    FROM records r
    CROSS JOIN LATERAL (SELECT r.shared_document::jsonb AS document) AS d
    CROSS JOIN LATERAL (SELECT
      extract(year FROM (d.document #>> '{window,starts_at}')::timestamptz AT TIME ZONE 'UTC')::integer AS year,
      d.document #>> '{area,country}' AS country,
      ARRAY(SELECT jsonb_array_elements_text(d.document -> 'crime_types')) AS crime_types,
      d.document -> 'outcome' AS outcome) AS o
    WHERE r.kind = 'joint-operations' AND r.life = 'completed' AND r.state = 'current' AND (NOT r.covered OR lies_open(r.id))
      AND (p_year IS NULL OR o.year = p_year) AND (p_country IS NULL OR o.country = p_country)
      AND (p_crime_type IS NULL OR p_crime_type = ANY (o.crime_types))
  ), keyed AS (
    SELECT true AS whole, NULL AS key, c.id, c.outcome FROM completed c
    UNION ALL
    SELECT false, k.key, c.id, c.outcome FROM completed c CROSS JOIN LATERAL unnest(CASE p_by
      WHEN 'year' THEN ARRAY[c.year::text] WHEN 'country' THEN ARRAY[c.country]
      WHEN 'crime_type' THEN CASE WHEN c.crime_types = '{}' THEN ARRAY[NULL] ELSE c.crime_types END END) AS k (key)
  ), measured AS (
    SELECT k.whole, k.key, 'operations' AS measure, NULL AS category, NULL AS currency, 1::numeric AS amount FROM keyed k
    UNION ALL
    SELECT k.whole, k.key, m.measure, p ->> 'nationality', NULL, (p ->> 'count')::numeric
    FROM keyed k CROSS JOIN (VALUES ('arrested'), ('rescued')) AS m (measure)
    CROSS JOIN LATERAL jsonb_array_elements(nullif(k.outcome, 'null') -> m.measure) AS p
    UNION ALL
    SELECT k.whole, k.key, 'seized', s ->> 'kind', NULL, (s ->> 'quantity')::numeric
    FROM keyed k CROSS JOIN LATERAL jsonb_array_elements(nullif(k.outcome, 'null') -> 'seized') AS s
    WHERE s ->> 'quantity' IS NOT NULL
    UNION ALL
    SELECT k.whole, k.key, 'value', s ->> 'kind', s #>> '{value,currency}', (s #>> '{value,amount}')::numeric
    FROM keyed k CROSS JOIN LATERAL jsonb_array_elements(nullif(k.outcome, 'null') -> 'seized') AS s
    WHERE s #>> '{value,amount}' IS NOT NULL
  )
  SELECT m.whole, m.key, m.measure, m.category, m.currency, sum(m.amount) FROM measured m
  GROUP BY m.whole, m.key, m.measure, m.category, m.currency
  ORDER BY m.whole DESC, m.key NULLS LAST, m.measure, m.category NULLS LAST, m.currency
$$;

REVOKE ALL ON FUNCTION operation_results FROM PUBLIC;
GRANT EXECUTE ON FUNCTION operation_results TO interdesk_api, interdesk_worker;
RESET ROLE;
