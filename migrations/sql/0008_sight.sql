-- Gain and loss of sight that no record's own change brings: memberships, agreements and emergencies begin and end, and
-- whoever sees more or less by it is told of every record, by the worker, without the records being touched.

-- A change of principals whose records are still to be announced to the agency: those with one of `principals` in
-- their audience, in the order of record_sight_by_creation, up to the place reached.
CREATE TABLE sight_changes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  agency text NOT NULL REFERENCES agencies (code),
  -- The group or agreement by which they changed.
  source_id uuid NOT NULL,
  principals text[] NOT NULL,
  before text[] NOT NULL,
  after text[] NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  done_kind text NOT NULL DEFAULT '',
  done_at timestamptz NOT NULL DEFAULT '-infinity',
  done_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000'
);
CREATE INDEX sight_changes_by_agency ON sight_changes (agency, id);
-- Records of a waiting change that were announced out of turn, because their own audience changed first.
CREATE TABLE sight_settled (change_id bigint NOT NULL, record_id uuid NOT NULL, PRIMARY KEY (change_id, record_id));
DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['sight_changes', 'sight_settled'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO interdesk_engine', v_table);
  END LOOP;
END $$;

-- Before a record's audience changes, those with a waiting change are told what that one did for this record. What the
-- writer itself announces then starts from there, and the worker need not come back to the record.
CREATE FUNCTION settle_sight() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_audience text[] := NEW.audience;
  v_change sight_changes;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    v_audience := v_audience || OLD.audience;
  END IF;
  PERFORM settle_expired(v_audience);
  PERFORM hold_principals(v_audience);
  FOR v_change IN
    SELECT c.* FROM sight_changes c WHERE c.principals && v_audience
      AND (c.done_kind, c.done_at, c.done_id) < (NEW.kind, NEW.created_at, NEW.id)
      AND NOT EXISTS (SELECT FROM sight_settled s WHERE s.change_id = c.id AND s.record_id = NEW.id)
    ORDER BY c.id
  LOOP
    IF TG_OP = 'UPDATE' THEN
      PERFORM tell_sight(v_change, OLD);
    END IF;
    INSERT INTO sight_settled (change_id, record_id) VALUES (v_change.id, NEW.id);
  END LOOP;
  RETURN NEW;
END $$;

-- Most records name agencies alone, and pay nothing for those that do not.
CREATE TRIGGER records_settle_new BEFORE INSERT ON records FOR EACH ROW
  WHEN (array_to_string(NEW.audience, ' ') ~ '[:@!]') EXECUTE FUNCTION settle_sight();
CREATE TRIGGER records_settle_changed BEFORE UPDATE OF audience, excluded ON records FOR EACH ROW
  WHEN (array_to_string(OLD.audience || NEW.audience, ' ') ~ '[:@!]') EXECUTE FUNCTION settle_sight();

-- A trigger runs as whoever owns its function, and definer functions are the engine's.
REVOKE ALL ON FUNCTION settle_sight FROM PUBLIC;
ALTER FUNCTION settle_sight OWNER TO interdesk_engine;

SET LOCAL ROLE interdesk_engine;

-- Who writes for a group or on an agreement and who changes either wait for one another, so that everybody who sees a
-- record because of it is told once: by the writer if the membership or agreement came first, by the latter otherwise.
CREATE FUNCTION sight_key(p_source text) RETURNS bigint LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT hashtextextended('interdesk.sight ' || p_source, 0)
$$;
CREATE FUNCTION hold_principals(p_principals text[]) RETURNS void LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
  -- In one order for everybody, so that no two wait for each other.
  SELECT pg_advisory_xact_lock_shared(key) FROM (
    SELECT DISTINCT sight_key(source) AS key
    FROM unnest(p_principals) AS p CROSS JOIN LATERAL (VALUES (substring(p FROM ':([^@]+)')), (substring(p FROM '@(.+)$'))) AS s (source)
    WHERE source IS NOT NULL ORDER BY key) AS held
$$;

-- What each agency stands for now, for note_sight_changes() to compare with.
CREATE FUNCTION principals_now(p_agencies text[]) RETURNS jsonb LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM FROM agencies WHERE code = ANY (p_agencies) ORDER BY code FOR NO KEY UPDATE;
  RETURN (SELECT coalesce(jsonb_object_agg(a, (SELECT coalesce(jsonb_agg(principal), '[]') FROM principals_of(a))), '{}')
    FROM unnest(p_agencies) AS a);
END $$;

-- Leaves to the worker to tell each agency what it sees and sees no more, where it stands for something else than before.
CREATE FUNCTION note_sight_changes(p_source uuid, p_before jsonb) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_agency text;
  v_before text[];
  v_after text[];
  v_changed text[];
BEGIN
  FOR v_agency IN SELECT jsonb_object_keys(p_before) ORDER BY 1 LOOP
    v_before := ARRAY(SELECT DISTINCT jsonb_array_elements_text(p_before -> v_agency));
    v_after := ARRAY(SELECT principal FROM principals_of(v_agency));
    v_changed := ARRAY((SELECT unnest(v_before) EXCEPT SELECT unnest(v_after))
      UNION ALL (SELECT unnest(v_after) EXCEPT SELECT unnest(v_before)));
    IF v_changed <> '{}' THEN
      INSERT INTO sight_changes (agency, source_id, principals, before, after) VALUES (v_agency, p_source, v_changed, v_before, v_after);
      PERFORM queue_job('tell_sight_changes');
    END IF;
  END LOOP;
END $$;

-- Tells an agency of a record that it began or ceased to see by a change of its principals, and nothing otherwise.
CREATE FUNCTION tell_sight(p_change sight_changes, p_record records) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_saw boolean := p_record.audience && p_change.before;
  v_sees boolean := p_record.audience && p_change.after;
BEGIN
  IF v_saw = v_sees OR p_change.agency = ANY (p_record.excluded) THEN
    RETURN;
  END IF;
  PERFORM announce(CASE WHEN v_sees THEN 'record.shared' ELSE 'record.lost' END, p_record.kind, p_record.id, p_record.reference,
    CASE WHEN v_sees THEN p_record.version END, ARRAY[p_change.agency], '{}', v_sees);
  IF v_sees THEN
    PERFORM supersede_recalls(p_record.id, ARRAY[p_change.agency]);
  END IF;
END $$;

-- Works off the next batch of the oldest change of some agency; false when nothing waits. One call is one transaction:
-- the events and the place reached are kept together or not at all.
CREATE FUNCTION tell_sight_changes(p_batch integer) RETURNS boolean LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_change sight_changes;
  v_page record;
  v_last record;
  v_count integer := 0;
BEGIN
  SELECT * INTO v_change FROM sight_changes c
  WHERE NOT EXISTS (SELECT FROM sight_changes older WHERE older.agency = c.agency AND older.id < c.id)
  ORDER BY c.id LIMIT 1 FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM pg_advisory_xact_lock(sight_key(v_change.source_id::text));
  FOR v_page IN
    SELECT DISTINCT s.kind, s.created_at, s.record_id
    FROM unnest(v_change.principals) AS changed (principal) CROSS JOIN LATERAL (
      SELECT s.kind, s.created_at, s.record_id FROM record_sight s
      WHERE s.principal = changed.principal
        AND (s.kind, s.created_at, s.record_id) > (v_change.done_kind, v_change.done_at, v_change.done_id)
      ORDER BY s.kind, s.created_at, s.record_id LIMIT p_batch) AS s
    ORDER BY s.kind, s.created_at, s.record_id LIMIT p_batch
  LOOP
    PERFORM tell_sight(v_change, r) FROM records r WHERE r.id = v_page.record_id
      AND NOT EXISTS (SELECT FROM sight_settled s WHERE s.change_id = v_change.id AND s.record_id = r.id);
    v_count := v_count + 1;
    v_last := v_page;
  END LOOP;
  IF v_count < p_batch THEN
    DELETE FROM sight_settled WHERE change_id = v_change.id;
    DELETE FROM sight_changes WHERE id = v_change.id;
  ELSE
    UPDATE sight_changes SET done_kind = v_last.kind, done_at = v_last.created_at, done_id = v_last.record_id
    WHERE id = v_change.id;
  END IF;
  RETURN true;
END $$;

-- Puts an agreement in force or takes it out; its parties gain or lose at once what rests on it.
CREATE FUNCTION set_agreement_force(p_agreement uuid, p_in_force boolean) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_parties text[];
  v_before jsonb;
  v_expired jsonb;
BEGIN
  PERFORM pg_advisory_xact_lock(sight_key(p_agreement::text));
  IF (SELECT (in_force_since IS NOT NULL) = p_in_force FROM agreements WHERE id = p_agreement) THEN
    RETURN;
  END IF;
  v_parties := ARRAY(SELECT agency FROM agreement_parties WHERE agreement_id = p_agreement ORDER BY agency);
  v_before := principals_now(v_parties);
  IF NOT p_in_force THEN
    -- Past its last day nobody holds its principals any more, and nobody has been told yet.
    SELECT jsonb_object_agg(a, (v_before -> a) || (SELECT coalesce(jsonb_agg(principal), '[]') FROM principals_by_agreement(a, p_agreement)))
    INTO v_before FROM unnest(v_parties) AS a;
  END IF;
  UPDATE agencies SET conditional_sight = true WHERE code = ANY (v_parties) AND NOT conditional_sight;
  UPDATE agreements SET in_force_since = CASE WHEN p_in_force THEN clock_timestamp() END WHERE id = p_agreement;
  PERFORM note_sight_changes(p_agreement, v_before);
END $$;

-- Takes the agreements among an audience's that have passed their last day out of force, before anything is compared
-- with what their parties saw.
CREATE FUNCTION settle_expired(p_principals text[]) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_agreement uuid;
BEGIN
  FOR v_agreement IN
    SELECT id FROM agreements WHERE in_force_since IS NOT NULL AND NOT is_in_force(in_force_since, valid_until)
      AND id IN (SELECT substring(p FROM '@(.+)$')::uuid FROM unnest(p_principals) AS p WHERE p ~ '@') ORDER BY id
  LOOP
    PERFORM set_agreement_force(v_agreement, false);
  END LOOP;
END $$;

-- Ends emergencies whose moment has passed, at most 500 in one call, and tells those who see the record no more; how many.
CREATE FUNCTION lapse_emergencies() RETURNS integer LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_emergency emergencies;
  v_count integer := 0;
BEGIN
  FOR v_emergency IN
    SELECT * FROM emergencies WHERE ended_at IS NULL AND until <= clock_timestamp() ORDER BY until LIMIT 500 FOR UPDATE SKIP LOCKED
  LOOP
    PERFORM lapse_emergency(v_emergency);
    v_count := v_count + 1;
  END LOOP;
  RETURN v_count;
END $$;
CREATE FUNCTION lapse_emergency(p_emergency emergencies) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
BEGIN
  UPDATE emergencies SET ended_at = clock_timestamp() WHERE disclosure_id = p_emergency.disclosure_id AND agency = p_emergency.agency;
  SELECT * INTO STRICT v_record FROM records WHERE id = p_emergency.record_id;
  IF NOT p_emergency.agency = ANY (agencies_of(v_record.audience, v_record.excluded)) THEN
    PERFORM announce('record.lost', v_record.kind, v_record.id, v_record.reference, NULL, ARRAY[p_emergency.agency], '{}', false);
  END IF;
  PERFORM announce('emergency.lapsed', v_record.kind, v_record.id, v_record.reference, v_record.version,
    ARRAY[v_record.originator], '{}', true, jsonb_build_object('disclosure', p_emergency.disclosure_id, 'agency', p_emergency.agency));
END $$;
-- The same for one record, before its audience changes: what ended already is told first.
CREATE FUNCTION lapse_emergencies_of(p_record uuid) RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT lapse_emergency(e) FROM (SELECT * FROM emergencies WHERE record_id = p_record AND ended_at IS NULL AND until <= clock_timestamp()
    ORDER BY disclosure_id, agency FOR UPDATE) AS e
$$;

REVOKE ALL ON FUNCTION sight_key, hold_principals, principals_now, note_sight_changes, tell_sight, tell_sight_changes,
  set_agreement_force, settle_expired, lapse_emergencies, lapse_emergency, lapse_emergencies_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tell_sight_changes, lapse_emergencies TO interdesk_worker;
RESET ROLE;
