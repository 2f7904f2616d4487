-- What happened, for those who have to answer for it (audit) and for those who have to follow it (events).

CREATE TABLE audit_entries (
  id uuid NOT NULL DEFAULT uuid7(),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  agency text,
  client_id text,
  officer text,
  purpose text,
  action text NOT NULL,
  outcome text NOT NULL,
  kind text,
  record_ids uuid[] NOT NULL DEFAULT '{}',
  -- Originators of record_ids, in the same order; empty when every record is the caller's own or none was seen.
  originators text[] NOT NULL DEFAULT '{}',
  request_id text,
  peer inet,
  detail jsonb,
  PRIMARY KEY (id, at),
  CHECK (cardinality(originators) IN (0, cardinality(record_ids)))
) PARTITION BY RANGE (at);
CREATE INDEX audit_entries_by_agency ON audit_entries (agency, at DESC, id DESC);
CREATE INDEX audit_entries_by_originator ON audit_entries USING gin (originators) WHERE originators <> '{}';
-- Entries never fail for want of a month: the default partition catches what no month was made for.
CREATE TABLE audit_entries_other PARTITION OF audit_entries DEFAULT;
-- A partition asked by its own name knows nothing of its parent's policies, and has none: nobody reads it that way.
ALTER TABLE audit_entries_other ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_entries_other FORCE ROW LEVEL SECURITY;

-- Makes the partitions of this month and of p_ahead more; how many it made. What the default partition caught of a month
-- moves into it, or the month could never be made.
CREATE FUNCTION ensure_audit_months(p_ahead integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_month date;
  v_name text;
  v_from timestamptz;
  v_to timestamptz;
  v_made integer := 0;
BEGIN
  FOR v_month IN SELECT generate_series(date_trunc('month', now()), date_trunc('month', now()) + make_interval(months => p_ahead), '1 month') LOOP
    v_name := 'audit_entries_' || to_char(v_month, 'YYYY_MM');
    CONTINUE WHEN to_regclass('public.' || v_name) IS NOT NULL;
    v_from := v_month;
    v_to := v_month + interval '1 month';
    EXECUTE format('CREATE TABLE public.%I (LIKE public.audit_entries INCLUDING ALL)', v_name);
    -- The owner itself sees nothing below a forced policy, and would move nothing without a word.
    ALTER TABLE public.audit_entries_other NO FORCE ROW LEVEL SECURITY;
    EXECUTE format('WITH moved AS (DELETE FROM public.audit_entries_other WHERE at >= $1 AND at < $2 RETURNING *)
      INSERT INTO public.%I SELECT * FROM moved', v_name) USING v_from, v_to;
    ALTER TABLE public.audit_entries_other FORCE ROW LEVEL SECURITY;
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', v_name);
    EXECUTE format('ALTER TABLE public.audit_entries ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', v_name, v_from, v_to);
    v_made := v_made + 1;
  END LOOP;
  RETURN v_made;
END $$;

ALTER TABLE audit_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_entries FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON audit_entries TO interdesk_engine USING (true) WITH CHECK (true);

-- Writes the entry of what the present caller does. Who, from where and why come from the caller's settings, so no
-- call site can forget or forge them.
CREATE FUNCTION audit(
  p_action text, p_outcome text, p_kind text, p_ids uuid[], p_originators text[], p_detail jsonb DEFAULT NULL
) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO audit_entries (agency, client_id, officer, purpose, action, outcome, kind, record_ids, originators, request_id, peer, detail)
  VALUES (
    nullif(current_setting('interdesk.agency', true), ''), nullif(current_setting('interdesk.client', true), ''),
    nullif(current_setting('interdesk.officer', true), ''), nullif(current_setting('interdesk.purpose', true), ''),
    p_action, p_outcome, p_kind, coalesce(p_ids, '{}'),
    CASE WHEN p_originators <@ ARRAY[current_setting('interdesk.agency', true)] THEN '{}' ELSE coalesce(p_originators, '{}') END,
    nullif(current_setting('interdesk.request', true), ''), nullif(current_setting('interdesk.peer', true), '')::inet, p_detail)
$$;

-- A refusal, told apart from what was done because its transaction is gone: the caller, if one was recognised, comes
-- as parameters. The id is the one that was asked for; no originator stands beside it, since an entry about a hidden
-- record must read like one about a record that never was.
CREATE FUNCTION audit_refusal(
  p_agency text, p_client text, p_officer text, p_purpose text, p_action text, p_outcome text, p_kind text, p_id uuid,
  p_request text, p_peer inet, p_detail jsonb
) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO audit_entries (agency, client_id, officer, purpose, action, outcome, kind, record_ids, request_id, peer, detail)
  VALUES (p_agency, p_client, p_officer, p_purpose, p_action, p_outcome, p_kind, array_remove(ARRAY[p_id], NULL), p_request, p_peer, p_detail)
$$;

CREATE POLICY own_entries ON audit_entries FOR SELECT TO interdesk_api, interdesk_worker
  USING (agency = caller_agency() AND (caller_has_role('auditor') OR caller_has_role('agency_admin')));

-- What others did with the caller's records: agency, time, action and id, nothing of the officer or the purpose.
CREATE FUNCTION audit_of_own_records(
  p_before_at timestamptz, p_before_id uuid, p_agency text, p_action text, p_record uuid, p_limit integer
) RETURNS TABLE (id uuid, at timestamptz, agency text, action text, kind text, record_ids uuid[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT e.id, e.at, e.agency, e.action, e.kind,
    (SELECT array_agg(t.rid) FROM unnest(e.record_ids, e.originators) AS t (rid, origin) WHERE t.origin = caller_agency())
  FROM audit_entries e
  WHERE e.originators <> '{}' AND e.originators @> ARRAY[caller_agency()] AND e.outcome = 'done'
    AND e.agency IS DISTINCT FROM caller_agency()
    AND (caller_has_role('auditor') OR caller_has_role('agency_admin'))
    AND (p_before_at IS NULL OR (e.at, e.id) < (p_before_at, p_before_id))
    AND (p_agency IS NULL OR e.agency = p_agency) AND (p_action IS NULL OR e.action = p_action)
    -- One of its own: the other ids of an entry are not for the caller to try.
    AND (p_record IS NULL OR EXISTS (SELECT FROM unnest(e.record_ids, e.originators) AS t (rid, origin)
      WHERE t.rid = p_record AND t.origin = caller_agency()))
  ORDER BY e.at DESC, e.id DESC LIMIT p_limit
$$;

CREATE TABLE events (
  id uuid PRIMARY KEY DEFAULT uuid7(),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  type text NOT NULL,
  kind text,
  record_id uuid,
  reference text,
  version integer,
  -- Fixed when written: the agencies that saw the record then, or 'community' for every member of that day.
  audience text[] NOT NULL,
  excluded text[] NOT NULL DEFAULT '{}',
  -- record.lost must reach those who no longer see the record; everything else is shown only while it is visible.
  while_visible boolean NOT NULL DEFAULT true,
  data jsonb,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  position bigint
);
CREATE UNIQUE INDEX events_by_position ON events (position);
CREATE INDEX events_without_position ON events (xid) WHERE position IS NULL;

CREATE TABLE feed_state (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  last_position bigint NOT NULL DEFAULT 0,
  home text NOT NULL DEFAULT ''
);
INSERT INTO feed_state DEFAULT VALUES;

-- Gives events their final position. A serial number is taken before its commit, so a reader by serial number would
-- pass over a slower writer; here a row waits until every transaction that could still commit before it has ended.
-- A row whose transaction id lies ahead of this cluster's came with a restore, and nothing can come before it.
-- After a restore the positions leap ahead, so that a cursor handed out after the backup was taken skips nothing.
CREATE FUNCTION sequence_events() RETURNS integer LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_home text := (SELECT (SELECT system_identifier FROM pg_control_system()) || ':' || oid FROM pg_database WHERE datname = current_database());
  v_last bigint;
  v_count integer;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('interdesk.sequence_events', 0)) THEN
    RETURN 0;
  END IF;
  IF NOT EXISTS (SELECT FROM events WHERE position IS NULL) THEN
    RETURN 0;
  END IF;
  UPDATE feed_state SET last_position = last_position + CASE WHEN home = v_home THEN 0 WHEN home = '' THEN 0 ELSE 4294967296 END,
    home = v_home RETURNING last_position INTO v_last;
  WITH ready AS (
    SELECT id, row_number() OVER (ORDER BY at, id) AS n FROM (
      SELECT id, at FROM events WHERE position IS NULL
        AND (xid < pg_snapshot_xmin(pg_current_snapshot()) OR xid >= pg_snapshot_xmax(pg_current_snapshot()))
      ORDER BY xid LIMIT 5000) AS batch
  )
  UPDATE events e SET position = v_last + ready.n FROM ready WHERE e.id = ready.id;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  UPDATE feed_state SET last_position = v_last + v_count;
  RETURN v_count;
END $$;

CREATE FUNCTION feed_end(p_after bigint DEFAULT NULL) RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$ SELECT last_position FROM feed_state $$;

CREATE FUNCTION feed_lag() RETURNS TABLE (waiting bigint, seconds double precision) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)::double precision FROM events WHERE position IS NULL
$$;

-- The agencies that an audience reaches now.
CREATE FUNCTION agencies_of(p_audience text[], p_excluded text[]) RETURNS text[] LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF NOT 'community' = ANY (p_audience) AND NOT array_to_string(p_audience, ' ') ~ '[:@!]' THEN
    RETURN ARRAY(SELECT p FROM unnest(p_audience) AS p WHERE NOT p = ANY (p_excluded) ORDER BY p);
  END IF;
  PERFORM hold_principals(p_audience);
  RETURN ARRAY(
    SELECT a.code FROM agencies a WHERE NOT a.hub AND NOT a.code = ANY (p_excluded)
      AND ('community' = ANY (p_audience) OR a.code = ANY (p_audience)
        OR a.code IN (
          -- Only those whom some principal can mean are looked at.
          SELECT substring(p FROM '^[^:@!]+') FROM unnest(p_audience) AS p WHERE p !~ ':'
          UNION ALL
          SELECT m.agency FROM unnest(p_audience) AS p JOIN memberships m
            ON m.group_id = substring(p FROM ':([^@]+)')::uuid AND m.until IS NULL WHERE p ~ ':')
        AND EXISTS (SELECT FROM principals_of(a.code) AS held WHERE held.principal = ANY (p_audience)))
    ORDER BY a.code);
END $$;

-- Writes an event for an audience of principals; the community stays a word, groups become their members of now.
CREATE FUNCTION announce(
  p_type text, p_kind text, p_record uuid, p_reference text, p_version integer, p_audience text[], p_excluded text[],
  p_while_visible boolean DEFAULT true, p_data jsonb DEFAULT NULL
) RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO events (type, kind, record_id, reference, version, audience, excluded, while_visible, data)
  SELECT p_type, p_kind, p_record, p_reference, p_version, a, p_excluded, p_while_visible, p_data
  FROM (SELECT CASE WHEN 'community' = ANY (p_audience) THEN ARRAY['community'] ELSE agencies_of(p_audience, p_excluded) END AS a) AS t
  WHERE cardinality(a) > 0;
END $$;

ALTER TABLE events ENABLE ROW LEVEL SECURITY;
ALTER TABLE events FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON events TO interdesk_engine USING (true) WITH CHECK (true);
CREATE POLICY audience ON events FOR SELECT TO interdesk_api, interdesk_worker USING (
  audience && string_to_array(current_setting('interdesk.event_principals', true), ',')
  AND NOT caller_agency() = ANY (excluded)
  AND at >= nullif(current_setting('interdesk.member_since', true), '')::timestamptz);
ALTER TABLE feed_state ENABLE ROW LEVEL SECURITY;
ALTER TABLE feed_state FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON feed_state TO interdesk_engine USING (true) WITH CHECK (true);
