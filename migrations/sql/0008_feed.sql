-- The feed in its final form: the order of events, who receives them, and a page of them.
--
-- A row gets its position from the one sequencer once it is committed, so a position alone orders what readers see and
-- no transaction, however slow, can commit behind their backs. `arrival` puts what waits in causal order: of two
-- changes of one record the second took its number after the first had committed.

ALTER TABLE events DROP COLUMN xid;
ALTER TABLE events ADD COLUMN arrival bigint GENERATED ALWAYS AS IDENTITY;
CREATE INDEX events_waiting ON events (arrival) WHERE position IS NULL;

-- One row per event and receiver, so that a page costs what the caller reads and not what the hub did meanwhile.
CREATE TABLE event_receivers (
  receiver text NOT NULL,
  position bigint NOT NULL,
  PRIMARY KEY (receiver, position)
);

-- The transaction that last wrote the row. A restored row was written by another one, however it was restored.
ALTER TABLE feed_state ADD COLUMN written_by xid8;

ALTER TABLE event_receivers ENABLE ROW LEVEL SECURITY;
ALTER TABLE event_receivers FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON event_receivers TO interdesk_engine USING (true) WITH CHECK (true);
CREATE POLICY own ON event_receivers FOR SELECT TO interdesk_api, interdesk_worker USING (
  receiver = ANY (string_to_array(current_setting('interdesk.event_principals', true), ',')));
GRANT SELECT, INSERT, UPDATE, DELETE ON event_receivers TO interdesk_engine;
GRANT SELECT ON event_receivers TO interdesk_api, interdesk_worker;

-- Whether the caller sees a meeting. In PL/pgSQL, which looks for tables when it is called: this one is made later.
CREATE FUNCTION knows_meeting(p_meeting uuid) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN EXISTS (SELECT FROM meetings WHERE id = p_meeting
    AND audience && string_to_array(current_setting('interdesk.principals', true), ','));
END $$;
-- The same for a transport.
CREATE FUNCTION knows_transport(p_transport uuid) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN EXISTS (SELECT FROM transports WHERE id = p_transport
    AND audience && string_to_array(current_setting('interdesk.principals', true), ','));
END $$;
REVOKE ALL ON FUNCTION knows_meeting, knows_transport FROM PUBLIC;
ALTER FUNCTION knows_meeting OWNER TO interdesk_engine;
ALTER FUNCTION knows_transport OWNER TO interdesk_engine;

-- An event is shown only while what it tells of is visible, by the policies of records, groups and agreements. A sub-select with
-- one value is looked up row by row; an EXISTS might be planned as a join with every record there is.
DROP POLICY audience ON events;
CREATE POLICY receivers ON events FOR SELECT TO interdesk_api, interdesk_worker USING (
  audience && string_to_array(current_setting('interdesk.event_principals', true), ',')
  AND NOT caller_agency() = ANY (excluded)
  AND at >= nullif(current_setting('interdesk.member_since', true), '')::timestamptz
  AND CASE
    WHEN NOT while_visible OR record_id IS NULL THEN true
    WHEN kind = 'groups' THEN (SELECT true FROM groups g WHERE g.id = record_id) IS TRUE
    WHEN kind = 'agreements' THEN knows_agreement(record_id)
    WHEN kind = 'meetings' THEN knows_meeting(record_id)
    WHEN kind = 'transports' THEN knows_transport(record_id)
    ELSE (SELECT true FROM records r WHERE r.id = record_id) IS TRUE END);

-- The page is the caller's own, under its policies; one list per receiver keeps each in the order of its index.
CREATE OR REPLACE FUNCTION page_of_events(p_after bigint, p_types text[], p_kinds text[], p_limit integer)
RETURNS TABLE (id uuid, at timestamptz, type text, kind text, record_id uuid, reference text, version integer, data jsonb, "position" bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT p.* FROM unnest(string_to_array(current_setting('interdesk.event_principals', true), ',')) AS me (receiver)
  CROSS JOIN LATERAL (
    SELECT e.id, e.at, e.type, e.kind, e.record_id, e.reference, e.version, e.data, e.position
    FROM event_receivers r JOIN events e ON e.position = r.position
    WHERE r.receiver = me.receiver AND r.position > p_after
      AND (p_types IS NULL OR e.type = ANY (p_types))
      AND (e.kind IS NULL OR e.kind = ANY (p_kinds))
    ORDER BY r.position LIMIT p_limit) AS p
  ORDER BY p.position LIMIT p_limit
$$;

-- One page of the feed with sign-in, permission and audit entry, in one call. p_request: client, jti, issued (epoch
-- seconds), peer, request, officer, purpose, roles, kinds ({kind: roles that may read it}), types, limit, after (a
-- position; null asks for the end), agency (whose cursor it is; null without one).
-- Outcomes: ok, forbidden, those of enter(); cursor: another agency's, ahead: of a feed that was set back since.
CREATE FUNCTION list_events(p_request jsonb)
RETURNS TABLE (outcome text, agency text, items jsonb, more boolean, "end" bigint) LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  q record;
  e record;
  v_kinds text[];
BEGIN
  SELECT * INTO q FROM jsonb_to_record(p_request) AS x (client text, jti uuid, issued double precision, peer inet, request text,
    officer text, purpose text, roles text[], kinds jsonb, types text[], "limit" integer, after bigint, agency text);
  SELECT * INTO e FROM enter(q.client, q.jti, to_timestamp(q.issued), q.peer, q.request, q.officer, q.purpose);
  -- Read before the page: what is placed between the two is shown now and again, never passed over.
  "end" := feed_end(q.after);
  agency := e.agency;
  outcome := CASE WHEN e.outcome <> 'ok' THEN e.outcome
    WHEN NOT e.roles && q.roles THEN 'forbidden'
    WHEN q.agency <> e.agency THEN 'cursor'
    WHEN q.after > "end" THEN 'ahead'
    ELSE 'ok' END;
  IF outcome <> 'ok' THEN
    PERFORM audit_refusal(e.agency, q.client, q.officer, q.purpose, 'event.list', outcome, NULL, NULL, q.request, q.peer, NULL);
    RETURN NEXT;
    RETURN;
  END IF;
  v_kinds := ARRAY(SELECT k.kind FROM jsonb_each(q.kinds) AS k (kind, roles) WHERE e.roles && ARRAY(SELECT jsonb_array_elements_text(k.roles)));
  SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY p.position) FILTER (WHERE p.n <= q."limit"), '[]'), count(*) > q."limit"
  INTO items, more
  FROM (SELECT f.*, row_number() OVER (ORDER BY f.position) AS n
    FROM page_of_events(coalesce(q.after, 9223372036854775807), q.types, v_kinds, q."limit" + 1) AS f) AS p;
  PERFORM audit('event.list', 'done', NULL, '{}', '{}', jsonb_build_object('events', jsonb_array_length(items),
    'first', items -> 0 -> 'id', 'last', items -> -1 -> 'id'));
  RETURN NEXT;
END $$;

REVOKE ALL ON FUNCTION list_events FROM PUBLIC;
GRANT EXECUTE ON FUNCTION list_events TO interdesk_api, interdesk_worker;

SET LOCAL ROLE interdesk_engine;
GRANT EXECUTE ON FUNCTION knows_meeting, knows_transport TO interdesk_api, interdesk_worker;
INSERT INTO event_receivers (receiver, position)
SELECT DISTINCT receiver, position FROM events CROSS JOIN LATERAL unnest(audience) AS receiver WHERE position IS NOT NULL;

-- The place that the feed's positions belong to: cluster, timeline (it changes when a standby is promoted or a backup
-- is replayed to a moment in the past) and database.
CREATE FUNCTION feed_home() RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT concat_ws('/', (SELECT system_identifier FROM pg_control_system()), left(pg_walfile_name(pg_current_wal_lsn()), 8),
    (SELECT oid FROM pg_database WHERE datname = current_database()))
$$;

CREATE FUNCTION feed_at_home() RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(home = feed_home() AND xmin = written_by::xid, false) FROM feed_state
$$;

-- Up to where the feed is complete for a reader who stands at a place. Away from home whoever stands further on stays
-- there: it read on after the backup was taken, and the feed is about to leap beyond it.
CREATE OR REPLACE FUNCTION feed_end(p_after bigint DEFAULT NULL) RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT CASE WHEN feed_at_home() THEN last_position ELSE greatest(last_position, p_after) END FROM feed_state
$$;

-- Gives committed events their final position and notes who receives them; how many there were, at most 5000. Away from
-- home the feed goes on beyond everything handed out after the backup was taken: four million positions for every second
-- since 1970 are more than are ever used, so a later moment is a higher place.
CREATE OR REPLACE FUNCTION sequence_events() RETURNS integer LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_last bigint;
  v_count integer;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('interdesk.sequence_events', 0)) THEN
    RETURN 0;
  END IF;
  IF NOT feed_at_home() THEN
    IF (SELECT home <> '' FROM feed_state) THEN
      PERFORM announce('feed.restored', NULL, NULL, NULL, NULL, ARRAY['community'], '{}', false);
    END IF;
    UPDATE feed_state SET last_position = greatest(last_position, (extract(epoch FROM clock_timestamp()) * 4194304)::bigint),
      home = feed_home(), written_by = pg_current_xact_id();
  END IF;
  IF NOT EXISTS (SELECT FROM events WHERE position IS NULL) THEN
    RETURN 0;
  END IF;
  SELECT last_position INTO STRICT v_last FROM feed_state;
  WITH waiting AS (
    SELECT id, arrival FROM events WHERE position IS NULL ORDER BY arrival LIMIT 5000
  ), numbered AS (
    SELECT id, v_last + row_number() OVER (ORDER BY arrival) AS position FROM waiting
  ), placed AS (
    UPDATE events e SET position = n.position FROM numbered n WHERE e.id = n.id RETURNING e.position, e.audience
  ), addressed AS (
    INSERT INTO event_receivers (receiver, position)
    SELECT DISTINCT receiver, p.position FROM placed p CROSS JOIN LATERAL unnest(p.audience) AS receiver
  )
  SELECT count(*) INTO v_count FROM placed;
  UPDATE feed_state SET last_position = v_last + v_count, written_by = pg_current_xact_id();
  RETURN v_count;
END $$;

REVOKE ALL ON FUNCTION feed_home, feed_at_home FROM PUBLIC;
RESET ROLE;
