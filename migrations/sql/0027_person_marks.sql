-- Whether two persons are one, without knowing either: of each person of a repatriation request keyed hashes of what
-- identifies them stand here. Only whoever has the master key can make one, and `interdesk backup` leaves them out: with them
-- a guess at a name could be proved of somebody whom the hub was made to forget.

CREATE TABLE person_marks (
  person_id uuid NOT NULL REFERENCES persons (id) ON DELETE CASCADE,
  -- HMAC-SHA-256 of a document's issuer and number, or of a birth date and a name.
  mark bytea NOT NULL CHECK (octet_length(mark) = 32),
  -- Since when it is known.
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (person_id, mark)
);
CREATE INDEX person_marks_by_mark ON person_marks (mark);

-- Which agency was told that somebody who is to be deported stands on a live extradition request.
CREATE TABLE extradition_flags (
  person_id uuid NOT NULL REFERENCES persons (id) ON DELETE CASCADE,
  agency text NOT NULL,
  told_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (person_id, agency)
);

DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['person_marks', 'extradition_flags'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO interdesk_engine', v_table);
  END LOOP;
END $$;

SET LOCAL ROLE interdesk_engine;

-- Whether a request is under way, by which people are to go home in this manner.
CREATE FUNCTION is_live_request(p_record records, p_legal_act text) RETURNS boolean LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT p_record.kind = 'repatriation-requests' AND p_record.state = 'current' AND ('legal_act:' || p_legal_act) = ANY (p_record.facets)
    AND p_record.life IN ('submitted', 'acknowledged', 'accepted', 'cleared', 'scheduled', 'on_hold', 'in_transit')
$$;

-- The persons of a live deportation request who stand on a live extradition request too, as far as an agency sees the persons
-- of both, and since when that is so.
CREATE FUNCTION extraditions_pending(p_record records, p_agency text) RETURNS TABLE (person_id uuid, since timestamptz) LANGUAGE plpgsql
STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN QUERY SELECT p.id, max(greatest(m.at, o.at, c.submitted_at))
  FROM persons p JOIN person_marks m ON m.person_id = p.id
  JOIN person_marks o ON o.mark = m.mark AND o.person_id <> p.id
  JOIN persons q ON q.id = o.person_id AND q.record_id <> p_record.id
  JOIN records r ON r.id = q.record_id AND is_live_request(r, 'extradition')
  JOIN checklists c ON c.record_id = r.id
  WHERE p.record_id = p_record.id AND is_live_request(p_record, 'deportation')
    AND sees_persons(p_record, p_agency) AND sees_persons(r, p_agency)
  GROUP BY p.id;
END $$;

-- Requests with a person who has a mark in common with somebody of another one; with one of p_records among the two, unless
-- that is NULL.
CREATE FUNCTION requests_with_marks_in_common(p_records uuid[]) RETURNS uuid[] LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT ARRAY(SELECT DISTINCT e.id FROM persons p JOIN person_marks m ON m.person_id = p.id
    JOIN person_marks o ON o.mark = m.mark AND o.person_id <> p.id JOIN persons q ON q.id = o.person_id AND q.record_id <> p.record_id
    CROSS JOIN LATERAL (VALUES (p.record_id), (q.record_id)) AS e (id)
    WHERE p_records IS NULL OR p.record_id = ANY (p_records))
$$;

-- Tells every agency that sees both, once, of each person of these requests, or of all, who is to be deported while an
-- extradition is pending. It is told of the one request and of no other: sight of that may end. How many it told.
CREATE FUNCTION tell_extraditions(p_records uuid[] DEFAULT NULL) RETURNS integer LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
  v_agency text;
  v_person uuid;
  v_count integer := 0;
BEGIN
  FOR v_record IN
    SELECT r.* FROM records r WHERE r.id = ANY (requests_with_marks_in_common(p_records)) AND is_live_request(r, 'deportation') ORDER BY r.id
  LOOP
    FOREACH v_agency IN ARRAY agencies_of(v_record.audience, v_record.excluded) LOOP
      FOR v_person IN
        INSERT INTO extradition_flags (person_id, agency)
        SELECT f.person_id, v_agency FROM extraditions_pending(v_record, v_agency) AS f ON CONFLICT DO NOTHING RETURNING person_id
      LOOP
        PERFORM announce('repatriation.flagged', v_record.kind, v_record.id, v_record.reference, v_record.version, ARRAY[v_agency], '{}', true,
          jsonb_build_object('person', v_person));
        INSERT INTO audit_entries (agency, action, outcome, kind, record_ids, detail)
        VALUES (v_agency, 'repatriation.flag', 'done', v_record.kind, ARRAY[v_record.id], jsonb_build_object('person', v_person));
        v_count := v_count + 1;
      END LOOP;
    END LOOP;
  END LOOP;
  RETURN v_count;
END $$;

-- Puts the marks of a person of a repatriation request in place of those that it had. Outcomes: marked, closed.
CREATE FUNCTION mark_person(p_id uuid, p_record uuid, p_marks bytea[]) RETURNS text LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records := record_of_person(p_record);
BEGIN
  PERFORM FROM persons WHERE id = p_id AND record_id = v_record.id AND v_record.kind = 'repatriation-requests';
  IF NOT FOUND THEN
    RETURN 'closed';
  END IF;
  DELETE FROM person_marks WHERE person_id = p_id AND NOT mark = ANY (p_marks);
  INSERT INTO person_marks (person_id, mark) SELECT DISTINCT p_id, m FROM unnest(p_marks) AS m ON CONFLICT DO NOTHING;
  PERFORM tell_extraditions(ARRAY[p_record]);
  RETURN 'marked';
END $$;

-- A request that is submitted, becomes another act or is opened to others may stand against another from then on.
CREATE FUNCTION follow_legal_act() RETURNS trigger LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM tell_extraditions(ARRAY[NEW.id]);
  RETURN NULL;
END $$;

-- Brings marks back that were kept apart from a backup, for persons that have theirs no more.
CREATE FUNCTION adopt_person_marks(p_persons uuid[], p_marks bytea[]) RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF caller_has_role('operator') IS NOT TRUE THEN
    RAISE EXCEPTION 'only the operator brings marks back' USING ERRCODE = 'insufficient_privilege';
  END IF;
  INSERT INTO person_marks (person_id, mark) SELECT n.person_id, n.mark FROM unnest(p_persons, p_marks) AS n (person_id, mark)
  WHERE EXISTS (SELECT FROM persons p WHERE p.id = n.person_id) ON CONFLICT DO NOTHING;
END $$;

REVOKE ALL ON FUNCTION is_live_request, extraditions_pending, requests_with_marks_in_common, tell_extraditions, mark_person,
  follow_legal_act, adopt_person_marks FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mark_person TO interdesk_api, interdesk_worker;
GRANT EXECUTE ON FUNCTION tell_extraditions, adopt_person_marks TO interdesk_worker;
GRANT EXECUTE ON FUNCTION follow_legal_act TO interdesk_owner;
RESET ROLE;

-- When the transaction ends: who sees a request stands in it only after it says that it was submitted.
CREATE CONSTRAINT TRIGGER requests_meet_extraditions AFTER UPDATE OF life, facets, audience, excluded ON records
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (NEW.kind = 'repatriation-requests' AND NEW.state = 'current'
    AND (NEW.life, NEW.facets, NEW.audience, NEW.excluded) IS DISTINCT FROM (OLD.life, OLD.facets, OLD.audience, OLD.excluded))
  EXECUTE FUNCTION follow_legal_act();
