-- Deconfliction: no operation in another's way, and no word of the one to the other but that they collide.
--
-- What an operation claims (its time, its area, its targets) stands in a table that the engine alone reads. It is always
-- compared with every other claim, whoever sees which record; only what comes of it is cut down to what a side may know.
-- So an operation that must stay hidden costs nobody another statement, and is told of by nothing but its conflicts.

CREATE EXTENSION IF NOT EXISTS cube SCHEMA public;

-- One row for each live operation.
CREATE TABLE operation_claims (
  record_id uuid PRIMARY KEY,
  originator text NOT NULL,
  -- With both ends: what ends in the moment in which the other begins meets it.
  period tstzrange NOT NULL,
  -- The area as a circle on the globe; of a polygon the circle around it, which finds more conflicts and never fewer.
  latitude double precision NOT NULL,
  longitude double precision NOT NULL,
  radius_m double precision NOT NULL,
  -- The circle's box in space, in metres from the Earth's centre: there is no date line in it, and no pole.
  box cube NOT NULL,
  -- Digests of places, identifiers and linked records: of one length, whatever is written, and only to be compared.
  targets uuid[] NOT NULL
);
CREATE INDEX operation_claims_by_area ON operation_claims USING gist (box, period);
-- Without a list of pending entries, which every check would have to read through.
CREATE INDEX operation_claims_by_target ON operation_claims USING gin (targets) WITH (fastupdate = off);

-- A collision of two operations. What belongs to one side stands at the same place of each array; the operation with the
-- lower id comes first. No foreign keys on records: their check would wait for whoever holds the other side's record.
CREATE TABLE operation_conflicts (
  id uuid PRIMARY KEY,
  records uuid[] NOT NULL CHECK (cardinality(records) = 2 AND records[1] < records[2]),
  agencies text[] NOT NULL CHECK (cardinality(agencies) = 2),
  kinds text[] NOT NULL CHECK (kinds <@ ARRAY['event', 'target'] AND kinds <> '{}'),
  severity text NOT NULL CHECK (severity IN ('advisory', 'serious')),
  -- One of the two is not live: its lead only asked.
  from_check boolean NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'resolved', 'cleared')),
  outcomes text[] NOT NULL DEFAULT ARRAY[NULL, NULL]::text[] CHECK (cardinality(outcomes) = 2),
  notes text[] NOT NULL DEFAULT ARRAY[NULL, NULL]::text[] CHECK (cardinality(notes) = 2),
  stated_at timestamptz[] NOT NULL DEFAULT ARRAY[NULL, NULL]::timestamptz[] CHECK (cardinality(stated_at) = 2),
  -- Which side resolved it without the other's consent, and why.
  overridden_by integer CHECK (overridden_by IN (1, 2)),
  override_reason text,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
-- What is cleared is over: if the two collide again, that is another conflict.
CREATE UNIQUE INDEX operation_conflicts_standing ON operation_conflicts (records) WHERE state <> 'cleared';
CREATE INDEX operation_conflicts_by_record ON operation_conflicts USING gin (records) WITH (fastupdate = off);

-- Conflicts as they were, so that a repeated call can be answered with the version it came to.
CREATE TABLE operation_conflict_versions (
  conflict_id uuid NOT NULL, version integer NOT NULL, entry jsonb NOT NULL, PRIMARY KEY (conflict_id, version)
);

-- What an agency asked of deconfliction: its limits are counted from nothing else.
CREATE TABLE deconfliction_runs (
  id uuid PRIMARY KEY DEFAULT uuid7(),
  agency text NOT NULL,
  record_id uuid NOT NULL,
  -- Asked for, and not the consequence of a plan that was proposed or changed.
  is_check boolean NOT NULL,
  found uuid[] NOT NULL,
  versions integer[] NOT NULL,
  at timestamptz NOT NULL
);
CREATE INDEX deconfliction_runs_by_agency ON deconfliction_runs (agency, at);

DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['operation_claims', 'operation_conflicts', 'operation_conflict_versions', 'deconfliction_runs'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO interdesk_engine', v_table);
  END LOOP;
END $$;

-- A conflict as one of its sides is shown it: nothing of the other but its agency, how to reach it, and what it says.
CREATE TYPE conflict_view AS (
  id uuid, kinds text[], severity text, state text, from_check boolean, agency text, contact_phone text, contact_email text,
  own_outcome text, own_note text, own_at timestamptz, other_outcome text, other_note text, other_at timestamptz,
  overridden_by text, override_reason text, version integer, created_at timestamptz, updated_at timestamptz
);

SET LOCAL ROLE interdesk_engine;

-- Metres between two places along the great circle, on a sphere with the Earth's mean radius (IUGG). Against the true
-- ellipsoid that is wrong by half a per cent at most, which over the widest areas is less than the margin.
CREATE FUNCTION great_circle_m(
  p_latitude double precision, p_longitude double precision, p_to_latitude double precision, p_to_longitude double precision
) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN 2 * 6371008.8 * asin(least(1, sqrt(
  pow(sin(radians(p_to_latitude - p_latitude) / 2), 2)
  + cos(radians(p_latitude)) * cos(radians(p_to_latitude)) * pow(sin(radians(p_to_longitude - p_longitude) / 2), 2))));

-- The box in space around a circle on the globe: no chord is longer than its arc.
CREATE FUNCTION box_around(p_latitude double precision, p_longitude double precision, p_radius_m double precision)
RETURNS cube LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_x double precision := 6371008.8 * cos(radians(p_latitude)) * cos(radians(p_longitude));
  v_y double precision := 6371008.8 * cos(radians(p_latitude)) * sin(radians(p_longitude));
  v_z double precision := 6371008.8 * sin(radians(p_latitude));
BEGIN
  RETURN cube(ARRAY[v_x - p_radius_m, v_y - p_radius_m, v_z - p_radius_m], ARRAY[v_x + p_radius_m, v_y + p_radius_m, v_z + p_radius_m]);
END $$;

CREATE FUNCTION target_digest(p_target text) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN substr(encode(sha256(convert_to(p_target, 'UTF8')), 'hex'), 1, 32)::uuid;

CREATE FUNCTION is_live_operation(p_record records) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN p_record.state = 'current' AND coalesce(p_record.life IN ('proposed', 'approved', 'active', 'suspended'), false);

-- All that compare and all that end claims go one after the other: of two operations that are proposed in the same moment
-- the second finds the first. Whoever takes this lock asks for no lock on another's record afterwards.
CREATE FUNCTION hold_claims() RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT pg_advisory_xact_lock(hashtextextended('interdesk.operation_claims', 0))
$$;

-- What an operation of this plan claims.
CREATE FUNCTION claim_of(
  p_record records, p_starts_at timestamptz, p_ends_at timestamptz, p_latitude double precision, p_longitude double precision,
  p_radius_m double precision, p_places text[], p_identifiers text[]
) RETURNS operation_claims LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT ROW(p_record.id, p_record.originator, tstzrange(p_starts_at, p_ends_at, '[]'), p_latitude, p_longitude, p_radius_m,
    box_around(p_latitude, p_longitude, p_radius_m),
    ARRAY(SELECT DISTINCT target_digest(t) FROM (
      SELECT 'place:' || f AS t FROM unnest(fold_names(p_places)) AS f
      UNION ALL SELECT unnest(p_identifiers)
      UNION ALL SELECT 'record:' || l.target_id FROM record_links l WHERE l.record_id = p_record.id AND l.type = 'target') AS told
    ORDER BY 1))::operation_claims
$$;

-- Every live operation that a claim collides with, whoever sees it. The margins: a day between the windows, a kilometre
-- between the areas. Serious: the windows really overlap, and so do the areas, or a target is the same.
CREATE FUNCTION collisions(p_claim operation_claims)
RETURNS TABLE (record_id uuid, originator text, kinds text[], severity text) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  c_days CONSTANT interval := '24 hours';
  c_metres CONSTANT double precision := 1000;
  v_period tstzrange := tstzrange(lower(p_claim.period) - c_days, upper(p_claim.period) + c_days, '[]');
  v_box cube := box_around(p_claim.latitude, p_claim.longitude, p_claim.radius_m + c_metres);
BEGIN
  RETURN QUERY
  WITH candidates AS (
    SELECT n.record_id FROM operation_claims n WHERE n.box && v_box AND n.period && v_period
    UNION SELECT n.record_id FROM operation_claims n WHERE n.targets && p_claim.targets
  ), measured AS (
    SELECT n.record_id, n.originator, n.period && p_claim.period AS at_once, n.period && v_period AS in_time, n.targets && p_claim.targets AS same_target,
      great_circle_m(n.latitude, n.longitude, p_claim.latitude, p_claim.longitude) - n.radius_m - p_claim.radius_m AS gap
    FROM operation_claims n JOIN candidates USING (record_id) WHERE n.record_id <> p_claim.record_id
  )
  SELECT m.record_id, m.originator,
    CASE WHEN m.in_time AND m.gap <= c_metres THEN ARRAY['event'] ELSE '{}' END || CASE WHEN m.same_target THEN ARRAY['target'] ELSE '{}' END,
    CASE WHEN m.at_once AND (m.gap <= 0 OR m.same_target) THEN 'serious' ELSE 'advisory' END
  FROM measured m WHERE m.same_target OR (m.in_time AND m.gap <= c_metres);
END $$;

-- Keeps the version that a conflict has come to, and tells the leads of both sides, nobody else: each in its own feed and
-- its own audit, with its own operation. Who did it stands in the audit of its agency alone.
CREATE FUNCTION tell_conflict(p_conflict operation_conflicts, p_event text, p_action text) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
  v_detail jsonb := jsonb_build_object('conflict', p_conflict.id);
BEGIN
  INSERT INTO operation_conflict_versions VALUES (p_conflict.id, p_conflict.version, to_jsonb(p_conflict));
  FOR v_record IN SELECT * FROM records WHERE id = ANY (p_conflict.records) ORDER BY id LOOP
    PERFORM announce(p_event, v_record.kind, v_record.id, v_record.reference, v_record.version, ARRAY[v_record.originator], '{}', true, v_detail);
    IF v_record.originator = caller_agency() THEN
      PERFORM audit(p_action, 'done', v_record.kind, ARRAY[v_record.id], '{}', v_detail);
    ELSE
      INSERT INTO audit_entries (agency, action, outcome, kind, record_ids, detail)
      VALUES (v_record.originator, p_action, 'done', v_record.kind, ARRAY[v_record.id], v_detail);
    END IF;
  END LOOP;
END $$;

CREATE FUNCTION open_conflict(p_claim operation_claims, p_with uuid, p_agency text, p_kinds text[], p_severity text, p_from_check boolean)
RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_conflict operation_conflicts;
  v_now timestamptz := clock_timestamp();
BEGIN
  INSERT INTO operation_conflicts (id, records, agencies, kinds, severity, from_check, created_at, updated_at)
  SELECT uuid7(), array_agg(s.record ORDER BY s.record), array_agg(s.agency ORDER BY s.record), p_kinds, p_severity, p_from_check, v_now, v_now
  FROM (VALUES (p_claim.record_id, p_claim.originator), (p_with, p_agency)) AS s (record, agency)
  RETURNING * INTO v_conflict;
  PERFORM tell_conflict(v_conflict, 'conflict.opened', 'conflict.open');
END $$;

-- Brings a standing conflict up to date, if anything that its sides are shown has changed. What was said to it holds no
-- more once it is worse, or the plans behind it are others and it is serious still.
CREATE FUNCTION update_conflict(p_conflict uuid, p_kinds text[], p_severity text, p_from_check boolean, p_moved boolean)
RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_was operation_conflicts;
  v_void boolean;
BEGIN
  SELECT * INTO v_was FROM operation_conflicts WHERE id = p_conflict FOR UPDATE;
  v_void := (v_was.state = 'resolved' OR array_remove(v_was.outcomes, NULL) <> '{}')
    AND (NOT p_kinds <@ v_was.kinds OR (p_severity = 'serious' AND (p_moved OR v_was.severity <> 'serious')));
  IF NOT v_void AND (v_was.kinds, v_was.severity, v_was.from_check) = (p_kinds, p_severity, p_from_check) THEN
    RETURN;
  END IF;
  UPDATE operation_conflicts SET kinds = p_kinds, severity = p_severity, from_check = p_from_check, version = version + 1,
    updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond'),
    state = CASE WHEN v_void THEN 'open' ELSE state END,
    outcomes = CASE WHEN v_void THEN ARRAY[NULL, NULL]::text[] ELSE outcomes END,
    notes = CASE WHEN v_void THEN ARRAY[NULL, NULL]::text[] ELSE notes END,
    stated_at = CASE WHEN v_void THEN ARRAY[NULL, NULL]::timestamptz[] ELSE stated_at END,
    overridden_by = CASE WHEN NOT v_void THEN overridden_by END, override_reason = CASE WHEN NOT v_void THEN override_reason END
  WHERE id = p_conflict RETURNING * INTO v_was;
  PERFORM tell_conflict(v_was, 'conflict.changed', 'conflict.change');
END $$;

CREATE FUNCTION clear_conflict(p_conflict uuid) RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_conflict operation_conflicts;
BEGIN
  UPDATE operation_conflicts SET state = 'cleared', version = version + 1,
    updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond')
  WHERE id = p_conflict RETURNING * INTO v_conflict;
  PERFORM tell_conflict(v_conflict, 'conflict.cleared', 'conflict.clear');
END $$;

-- The conflicts that a record stands in, each with the other side's record.
CREATE FUNCTION standing_conflicts(p_record uuid) RETURNS TABLE (id uuid, other uuid, from_check boolean) LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT c.id, CASE WHEN c.records[1] = p_record THEN c.records[2] ELSE c.records[1] END, c.from_check
  FROM operation_conflicts c WHERE c.records @> ARRAY[p_record] AND c.state <> 'cleared'
$$;

-- Makes the conflicts of an operation be what its claim comes to. What another's draft was told stands until that draft
-- asks again, or either of the two is over: a draft claims nothing that could be compared with.
CREATE FUNCTION settle_conflicts(p_claim operation_claims, p_live boolean, p_moved boolean) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_found record;
BEGIN
  FOR v_found IN
    SELECT h.record_id AS other, h.originator, h.kinds, h.severity, s.id AS conflict,
      s.from_check AND p_live AND NOT EXISTS (SELECT FROM operation_claims c WHERE c.record_id = s.other) AS of_a_draft
    FROM collisions(p_claim) AS h FULL JOIN standing_conflicts(p_claim.record_id) AS s ON s.other = h.record_id
    ORDER BY coalesce(h.record_id, s.other)
  LOOP
    IF v_found.conflict IS NULL THEN
      PERFORM open_conflict(p_claim, v_found.other, v_found.originator, v_found.kinds, v_found.severity, NOT p_live);
    ELSIF v_found.other IS NOT NULL THEN
      PERFORM update_conflict(v_found.conflict, v_found.kinds, v_found.severity, NOT p_live, p_moved);
    ELSIF NOT v_found.of_a_draft THEN
      PERFORM clear_conflict(v_found.conflict);
    END IF;
  END LOOP;
END $$;

-- Ends what an operation claims, and its conflicts with it.
CREATE FUNCTION release_claim(p_record uuid) RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM hold_claims();
  DELETE FROM operation_claims WHERE record_id = p_record;
  PERFORM clear_conflict(s.id) FROM standing_conflicts(p_record) AS s;
END $$;

-- Whatever ends an operation ends its claim, so that no call has to think of it: a return to draft, the end of its course,
-- a retraction, a purge.
CREATE FUNCTION end_claim() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM release_claim(r.id) FROM records r WHERE r.id = NEW.id AND NOT is_live_operation(r);
  RETURN NULL;
END $$;

-- Seconds until an agency may ask again, whose p_limit-th last run was less than a day ago; NULL if it may now.
CREATE FUNCTION seconds_to_wait(p_agency text, p_check boolean, p_limit integer) RETURNS integer LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT greatest(1, ceil(extract(epoch FROM r.at + interval '24 hours' - clock_timestamp())))::integer FROM deconfliction_runs r
  WHERE r.agency = p_agency AND r.is_check = p_check AND r.at > clock_timestamp() - interval '24 hours'
  ORDER BY r.at DESC OFFSET p_limit - 1 LIMIT 1
$$;

-- Compares an operation of the caller's agency with all that are live, and settles its conflicts. With p_check that was
-- asked for, in whatever state the operation is; otherwise a live operation's claim becomes what its plan says, and
-- nothing is done where that is what it was, or where the operation is not live. What is compared is the plan as it was
-- read at p_version.
-- Outcomes: compared (run), unchanged, over (there is nothing to be in the way of), moved (the record has another version
-- by now), limited (retry_after seconds: as many runs of this sort were the agency's within a day).
CREATE FUNCTION deconflict(
  p_record uuid, p_version integer, p_check boolean, p_starts_at timestamptz, p_ends_at timestamptz, p_latitude double precision,
  p_longitude double precision, p_radius_m double precision, p_places text[], p_identifiers text[],
  OUT outcome text, OUT run uuid, OUT retry_after integer
) LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  c_checks CONSTANT integer := 20;
  c_claims CONSTANT integer := 60;
  v_record records;
  v_claim operation_claims;
  v_live boolean;
  v_moved boolean;
  v_found uuid[];
  v_versions integer[];
BEGIN
  PERFORM hold_claims();
  SELECT * INTO v_record FROM records WHERE id = p_record AND kind = 'joint-operations' AND state = 'current' AND originator = caller_agency();
  v_live := is_live_operation(v_record);
  IF v_record.id IS NULL OR v_record.life IN ('completed', 'cancelled') THEN
    outcome := 'over';
    RETURN;
  ELSIF v_record.version <> p_version THEN
    outcome := 'moved';
    RETURN;
  END IF;
  v_claim := claim_of(v_record, p_starts_at, p_ends_at, p_latitude, p_longitude, p_radius_m, p_places, p_identifiers);
  v_moved := v_live AND NOT EXISTS (SELECT FROM operation_claims c WHERE c = v_claim);
  IF NOT p_check AND NOT v_moved THEN
    outcome := 'unchanged';
    RETURN;
  END IF;
  retry_after := seconds_to_wait(v_record.originator, p_check, CASE WHEN p_check THEN c_checks ELSE c_claims END);
  IF retry_after IS NOT NULL THEN
    outcome := 'limited';
    RETURN;
  END IF;
  IF v_moved THEN
    DELETE FROM operation_claims WHERE record_id = p_record;
    INSERT INTO operation_claims SELECT v_claim.*;
  END IF;
  PERFORM settle_conflicts(v_claim, v_live, v_moved);
  SELECT coalesce(array_agg(c.id), '{}'), coalesce(array_agg(c.version), '{}') INTO v_found, v_versions
  FROM (SELECT c.id, c.version FROM operation_conflicts c WHERE c.records @> ARRAY[p_record] AND c.state <> 'cleared'
    ORDER BY c.severity DESC, c.created_at DESC, c.id DESC) AS c;
  INSERT INTO deconfliction_runs (agency, record_id, is_check, found, versions, at)
  VALUES (v_record.originator, p_record, p_check, v_found, v_versions, clock_timestamp()) RETURNING id INTO run;
  -- Longer than a day only for whoever repeats a call at its very end.
  DELETE FROM deconfliction_runs r WHERE r.agency = v_record.originator AND r.at < clock_timestamp() - interval '48 hours';
  IF p_check THEN
    PERFORM audit('conflict.check', 'done', v_record.kind, ARRAY[p_record], '{}', jsonb_build_object('found', cardinality(v_found)));
  END IF;
  outcome := 'compared';
END $$;

CREATE FUNCTION is_own_operation(p_record uuid) RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM records r WHERE r.id = p_record AND r.originator = caller_agency())
$$;

-- A conflict as the side of this record is shown it.
CREATE FUNCTION seen_from(p_conflict operation_conflicts, p_record uuid) RETURNS conflict_view LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT ROW(p_conflict.id, p_conflict.kinds, p_conflict.severity, p_conflict.state, p_conflict.from_check, a.code, a.contact_phone, a.contact_email,
    p_conflict.outcomes[s.own], p_conflict.notes[s.own], p_conflict.stated_at[s.own],
    p_conflict.outcomes[3 - s.own], p_conflict.notes[3 - s.own], p_conflict.stated_at[3 - s.own],
    p_conflict.agencies[p_conflict.overridden_by], p_conflict.override_reason, p_conflict.version, p_conflict.created_at, p_conflict.updated_at
  )::conflict_view
  FROM (SELECT array_position(p_conflict.records, p_record) AS own) AS s JOIN agencies a ON a.code = p_conflict.agencies[3 - s.own]
$$;

-- Conflicts of an operation of the caller's agency, newest first after a place; no rows for any other record.
CREATE FUNCTION conflicts_of(p_record uuid, p_state text, p_severity text, p_at timestamptz, p_last uuid, p_limit integer)
RETURNS SETOF conflict_view LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT v.* FROM operation_conflicts c CROSS JOIN LATERAL seen_from(c, p_record) AS v
  WHERE is_own_operation(p_record) AND c.records @> ARRAY[p_record] AND (p_state IS NULL OR c.state = p_state)
    AND (p_severity IS NULL OR c.severity = p_severity) AND (c.created_at, c.id) < (p_at, p_last)
  ORDER BY c.created_at DESC, c.id DESC LIMIT p_limit
$$;

-- One of them, as it is or as it was at a version.
CREATE FUNCTION conflict_of(p_record uuid, p_id uuid, p_version integer DEFAULT NULL)
RETURNS SETOF conflict_view LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT v.* FROM operation_conflicts c
  JOIN operation_conflict_versions w ON w.conflict_id = c.id AND w.version = coalesce(p_version, c.version)
  CROSS JOIN LATERAL seen_from(jsonb_populate_record(NULL::operation_conflicts, w.entry), p_record) AS v
  WHERE is_own_operation(p_record) AND c.id = p_id AND c.records @> ARRAY[p_record]
$$;

-- What a check of the caller's agency came to: when, how many conflicts stood then, and p_limit of them, worst first.
CREATE FUNCTION check_of(p_record uuid, p_run uuid) RETURNS TABLE (at timestamptz, found integer) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT r.at, cardinality(r.found) FROM deconfliction_runs r
  WHERE r.id = p_run AND r.record_id = p_record AND r.is_check AND is_own_operation(p_record)
$$;
CREATE FUNCTION conflicts_in_check(p_record uuid, p_run uuid, p_limit integer) RETURNS SETOF conflict_view LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT v.* FROM deconfliction_runs r CROSS JOIN unnest(r.found, r.versions) WITH ORDINALITY AS f (id, version, n)
  CROSS JOIN LATERAL conflict_of(p_record, f.id, f.version) AS v
  WHERE r.id = p_run AND r.record_id = p_record AND r.is_check AND is_own_operation(p_record) ORDER BY f.n LIMIT p_limit
$$;

-- What stands in an operation's way: conflicts with a live one that are serious and open. For whoever takes part, so that
-- no other way into the operation is open than for its lead.
CREATE FUNCTION blocking_conflicts(p_record uuid) RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT c.id FROM operation_conflicts c JOIN records r ON r.id = p_record
  WHERE c.records @> ARRAY[p_record] AND c.state = 'open' AND c.severity = 'serious' AND NOT c.from_check
    AND caller_agency() = ANY (r.originator || r.parties)
  ORDER BY c.created_at, c.id
$$;

-- What the caller's side of a conflict says; with p_override it is resolved by that, otherwise once both say the same.
-- Outcomes: stated, stale.
CREATE FUNCTION state_outcome(p_record uuid, p_id uuid, p_expected integer, p_outcome text, p_note text, p_override text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_conflict operation_conflicts;
  v_own integer;
BEGIN
  SELECT * INTO v_conflict FROM operation_conflicts WHERE id = p_id AND records @> ARRAY[p_record] AND is_own_operation(p_record) FOR UPDATE;
  IF NOT FOUND OR v_conflict.version <> p_expected OR v_conflict.state <> 'open' THEN
    RETURN 'stale';
  END IF;
  v_own := array_position(v_conflict.records, p_record);
  v_conflict.outcomes[v_own] := p_outcome;
  v_conflict.notes[v_own] := p_note;
  v_conflict.stated_at[v_own] := clock_timestamp();
  UPDATE operation_conflicts SET outcomes = v_conflict.outcomes, notes = v_conflict.notes, stated_at = v_conflict.stated_at,
    overridden_by = CASE WHEN p_override IS NOT NULL THEN v_own END, override_reason = p_override,
    state = CASE WHEN p_override IS NOT NULL OR v_conflict.outcomes[1] = v_conflict.outcomes[2] THEN 'resolved' ELSE 'open' END,
    version = version + 1, updated_at = greatest(v_conflict.stated_at[v_own], updated_at + interval '1 microsecond')
  WHERE id = p_id RETURNING * INTO v_conflict;
  IF v_conflict.state = 'resolved' THEN
    PERFORM tell_conflict(v_conflict, 'conflict.resolved', CASE WHEN p_override IS NULL THEN 'conflict.resolve' ELSE 'conflict.override' END);
  ELSE
    PERFORM tell_conflict(v_conflict, 'conflict.changed', 'conflict.state');
  END IF;
  RETURN 'stated';
END $$;

-- Takes what a purged operation's lead said out of its conflicts, which are the other side's too.
CREATE FUNCTION forget_conflicts(p_record uuid) RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  c_gone CONSTANT text := 'The operation has been purged since.';
  v_conflict operation_conflicts;
  v_own integer;
BEGIN
  DELETE FROM deconfliction_runs WHERE record_id = p_record;
  FOR v_conflict IN SELECT * FROM operation_conflicts WHERE records @> ARRAY[p_record] FOR UPDATE LOOP
    DELETE FROM operation_conflict_versions WHERE conflict_id = v_conflict.id;
    v_own := array_position(v_conflict.records, p_record);
    UPDATE operation_conflicts SET version = version + 1, updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond'),
      notes[v_own] = CASE WHEN notes[v_own] IS NOT NULL THEN c_gone END,
      override_reason = CASE WHEN overridden_by = v_own THEN c_gone ELSE override_reason END
    WHERE id = v_conflict.id RETURNING * INTO v_conflict;
    INSERT INTO operation_conflict_versions VALUES (v_conflict.id, v_conflict.version, to_jsonb(v_conflict));
  END LOOP;
END $$;

REVOKE ALL ON FUNCTION great_circle_m, box_around, target_digest, is_live_operation, hold_claims, claim_of, collisions, tell_conflict,
  open_conflict, update_conflict, clear_conflict, standing_conflicts, settle_conflicts, release_claim, end_claim, seconds_to_wait,
  deconflict, is_own_operation, seen_from, conflicts_of, conflict_of, check_of, conflicts_in_check, blocking_conflicts, state_outcome,
  forget_conflicts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION deconflict, conflicts_of, conflict_of, check_of, conflicts_in_check, blocking_conflicts, state_outcome
  TO interdesk_api, interdesk_worker;
GRANT EXECUTE ON FUNCTION end_claim TO interdesk_owner;
RESET ROLE;

-- Deferred: the lock on the claims is the last that a transaction takes, or two could wait for each other.
CREATE CONSTRAINT TRIGGER records_end_claim AFTER UPDATE OF state, life ON records DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (OLD.kind = 'joint-operations' AND (OLD.state, OLD.life) IS DISTINCT FROM (NEW.state, NEW.life)) EXECUTE FUNCTION end_claim();
SET LOCAL ROLE interdesk_engine;
REVOKE EXECUTE ON FUNCTION end_claim FROM interdesk_owner;
RESET ROLE;
