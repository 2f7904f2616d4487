-- Transports: how people come home together. One agency organizes it, others take part; who is on board stands on the
-- manifest, of which each sees its own people. Nobody is put on one without the lock on the transport's row.

CREATE TABLE transports (
  id uuid PRIMARY KEY,
  reference text NOT NULL,
  organizer text NOT NULL REFERENCES agencies (code),
  participants text[] NOT NULL CHECK (NOT organizer = ANY (participants)),
  -- Principals that see it, so that the policy is one overlap.
  audience text[] NOT NULL GENERATED ALWAYS AS (participants || organizer) STORED,
  mode text NOT NULL CHECK (mode IN ('charter', 'commercial', 'land', 'sea')),
  carrier text,
  number text,
  -- {place, country, at, time_zone}; the moments again beside them, for lists.
  departure jsonb NOT NULL,
  arrival jsonb NOT NULL,
  departs_at timestamptz NOT NULL,
  arrives_at timestamptz NOT NULL CHECK (arrives_at > departs_at),
  seats integer NOT NULL CHECK (seats > 0),
  -- [{name, seats}]; none: the whole of it is one section.
  sections jsonb NOT NULL,
  -- [{agency, count}]
  escorts jsonb NOT NULL,
  -- {suspects_per_escort, victims_per_escort}
  escort_rule jsonb NOT NULL,
  -- [{type, country, number, state, valid_until}]
  permits jsonb NOT NULL,
  note text,
  state text NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'frozen', 'boarding', 'departed', 'arrived', 'completed', 'cancelled')),
  -- Why it was unfrozen or cancelled.
  state_reason text,
  frozen_at timestamptz,
  departed_at timestamptz,
  arrived_at timestamptz,
  ended_at timestamptz CHECK ((ended_at IS NOT NULL) = (state IN ('completed', 'cancelled'))),
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX transports_reference ON transports (reference);
CREATE INDEX transports_newest_change ON transports (updated_at DESC, id DESC);
CREATE INDEX transports_audience ON transports USING gin (audience);

-- Whoever repeats a call is answered the version that the first one made. Not LIKE transports: constraints of the same
-- names would be given others by a restore.
CREATE TABLE transport_versions AS TABLE transports WITH NO DATA;
ALTER TABLE transport_versions ADD PRIMARY KEY (id, version);

CREATE TABLE manifest_entries (
  id uuid PRIMARY KEY,
  transport_id uuid NOT NULL REFERENCES transports (id),
  record_id uuid NOT NULL REFERENCES records (id),
  -- No foreign key: the entry of somebody who was removed stays as withdrawn, and the id then leads nowhere.
  person_id uuid NOT NULL,
  -- Who put the person there.
  agency text NOT NULL REFERENCES agencies (code),
  -- The two sides of the request by then: one that is asked later in the place of another does not read it.
  sides text[] NOT NULL CHECK (agency = ANY (sides)),
  category text NOT NULL CHECK (category IN ('victim', 'suspect', 'remains')),
  -- Remains stand in none, and take no seat.
  section text CHECK ((section IS NULL) = (category = 'remains')),
  state text NOT NULL DEFAULT 'listed' CHECK (state IN ('listed', 'boarded', 'no_show', 'handed_over', 'withdrawn')),
  -- Why somebody is not on board.
  reason text,
  -- {agency, received_by, at, note}
  receipt jsonb CHECK ((receipt IS NOT NULL) = (state = 'handed_over')),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
-- Nobody stands on two manifests.
CREATE UNIQUE INDEX manifest_entries_once ON manifest_entries (person_id) WHERE state IN ('listed', 'boarded', 'handed_over');
CREATE INDEX manifest_entries_by_transport ON manifest_entries (transport_id, id);
CREATE INDEX manifest_entries_by_record ON manifest_entries (record_id);

-- What one call did to a manifest, as it was answered: for the agency whose call it was, when it repeats it.
CREATE TABLE manifest_changes (
  id uuid PRIMARY KEY,
  transport_id uuid NOT NULL REFERENCES transports (id),
  agency text NOT NULL REFERENCES agencies (code),
  action text NOT NULL CHECK (action IN ('add', 'board', 'no_show', 'hand_over')),
  -- [{id, request, person, section, state}]
  entries jsonb NOT NULL,
  at timestamptz NOT NULL
);

-- Two people who must not share a section, in the order of their ids.
CREATE TABLE manifest_separations (
  id uuid PRIMARY KEY,
  transport_id uuid NOT NULL REFERENCES transports (id),
  first_person uuid NOT NULL REFERENCES persons (id) ON DELETE CASCADE,
  second_person uuid NOT NULL REFERENCES persons (id) ON DELETE CASCADE CHECK (first_person < second_person),
  agency text NOT NULL REFERENCES agencies (code),
  reason text,
  created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX manifest_separations_once ON manifest_separations (transport_id, first_person, second_person);
CREATE INDEX manifest_separations_by_second ON manifest_separations (second_person);
CREATE INDEX manifest_separations_by_first ON manifest_separations (first_person);

DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['transports', 'transport_versions', 'manifest_entries', 'manifest_changes', 'manifest_separations'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO interdesk_engine', v_table);
    EXECUTE format('GRANT SELECT ON %I TO interdesk_api, interdesk_worker', v_table);
  END LOOP;
END $$;

SET LOCAL ROLE interdesk_engine;

-- Whether the people of a request are the caller's own: it is one of the two sides, sees the request, and on something
-- that covers data of persons. Definer, so that it stands in a policy; nobody but the caller is asked about.
CREATE FUNCTION has_people_of(p_record uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM records r WHERE r.id = p_record AND on_a_side(r) AND (r.originator = caller_agency()
    OR (r.state = 'current' AND (NOT r.covered OR lies_open(r.id)) AND carries_persons(r.id))))
$$;
REVOKE ALL ON FUNCTION has_people_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION has_people_of TO interdesk_api, interdesk_worker;
RESET ROLE;

CREATE POLICY participants_see ON transports FOR SELECT TO interdesk_api, interdesk_worker USING (
  audience && string_to_array(current_setting('interdesk.principals', true), ','));
CREATE POLICY participants_see ON transport_versions FOR SELECT TO interdesk_api, interdesk_worker USING (
  audience && string_to_array(current_setting('interdesk.principals', true), ',')
  AND EXISTS (SELECT FROM transports t WHERE t.id = transport_versions.id));
CREATE POLICY own_people ON manifest_entries FOR SELECT TO interdesk_api, interdesk_worker USING (
  caller_agency() = ANY (sides) AND EXISTS (SELECT FROM transports t WHERE t.id = transport_id) AND has_people_of(record_id));
CREATE POLICY own ON manifest_changes FOR SELECT TO interdesk_api, interdesk_worker USING (
  agency = caller_agency() AND EXISTS (SELECT FROM transports t WHERE t.id = transport_id)
  AND NOT EXISTS (SELECT FROM (SELECT DISTINCT (e ->> 'request')::uuid AS id FROM jsonb_array_elements(entries) AS e) AS r
    WHERE NOT has_people_of(r.id)));
-- Whoever sees both people, wherever they stand.
CREATE POLICY both_known ON manifest_separations FOR SELECT TO interdesk_api USING (
  EXISTS (SELECT FROM transports t WHERE t.id = transport_id) AND EXISTS (SELECT FROM persons p WHERE p.id = first_person)
  AND EXISTS (SELECT FROM persons p WHERE p.id = second_person));

SET LOCAL ROLE interdesk_engine;

-- The transport, held against other changes of it and of its manifest, if the caller sees it; a row of NULLs otherwise.
-- Who takes more locks takes this one first, and requests after it in the order of their ids.
CREATE FUNCTION lock_transport(p_id uuid) RETURNS transports LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_transport transports;
BEGIN
  SELECT * INTO v_transport FROM transports WHERE id = p_id AND knows_transport(id) FOR NO KEY UPDATE;
  RETURN v_transport;
END $$;

-- Keeps the version of a transport that a step came to, and tells of it those who see it, or p_told of them.
CREATE FUNCTION tell_transport(p_id uuid, p_event text, p_told text[] DEFAULT NULL) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_transport transports;
BEGIN
  SELECT * INTO STRICT v_transport FROM transports WHERE id = p_id;
  INSERT INTO transport_versions SELECT v_transport.* ON CONFLICT DO NOTHING;
  PERFORM announce(p_event, 'transports', p_id, v_transport.reference, v_transport.version, coalesce(p_told, v_transport.audience), '{}');
END $$;

-- How many escorts a transport has.
CREATE FUNCTION escorts_on(p_transport transports) RETURNS integer LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(sum((e ->> 'count')::integer), 0)::integer FROM jsonb_array_elements(p_transport.escorts) AS e
$$;

-- The sections of a transport.
CREATE FUNCTION sections_of(p_transport transports) RETURNS TABLE (place bigint, name text, seats integer) LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT s.place, s.section ->> 'name', (s.section ->> 'seats')::integer
  FROM jsonb_array_elements(p_transport.sections) WITH ORDINALITY AS s (section, place)
  UNION ALL SELECT 1, 'all', p_transport.seats WHERE p_transport.sections = '[]'
$$;

-- Whether an entry takes a seat of its transport. With its request's, the one place that says so.
CREATE FUNCTION takes_seat(p_entry manifest_entries) RETURNS boolean LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT p_entry.category <> 'remains' AND p_entry.state IN ('listed', 'boarded', 'handed_over')
$$;

-- What does not fit of a transport as it would be, with who stands on its manifest: [{code, section, seats, taken}].
CREATE FUNCTION transport_overfull(p_transport transports) RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(jsonb_agg(f.flaw), '[]') FROM (
    SELECT jsonb_build_object('code', 'seats', 'seats', p_transport.seats, 'taken', n.taken) AS flaw
    FROM (SELECT count(*) + escorts_on(p_transport) AS taken FROM manifest_entries e
      WHERE e.transport_id = p_transport.id AND takes_seat(e)) AS n WHERE n.taken > p_transport.seats
    UNION ALL
    SELECT jsonb_build_object('code', 'section', 'section', n.section, 'seats', coalesce(s.seats, 0), 'taken', n.taken)
    FROM (SELECT e.section, count(*) AS taken FROM manifest_entries e
      WHERE e.transport_id = p_transport.id AND takes_seat(e) GROUP BY e.section) AS n
    LEFT JOIN sections_of(p_transport) AS s ON s.name = n.section WHERE n.taken > coalesce(s.seats, 0)) AS f
$$;

-- The agencies to which the people of entries belonged when they were put there, as far as they take part in the transport.
CREATE FUNCTION sides_on(p_transport transports, p_entries uuid[]) RETURNS text[] LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(array_agg(DISTINCT s.agency), '{}') FROM manifest_entries e CROSS JOIN LATERAL unnest(e.sides) AS s (agency)
  WHERE e.id = ANY (p_entries) AND s.agency = ANY (p_transport.audience)
$$;

-- Tells of what was done to a manifest: the organizer and those whose people they are learn how many, nobody learns who.
CREATE FUNCTION tell_manifest(p_transport transports, p_action text, p_count integer, p_sides text[]) RETURNS void LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT announce('transport.manifest_changed', 'transports', p_transport.id, p_transport.reference, p_transport.version,
    ARRAY[p_transport.organizer] || p_sides, '{}', true,
    jsonb_build_object('action', p_action, 'count', p_count))
$$;

-- Keeps what a call did to entries, for its answer and for a repeat of it, with audit entry and event.
CREATE FUNCTION keep_manifest_change(p_id uuid, p_transport transports, p_action text, p_entries uuid[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_records uuid[];
BEGIN
  INSERT INTO manifest_changes (id, transport_id, agency, action, entries, at)
  SELECT p_id, p_transport.id, caller_agency(), p_action,
    jsonb_agg(jsonb_build_object('id', e.id, 'request', e.record_id, 'person', e.person_id, 'section', e.section, 'state', e.state)
      ORDER BY a.place), clock_timestamp()
  FROM unnest(p_entries) WITH ORDINALITY AS a (id, place) JOIN manifest_entries e ON e.id = a.id;
  SELECT array_agg(DISTINCT record_id) INTO v_records FROM manifest_entries WHERE id = ANY (p_entries);
  PERFORM tell_manifest(p_transport, p_action, cardinality(p_entries), sides_on(p_transport, p_entries));
  PERFORM audit('transport.' || p_action, 'done', 'transports', ARRAY[p_transport.id], '{}',
    jsonb_build_object('change', p_id, 'requests', v_records, 'entries', p_entries));
END $$;

-- ------------------------------------------------------------------------------------------------------------ the plan
-- Plans a transport of the caller's agency; p_content is what it says, by the names of the columns.
-- Outcomes: planned, reference-taken (draw another).
CREATE FUNCTION plan_transport(p_id uuid, p_reference text, p_content jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
BEGIN
  INSERT INTO transports (id, reference, organizer, participants, mode, carrier, number, departure, arrival, departs_at, arrives_at,
    seats, sections, escorts, escort_rule, permits, note, created_at, updated_at)
  SELECT p_id, p_reference, caller_agency(), c.participants, c.mode, c.carrier, c.number, c.departure, c.arrival, c.departs_at,
    c.arrives_at, c.seats, c.sections, c.escorts, c.escort_rule, c.permits, c.note, v_now, v_now
  FROM jsonb_populate_record(NULL::transports, p_content) AS c
  ON CONFLICT (reference) DO NOTHING;
  IF NOT FOUND THEN
    RETURN 'reference-taken';
  END IF;
  PERFORM tell_transport(p_id, 'transport.planned');
  PERFORM audit('transport.plan', 'done', 'transports', ARRAY[p_id], '{}');
  RETURN 'planned';
END $$;

-- Changes what the caller's transport says. Outcomes: changed; stale; overfull (flaws, as of transport_overfull);
-- on-board (flaws: agencies that would take no part any more although they put people on the manifest).
CREATE FUNCTION change_transport(p_id uuid, p_expected integer, p_content jsonb, OUT outcome text, OUT flaws jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_was transports := lock_transport(p_id);
  v_is transports;
BEGIN
  outcome := 'stale';
  IF v_was.version IS DISTINCT FROM p_expected OR v_was.organizer <> caller_agency() OR v_was.state IN ('completed', 'cancelled') THEN
    RETURN;
  END IF;
  v_is := jsonb_populate_record(v_was, p_content);
  flaws := to_jsonb(ARRAY(SELECT DISTINCT e.agency FROM manifest_entries e WHERE e.transport_id = p_id AND e.state <> 'withdrawn'
    AND e.agency <> v_was.organizer AND NOT e.agency = ANY (v_is.participants) ORDER BY e.agency));
  IF flaws <> '[]' THEN
    outcome := 'on-board';
    RETURN;
  END IF;
  flaws := transport_overfull(v_is);
  IF flaws <> '[]' THEN
    outcome := 'overfull';
    RETURN;
  END IF;
  UPDATE transports SET participants = v_is.participants, mode = v_is.mode, carrier = v_is.carrier, number = v_is.number,
    departure = v_is.departure, arrival = v_is.arrival, departs_at = v_is.departs_at, arrives_at = v_is.arrives_at,
    seats = v_is.seats, sections = v_is.sections, escorts = v_is.escorts, escort_rule = v_is.escort_rule, permits = v_is.permits,
    note = v_is.note, version = p_expected + 1, updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond')
  WHERE id = p_id RETURNING * INTO v_is;
  PERFORM announce('transport.left', 'transports', p_id, v_is.reference, NULL,
    ARRAY(SELECT unnest(v_was.participants) EXCEPT SELECT unnest(v_is.participants)), '{}', false);
  PERFORM tell_transport(p_id, 'transport.planned', ARRAY(SELECT unnest(v_is.participants) EXCEPT SELECT unnest(v_was.participants)));
  PERFORM tell_transport(p_id, 'transport.changed', ARRAY(SELECT unnest(v_is.audience) INTERSECT SELECT unnest(v_was.audience)));
  PERFORM audit('transport.change', 'done', 'transports', ARRAY[p_id], '{}', jsonb_build_object('version', v_is.version));
  outcome := 'changed';
END $$;

-- ---------------------------------------------------------------------------------------------------------- the requests
-- Whether a transport scheduled a request, and not its sides by hand for a journey that none stands for.
CREATE FUNCTION is_carried(p_record uuid) RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT s.agency IS NULL FROM repatriation_steps s WHERE s.record_id = p_record AND s.from_state = 'cleared' AND s.state = 'scheduled'
  ORDER BY s.number DESC LIMIT 1
$$;

-- Brings a request, locked before, to where its people are: handed over when a receipt is there for each of them; under
-- way or scheduled when each stands on a frozen manifest, or on one that is past that; cleared otherwise. Who was removed
-- when it had departed is on board still, and counts. What the sides scheduled by hand is not undone, and a request that
-- a side has put elsewhere (on hold, withdrawn) is left there.
CREATE FUNCTION settle_repatriation(p_record uuid) RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_life text;
  v_target text;
BEGIN
  SELECT r.life INTO v_life FROM records r
  WHERE r.id = p_record AND r.kind = 'repatriation-requests' AND r.state = 'current' AND r.life IN ('cleared', 'scheduled', 'in_transit');
  IF NOT FOUND THEN
    RETURN;
  END IF;
  WITH stands AS (
    SELECT e.person_id, e.state, t.state NOT IN ('frozen', 'boarding') AS under_way
    FROM manifest_entries e JOIN transports t ON t.id = e.transport_id
    WHERE e.record_id = p_record AND e.state IN ('listed', 'boarded', 'handed_over') AND t.state NOT IN ('planned', 'cancelled'))
  SELECT CASE WHEN count(*) > count(s.state) OR count(*) = 0 THEN 'cleared'
    WHEN bool_and(s.state = 'handed_over') THEN 'handed_over'
    WHEN bool_or(s.under_way) THEN 'in_transit' ELSE 'scheduled' END
  INTO v_target
  FROM (SELECT id FROM persons WHERE record_id = p_record UNION SELECT person_id FROM stands WHERE under_way) AS p
  LEFT JOIN stands AS s ON s.person_id = p.id;
  IF v_life IN ('scheduled', 'in_transit') AND v_target = 'cleared' THEN
    IF is_carried(p_record) THEN
      PERFORM move_repatriation(p_record, 'repatriation.unschedule', ARRAY['scheduled', 'in_transit'], 'cleared', 'repatriation.unscheduled');
    END IF;
    RETURN;
  END IF;
  IF v_life = 'cleared' AND v_target <> 'cleared' THEN
    PERFORM move_repatriation(p_record, 'repatriation.schedule', ARRAY['cleared'], 'scheduled', 'repatriation.scheduled');
    v_life := 'scheduled';
  END IF;
  IF v_life = 'scheduled' AND v_target IN ('in_transit', 'handed_over') THEN
    PERFORM move_repatriation(p_record, 'repatriation.depart', ARRAY['scheduled'], 'in_transit', 'repatriation.departed');
    v_life := 'in_transit';
  END IF;
  IF v_life = 'in_transit' AND v_target = 'handed_over' THEN
    PERFORM move_repatriation(p_record, 'repatriation.hand-over', ARRAY['in_transit'], 'handed_over', 'repatriation.handed_over');
  END IF;
END $$;

-- The same for a side whose step it follows, which holds the request.
CREATE FUNCTION settle_own_repatriation(p_record uuid) RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM settle_repatriation(r.id) FROM records r WHERE r.id = p_record AND on_a_side(r);
END $$;

-- And when somebody is entered or removed: such a request is held before its people, as by whoever puts them on a manifest.
CREATE OR REPLACE FUNCTION record_of_person(p_record uuid) RETURNS records LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT FROM records r WHERE r.id = p_record AND r.kind = 'repatriation-requests' AND may_write_persons(r) FOR NO KEY UPDATE;
  SELECT r.* FROM records r WHERE r.id = p_record AND r.state <> 'purged' AND may_write_persons(r) FOR KEY SHARE
$$;

CREATE FUNCTION settle_where_persons_came() RETURNS trigger LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM settle_repatriation(c.record_id) FROM (SELECT DISTINCT record_id FROM came ORDER BY record_id) AS c;
  RETURN NULL;
END $$;

-- On which transports people of a request stand, of which the caller is a side: `awaited` while one has not left, `under_way`
-- on board of one that has, `received` with a receipt. Without the number of a transport that the caller does not see.
CREATE FUNCTION journeys_of(p_record uuid) RETURNS TABLE (phase text, reference text) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT DISTINCT CASE WHEN e.state = 'handed_over' THEN 'received' WHEN t.state IN ('departed', 'arrived') THEN 'under_way'
    ELSE 'awaited' END, CASE WHEN knows_transport(t.id) THEN t.reference END
  FROM records r JOIN manifest_entries e ON e.record_id = r.id AND e.state IN ('listed', 'boarded', 'handed_over')
  JOIN transports t ON t.id = e.transport_id WHERE r.id = p_record AND on_a_side(r)
$$;

-- Locks the requests of whoever stands on a manifest, or of these entries of it, in the order of their ids.
CREATE FUNCTION lock_requests_on(p_transport uuid, p_entries uuid[] DEFAULT NULL) RETURNS uuid[] LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_records uuid[] := ARRAY(SELECT DISTINCT record_id FROM manifest_entries
    WHERE transport_id = p_transport AND (p_entries IS NULL OR id = ANY (p_entries)));
BEGIN
  PERFORM FROM records r WHERE r.id = ANY (v_records) ORDER BY r.id FOR NO KEY UPDATE;
  RETURN v_records;
END $$;

-- Whether the people of a request may travel: it is in one of these states, cleared still, and the side that is asked for
-- them sees it still, since otherwise it could neither stop nor decline: its agreement may have ended.
CREATE FUNCTION may_travel(p_record records, p_lives text[]) RETURNS boolean LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT p_record.state = 'current' AND p_record.life = ANY (p_lives) AND journey_is_cleared(p_record)
    AND requested_agency(p_record) = ANY (agencies_of(p_record.audience, p_record.excluded))
$$;

-- What keeps people on a manifest from travelling, whose requests are not in one of these states: [{code, agency, count}].
CREATE FUNCTION not_cleared_on(p_transport uuid, p_states text[], p_lives text[]) RETURNS jsonb LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object('code', 'request-not-cleared', 'agency', n.agency, 'count', n.count) ORDER BY n.agency), '[]')
  FROM (SELECT e.agency, count(*) FROM manifest_entries e JOIN records r ON r.id = e.record_id
    WHERE e.transport_id = p_transport AND e.state = ANY (p_states) AND NOT may_travel(r, p_lives)
    GROUP BY e.agency) AS n
$$;

-- Permits that do not stand for the day of departure: [{code, place}], place by place of the list.
CREATE FUNCTION permits_missing(p_transport transports) RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object('place', p.place - 1, 'code',
      CASE WHEN p.permit ->> 'state' <> 'granted' THEN 'permit-not-granted' ELSE 'permit-expired' END) ORDER BY p.place), '[]')
  FROM jsonb_array_elements(p_transport.permits) WITH ORDINALITY AS p (permit, place)
  WHERE p.permit ->> 'state' <> 'granted'
    OR (p.permit ->> 'valid_until')::date < (p_transport.departs_at AT TIME ZONE 'UTC')::date
$$;

-- People on a manifest who must not share the section they are in: [{code, section}], one for each pair.
CREATE FUNCTION not_separated_on(p_transport uuid) RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object('code', 'not-separated', 'section', a.section)), '[]')
  FROM manifest_separations s
  JOIN manifest_entries a ON a.transport_id = s.transport_id AND a.person_id = s.first_person AND takes_seat(a)
  JOIN manifest_entries b ON b.transport_id = s.transport_id AND b.person_id = s.second_person AND takes_seat(b)
  WHERE s.transport_id = p_transport AND a.section = b.section
$$;

-- What is missing for a manifest to be frozen, beside permits and requests.
CREATE FUNCTION manifest_flaws(p_transport transports) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_flaws jsonb := '[]';
  v_suspects integer;
  v_victims integer;
  v_people integer;
  v_needed integer;
BEGIN
  SELECT count(*), count(*) FILTER (WHERE category = 'suspect'), count(*) FILTER (WHERE category = 'victim')
  INTO v_people, v_suspects, v_victims FROM manifest_entries WHERE transport_id = p_transport.id AND state = 'listed';
  IF v_people = 0 THEN
    v_flaws := v_flaws || '{"code": "manifest-empty"}';
  END IF;
  v_needed := ceil(v_suspects::numeric / (p_transport.escort_rule ->> 'suspects_per_escort')::integer)
    + coalesce(ceil(v_victims::numeric / (p_transport.escort_rule ->> 'victims_per_escort')::integer), 0);
  IF escorts_on(p_transport) < v_needed THEN
    v_flaws := v_flaws || jsonb_build_object('code', 'escorts-missing', 'needed', v_needed, 'escorts', escorts_on(p_transport));
  END IF;
  RETURN v_flaws || not_separated_on(p_transport.id);
END $$;

-- ------------------------------------------------------------------------------------------------------------- the steps
-- Puts a transport, locked before, into another state, and tells everybody who sees it.
CREATE FUNCTION advance_transport(p_id uuid, p_state text, p_event text, p_action text, p_reason text DEFAULT NULL) RETURNS transports
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_transport transports;
BEGIN
  UPDATE transports SET state = p_state, state_reason = p_reason, version = version + 1,
    updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond'),
    frozen_at = CASE p_state WHEN 'frozen' THEN clock_timestamp() WHEN 'planned' THEN NULL ELSE frozen_at END,
    departed_at = CASE p_state WHEN 'departed' THEN clock_timestamp() ELSE departed_at END,
    arrived_at = CASE p_state WHEN 'arrived' THEN clock_timestamp() ELSE arrived_at END,
    ended_at = CASE WHEN p_state IN ('completed', 'cancelled') THEN clock_timestamp() END
  WHERE id = p_id RETURNING * INTO STRICT v_transport;
  PERFORM tell_transport(p_id, p_event);
  PERFORM audit(p_action, 'done', 'transports', ARRAY[p_id], '{}',
    jsonb_strip_nulls(jsonb_build_object('version', v_transport.version, 'reason', p_reason)));
  RETURN v_transport;
END $$;

-- The organizer's steps. Outcomes: moved; stale (another's, another version, or in a state from which this does not lead);
-- not-ready (flaws: [{code, …}]).
CREATE FUNCTION freeze_transport(p_id uuid, p_expected integer, OUT outcome text, OUT flaws jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_transport transports := lock_transport(p_id);
  v_records uuid[];
BEGIN
  outcome := 'stale';
  IF v_transport.version IS DISTINCT FROM p_expected OR v_transport.organizer <> caller_agency() OR v_transport.state <> 'planned' THEN
    RETURN;
  END IF;
  v_records := lock_requests_on(p_id);
  flaws := permits_missing(v_transport) || manifest_flaws(v_transport)
    || not_cleared_on(p_id, ARRAY['listed'], ARRAY['cleared', 'scheduled']);
  IF flaws <> '[]' THEN
    outcome := 'not-ready';
    RETURN;
  END IF;
  PERFORM advance_transport(p_id, 'frozen', 'transport.frozen', 'transport.freeze');
  PERFORM settle_repatriation(r) FROM unnest(v_records) AS r;
  outcome := 'moved';
END $$;

CREATE FUNCTION unfreeze_transport(p_id uuid, p_expected integer, p_reason text, OUT outcome text, OUT flaws jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_transport transports := lock_transport(p_id);
  v_records uuid[];
BEGIN
  outcome := 'stale';
  IF v_transport.version IS DISTINCT FROM p_expected OR v_transport.organizer <> caller_agency() OR v_transport.state <> 'frozen' THEN
    RETURN;
  END IF;
  v_records := lock_requests_on(p_id);
  PERFORM advance_transport(p_id, 'planned', 'transport.unfrozen', 'transport.unfreeze', p_reason);
  PERFORM settle_repatriation(r) FROM unnest(v_records) AS r;
  outcome := 'moved';
END $$;

CREATE FUNCTION depart_transport(p_id uuid, p_expected integer, OUT outcome text, OUT flaws jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_transport transports := lock_transport(p_id);
  v_records uuid[];
BEGIN
  outcome := 'stale';
  IF v_transport.version IS DISTINCT FROM p_expected OR v_transport.organizer <> caller_agency() OR v_transport.state <> 'boarding' THEN
    RETURN;
  END IF;
  v_records := lock_requests_on(p_id);
  flaws := permits_missing(v_transport) || not_cleared_on(p_id, ARRAY['boarded'], ARRAY['cleared', 'scheduled', 'in_transit'])
    || not_separated_on(p_id)
    || (SELECT coalesce(jsonb_agg(jsonb_build_object('code', 'not-boarded', 'agency', n.agency, 'count', n.count) ORDER BY n.agency), '[]')
      FROM (SELECT agency, count(*) FROM manifest_entries WHERE transport_id = p_id AND state = 'listed' GROUP BY agency) AS n);
  IF NOT EXISTS (SELECT FROM manifest_entries WHERE transport_id = p_id AND state IN ('listed', 'boarded')) THEN
    flaws := flaws || '{"code": "manifest-empty"}';
  END IF;
  IF flaws <> '[]' THEN
    outcome := 'not-ready';
    RETURN;
  END IF;
  PERFORM advance_transport(p_id, 'departed', 'transport.departed', 'transport.depart');
  PERFORM settle_repatriation(r) FROM unnest(v_records) AS r;
  outcome := 'moved';
END $$;

CREATE FUNCTION arrive_transport(p_id uuid, p_expected integer, OUT outcome text, OUT flaws jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_transport transports := lock_transport(p_id);
BEGIN
  outcome := 'stale';
  IF v_transport.version IS NOT DISTINCT FROM p_expected AND v_transport.organizer = caller_agency() AND v_transport.state = 'departed' THEN
    PERFORM advance_transport(p_id, 'arrived', 'transport.arrived', 'transport.arrive');
    outcome := 'moved';
  END IF;
END $$;

CREATE FUNCTION cancel_transport(p_id uuid, p_expected integer, p_reason text, OUT outcome text, OUT flaws jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_transport transports := lock_transport(p_id);
  v_records uuid[];
BEGIN
  outcome := 'stale';
  IF v_transport.version IS DISTINCT FROM p_expected OR v_transport.organizer <> caller_agency()
    OR v_transport.state NOT IN ('planned', 'frozen', 'boarding') THEN
    RETURN;
  END IF;
  v_records := lock_requests_on(p_id);
  UPDATE manifest_entries SET state = 'withdrawn', reason = 'The transport was cancelled.', updated_at = clock_timestamp()
  WHERE transport_id = p_id AND state IN ('listed', 'boarded');
  PERFORM advance_transport(p_id, 'cancelled', 'transport.cancelled', 'transport.cancel', p_reason);
  PERFORM settle_repatriation(r) FROM unnest(v_records) AS r;
  outcome := 'moved';
END $$;

REVOKE ALL ON FUNCTION lock_transport, tell_transport, escorts_on, sections_of, takes_seat, transport_overfull, sides_on, tell_manifest,
  keep_manifest_change, plan_transport, change_transport, is_carried, settle_repatriation, settle_own_repatriation, settle_where_persons_came,
  journeys_of, lock_requests_on, may_travel, not_cleared_on, permits_missing, not_separated_on,
  manifest_flaws, advance_transport, freeze_transport, unfreeze_transport,
  depart_transport, arrive_transport, cancel_transport FROM PUBLIC;
GRANT EXECUTE ON FUNCTION plan_transport, change_transport, settle_own_repatriation, journeys_of, freeze_transport, unfreeze_transport,
  depart_transport, arrive_transport, cancel_transport TO interdesk_api, interdesk_worker;
GRANT EXECUTE ON FUNCTION settle_where_persons_came TO interdesk_owner;
RESET ROLE;

CREATE TRIGGER settles_the_request AFTER INSERT ON persons REFERENCING NEW TABLE AS came FOR EACH STATEMENT
  EXECUTE FUNCTION settle_where_persons_came();
