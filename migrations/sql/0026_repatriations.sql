-- Requests to bring people home: which side an agency is on, the steps they took, and what the sides wrote to each other.

CREATE TABLE repatriation_steps (
  record_id uuid NOT NULL REFERENCES records (id),
  number integer NOT NULL,
  -- NULL: the request was drafted.
  from_state text,
  state text NOT NULL,
  -- Whose doing it was; NULL where it followed from a transport.
  agency text,
  at timestamptz NOT NULL,
  PRIMARY KEY (record_id, number)
);

-- Messages are added and never changed; only the purge of the request deletes them.
CREATE TABLE repatriation_messages (
  id uuid PRIMARY KEY,
  record_id uuid NOT NULL REFERENCES records (id),
  agency text NOT NULL REFERENCES agencies (code),
  officer text,
  -- The two agencies between which it was written: one that is asked later in the place of another does not read it.
  sides text[] NOT NULL,
  text text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX repatriation_messages_newest ON repatriation_messages (record_id, created_at DESC);

DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['repatriation_steps', 'repatriation_messages'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
    EXECUTE format('GRANT SELECT, INSERT, DELETE ON %I TO interdesk_engine', v_table);
    EXECUTE format('GRANT SELECT ON %I TO interdesk_api, interdesk_worker', v_table);
  END LOOP;
END $$;

-- Both sub-selects are under the caller's own policy on records.
CREATE POLICY parties ON repatriation_steps FOR SELECT TO interdesk_api, interdesk_worker USING (EXISTS (
  SELECT FROM records r WHERE r.id = record_id AND (r.originator = caller_agency()
    OR (caller_agency() = ANY (r.parties) AND r.state = 'current' AND (NOT r.covered OR lies_open(r.id))))));
CREATE POLICY sides ON repatriation_messages FOR SELECT TO interdesk_api, interdesk_worker USING (
  caller_agency() = ANY (sides) AND EXISTS (
    SELECT FROM records r WHERE r.id = record_id AND (r.originator = caller_agency()
      OR (r.state = 'current' AND (NOT r.covered OR lies_open(r.id))))));

SET LOCAL ROLE interdesk_engine;

-- What a request is filtered by, by its name.
CREATE FUNCTION facet_of(p_record records, p_name text) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT substr(f, length(p_name) + 2) FROM unnest(p_record.facets) AS f WHERE f ^@ (p_name || ':')
$$;

-- The agency that a request asks.
CREATE FUNCTION requested_agency(p_record records) RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT facet_of(p_record, 'requested_agency')
$$;

-- Whether the caller sees a request and is one of its two sides; transit agencies only read.
CREATE FUNCTION on_a_side(p_record records) RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT takes_part(p_record) AND caller_agency() IN (p_record.originator, requested_agency(p_record))
$$;

CREATE OR REPLACE FUNCTION may_write_persons(p_record records) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT takes_part(p_record) AND (p_record.originator = caller_agency()
    OR (p_record.kind = 'repatriation-requests' AND on_a_side(p_record) AND carries_persons(p_record.id)))
$$;

-- A row for every change of a request's state, whatever call it came from.
CREATE FUNCTION keep_repatriation_step() RETURNS trigger LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO repatriation_steps (record_id, number, from_state, state, agency, at)
  SELECT NEW.id, count(*) + 1, CASE WHEN TG_OP = 'UPDATE' THEN OLD.life END, NEW.life,
    CASE WHEN caller_agency() IN (NEW.originator, requested_agency(NEW)) AND current_setting('interdesk.follows', true) IS DISTINCT FROM 'transport'
      THEN caller_agency() END, NEW.updated_at
  FROM repatriation_steps s WHERE s.record_id = NEW.id;
  RETURN NULL;
END $$;

-- A document with other values for some of its fields: all others keep their place and their text.
CREATE FUNCTION restated(p_document text, p_values jsonb) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT '{' || string_agg(to_json(e.key)::text || ':' || coalesce((p_values -> e.key)::text, e.value::text), ',' ORDER BY e.place) || '}'
  FROM json_each(p_document::json) WITH ORDINALITY AS e (key, value, place)
$$;

-- Moves a request along with the transport that carries its people: whoever moves the transport need not see it, so the
-- step has no agency, and the audit names none. False where the request is in none of p_sources, or is no more.
CREATE FUNCTION move_repatriation(
  p_record uuid, p_action text, p_sources text[], p_state text, p_event text, p_detail jsonb DEFAULT NULL
) RETURNS boolean LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_was records;
  v_at timestamptz;
  v_values jsonb;
  v_now records;
BEGIN
  SELECT * INTO v_was FROM records r WHERE r.id = p_record AND r.kind = 'repatriation-requests' AND r.state = 'current'
    AND r.life = ANY (p_sources) FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  v_at := greatest(clock_timestamp(), v_was.updated_at + interval '1 microsecond');
  v_values := jsonb_build_object('version', v_was.version + 1, 'state', p_state, 'updated_at', utc_text(v_at), 'state_reason', NULL);
  -- A side may organize the transport: the step is not its own all the same.
  PERFORM set_config('interdesk.follows', 'transport', true);
  UPDATE records SET version = version + 1, updated_at = v_at, life = p_state,
    facets = array_replace(facets, 'state:' || v_was.life, 'state:' || p_state),
    document = restated(document, v_values), shared_document = restated(shared_document, v_values)
  WHERE id = p_record RETURNING * INTO v_now;
  PERFORM set_config('interdesk.follows', '', true);
  INSERT INTO record_versions (record_id, version, at, changed, document, shared_document)
  VALUES (p_record, v_now.version, v_at, ARRAY['state'], v_now.document, v_now.shared_document);
  PERFORM announce('record.updated', v_now.kind, p_record, v_now.reference, v_now.version, v_now.audience, v_now.excluded);
  PERFORM announce(p_event, v_now.kind, p_record, v_now.reference, v_now.version, v_now.audience, v_now.excluded, true, p_detail);
  INSERT INTO audit_entries (action, outcome, kind, record_ids, originators, detail)
  VALUES (p_action, 'done', v_now.kind, ARRAY[p_record], ARRAY[v_now.originator], jsonb_build_object('version', v_now.version));
  RETURN true;
END $$;

-- Writes a message for the caller's side; the other is told. Each is later than those before it. Outcomes: written; hidden
-- (not on a side of a request that stands).
CREATE FUNCTION write_repatriation_message(p_id uuid, p_record uuid, p_text text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
  v_sides text[];
BEGIN
  SELECT * INTO v_record FROM records r WHERE r.id = p_record AND r.kind = 'repatriation-requests' AND r.state = 'current'
    AND r.life <> 'draft' AND on_a_side(r) AND (NOT r.covered OR lies_open(r.id)) FOR SHARE;
  IF NOT FOUND THEN
    RETURN 'hidden';
  END IF;
  v_sides := ARRAY[v_record.originator, requested_agency(v_record)];
  PERFORM pg_advisory_xact_lock(hashtextextended('interdesk.repatriation_messages ' || p_record, 0));
  INSERT INTO repatriation_messages (id, record_id, agency, officer, sides, text, created_at)
  SELECT p_id, p_record, caller_agency(), nullif(current_setting('interdesk.officer', true), ''), v_sides, p_text,
    greatest(clock_timestamp(), max(m.created_at) + interval '1 microsecond')
  FROM repatriation_messages m WHERE m.record_id = p_record;
  PERFORM announce('repatriation.message', v_record.kind, p_record, v_record.reference, v_record.version,
    v_sides, v_record.excluded, true, jsonb_build_object('message', p_id));
  PERFORM audit('repatriation.message', 'done', v_record.kind, ARRAY[p_record], ARRAY[v_record.originator], jsonb_build_object('message', p_id));
  RETURN 'written';
END $$;

REVOKE ALL ON FUNCTION facet_of, requested_agency, on_a_side, keep_repatriation_step, restated, move_repatriation, write_repatriation_message FROM PUBLIC;
GRANT EXECUTE ON FUNCTION write_repatriation_message TO interdesk_api, interdesk_worker;
GRANT EXECUTE ON FUNCTION keep_repatriation_step TO interdesk_owner;
RESET ROLE;

CREATE TRIGGER repatriation_drafted AFTER INSERT ON records FOR EACH ROW
  WHEN (NEW.kind = 'repatriation-requests') EXECUTE FUNCTION keep_repatriation_step();
CREATE TRIGGER repatriation_moved AFTER UPDATE OF life ON records FOR EACH ROW
  WHEN (NEW.kind = 'repatriation-requests' AND NEW.state = 'current' AND NEW.life IS DISTINCT FROM OLD.life)
  EXECUTE FUNCTION keep_repatriation_step();
