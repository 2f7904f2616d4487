-- Persons: whom a record is about. What identifies them is closed with a key of each person's own before it comes here,
-- so this database never sees it. Those keys stand in tables of their own, wrapped, and `interdesk backup` leaves these
-- tables out: with a key deleted here, what backups hold of the person can be opened by nobody.

-- Key-encryption keys, sealed with the master key, for the keys of persons and of attachments. The newest one wraps;
-- others are there while a rotation is under way.
CREATE TABLE person_keks (
  id uuid PRIMARY KEY,
  sealed bytea NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE persons (
  id uuid PRIMARY KEY,
  record_id uuid NOT NULL REFERENCES records (id),
  -- Who entered the person.
  agency text NOT NULL REFERENCES agencies (code),
  version integer NOT NULL DEFAULT 1,
  -- Nonce, ciphertext and tag, bound to the ids and the version beside it.
  sealed bytea NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
-- Ciphertext cannot be compressed.
ALTER TABLE persons ALTER sealed SET STORAGE EXTERNAL;
CREATE INDEX persons_by_record ON persons (record_id, created_at DESC, id DESC);

-- Versions that a repeated call may still ask for: for a day, since errors that were corrected are not to be kept.
CREATE TABLE person_versions (
  person_id uuid NOT NULL REFERENCES persons (id),
  version integer NOT NULL,
  sealed bytea NOT NULL,
  made_at timestamptz NOT NULL,
  PRIMARY KEY (person_id, version)
);
CREATE INDEX person_versions_by_age ON person_versions (made_at);

CREATE TABLE person_keys (
  person_id uuid PRIMARY KEY REFERENCES persons (id),
  kek_id uuid NOT NULL REFERENCES person_keks (id),
  wrapped bytea NOT NULL
);
CREATE INDEX person_keys_by_kek ON person_keys (kek_id);

CREATE TRIGGER persons_of_what_stands AFTER INSERT ON persons FOR EACH ROW EXECUTE FUNCTION refuse_purged('record_id');

DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['person_keks', 'persons', 'person_versions', 'person_keys'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO interdesk_engine', v_table);
    EXECUTE format('GRANT SELECT ON %I TO interdesk_api', v_table);
  END LOOP;
END $$;

SET LOCAL ROLE interdesk_engine;

-- Whether an agreement that a principal rests on, if it does on one, covers data of persons.
CREATE FUNCTION principal_carries_persons(p_principal text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT p_principal !~ '@' OR EXISTS (
    SELECT FROM agreements a WHERE a.id = split_part(p_principal, '@', 2)::uuid AND a.persons_data)
$$;

-- Whether what the caller sees of a record rests on something that covers data of persons.
CREATE FUNCTION carries_persons(p_record uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM records r CROSS JOIN LATERAL unnest(r.audience) AS a (principal)
    WHERE r.id = p_record AND NOT caller_agency() = ANY (r.excluded)
      AND a.principal = ANY (string_to_array(current_setting('interdesk.principals', true), ','))
      AND principal_carries_persons(a.principal))
$$;

-- The same for any agency, with everything else that lets it see a record's persons: for telling it of them.
CREATE FUNCTION sees_persons(p_record records, p_agency text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT p_agency = p_record.originator OR (p_record.state = 'current' AND NOT p_agency = ANY (p_record.excluded)
    AND EXISTS (SELECT FROM principals_of(p_agency) AS p
      WHERE p.principal = ANY (p_record.audience) AND principal_carries_persons(p.principal))
    AND (NOT p_record.covered OR EXISTS (SELECT FROM caveat_acknowledgements c WHERE c.record_id = p_record.id AND c.agency = p_agency
      AND c.caveat_hash = sha256(convert_to(p_record.handling ->> 'caveat', 'UTF8')))))
$$;

-- Whether the caller may enter, change and remove the persons of a record: its originator, and both sides of a request to
-- bring people home.
CREATE FUNCTION may_write_persons(p_record records) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT takes_part(p_record) AND (p_record.originator = caller_agency()
    OR (p_record.kind = 'repatriation-requests' AND carries_persons(p_record.id)))
$$;

REVOKE ALL ON FUNCTION principal_carries_persons, carries_persons, sees_persons, may_write_persons FROM PUBLIC;
GRANT EXECUTE ON FUNCTION carries_persons TO interdesk_api, interdesk_worker;
RESET ROLE;

-- Persons are seen with their record: by its originator, and by readers while it stands, once its caveat is acknowledged.
CREATE POLICY with_the_record ON persons FOR SELECT TO interdesk_api USING (EXISTS (
  SELECT FROM records r WHERE r.id = record_id AND (r.originator = caller_agency()
    OR (r.state = 'current' AND (NOT r.covered OR lies_open(r.id)) AND carries_persons(r.id)))));
CREATE POLICY with_the_person ON person_versions FOR SELECT TO interdesk_api USING (EXISTS (SELECT FROM persons p WHERE p.id = person_id));
CREATE POLICY with_the_person ON person_keys FOR SELECT TO interdesk_api USING (EXISTS (SELECT FROM persons p WHERE p.id = person_id));
-- Worth nothing without the master key, which is not in the database.
CREATE POLICY callers ON person_keks FOR SELECT TO interdesk_api USING (caller_agency() IS NOT NULL);

SET LOCAL ROLE interdesk_engine;

-- ---------------------------------------------------------------------------------------------------------- the calls
-- The key that wraps now, held until the end of the transaction, so that no rotation ends meanwhile; no row before the
-- first person.
CREATE FUNCTION person_kek() RETURNS TABLE (id uuid, sealed bytea) LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT k.id, k.sealed FROM person_keks k WHERE caller_agency() IS NOT NULL ORDER BY k.created_at DESC, k.id DESC LIMIT 1 FOR KEY SHARE
$$;

-- The first key of an installation: two calls that come at once agree on one.
CREATE FUNCTION found_person_kek(p_id uuid, p_sealed bytea) RETURNS TABLE (id uuid, sealed bytea) LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('interdesk.person_keks', 0));
  INSERT INTO person_keks (id, sealed, created_at)
  SELECT p_id, p_sealed, clock_timestamp() WHERE caller_agency() IS NOT NULL AND NOT EXISTS (SELECT FROM person_keks);
  RETURN QUERY SELECT k.id, k.sealed FROM person_kek() AS k;
END $$;

-- The record of a call that writes a person, held against a purge; all NULL where the caller may not write there.
CREATE FUNCTION record_of_person(p_record uuid) RETURNS records LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT r.* FROM records r WHERE r.id = p_record AND r.state <> 'purged' AND may_write_persons(r) FOR KEY SHARE
$$;

-- Audit entry and event of what was done with a part that hangs on a record and is not seen by all who see the record; of
-- the part itself only its id stands in either.
CREATE FUNCTION tell_part(p_record records, p_seeing text[], p_action text, p_event text, p_detail jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM announce(p_event, p_record.kind, p_record.id, p_record.reference, p_record.version,
    CASE WHEN 'community' = ANY (p_record.audience) AND NOT p_record.covered AND p_record.state = 'current' THEN ARRAY['community']
      ELSE p_seeing END, p_record.excluded, true, p_detail);
  PERFORM audit(p_action, 'done', p_record.kind, ARRAY[p_record.id], ARRAY[p_record.originator], p_detail);
END $$;

CREATE FUNCTION tell_person(p_record records, p_person uuid, p_action text, p_event text) RETURNS void LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT tell_part(p_record,
    ARRAY(SELECT a FROM unnest(agencies_of(p_record.audience, p_record.excluded)) AS a WHERE sees_persons(p_record, a)),
    p_action, p_event, jsonb_build_object('person', p_person))
$$;

-- Enters a person. Outcomes: added; left (those of the request are on their way, or home); closed (not the caller's to write in, or retracted meanwhile).
CREATE FUNCTION add_person(p_id uuid, p_record uuid, p_at timestamptz, p_sealed bytea, p_kek uuid, p_wrapped bytea) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records := record_of_person(p_record);
BEGIN
  IF v_record.state IS DISTINCT FROM 'current' THEN
    RETURN 'closed';
  -- Nobody is added to those who were screened and cleared once they are on their way.
  ELSIF v_record.kind = 'repatriation-requests' AND v_record.life IN ('in_transit', 'handed_over', 'closed') THEN
    RETURN 'left';
  END IF;
  INSERT INTO persons (id, record_id, agency, sealed, created_at, updated_at)
  VALUES (p_id, p_record, caller_agency(), p_sealed, p_at, p_at);
  INSERT INTO person_keys (person_id, kek_id, wrapped) VALUES (p_id, p_kek, p_wrapped);
  PERFORM tell_person(v_record, p_id, 'person.add', 'person.added');
  RETURN 'added';
END $$;

-- Puts a person's next version in place, closed with the same key. Outcomes: changed, stale, closed.
CREATE FUNCTION change_person(p_id uuid, p_record uuid, p_expected integer, p_at timestamptz, p_sealed bytea) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records := record_of_person(p_record);
  v_was persons;
BEGIN
  IF v_record.state IS DISTINCT FROM 'current' THEN
    RETURN 'closed';
  END IF;
  SELECT * INTO v_was FROM persons WHERE id = p_id AND record_id = p_record AND version = p_expected FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN 'stale';
  END IF;
  INSERT INTO person_versions (person_id, version, sealed, made_at)
  SELECT p_id, v_was.version, v_was.sealed, v_was.updated_at WHERE v_was.updated_at > clock_timestamp() - interval '24 hours';
  UPDATE persons SET version = version + 1, sealed = p_sealed, updated_at = p_at WHERE id = p_id;
  PERFORM tell_person(v_record, p_id, 'person.change', 'person.changed');
  RETURN 'changed';
END $$;

-- Deletes persons with their keys and versions.
CREATE FUNCTION destroy_persons(p_ids uuid[]) RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
  DELETE FROM person_keys WHERE person_id = ANY (p_ids);
  DELETE FROM person_versions WHERE person_id = ANY (p_ids);
  DELETE FROM persons WHERE id = ANY (p_ids);
$$;

-- Removes a person for good, also from a retracted record. Outcomes: removed, stale, closed.
CREATE FUNCTION remove_person(p_id uuid, p_record uuid, p_expected integer) RETURNS text LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records := record_of_person(p_record);
BEGIN
  IF v_record.id IS NULL THEN
    RETURN 'closed';
  END IF;
  PERFORM FROM persons WHERE id = p_id AND record_id = p_record AND version = p_expected FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 'stale';
  END IF;
  PERFORM destroy_persons(ARRAY[p_id]);
  PERFORM tell_person(v_record, p_id, 'person.remove', 'person.removed');
  RETURN 'removed';
END $$;

-- --------------------------------------------------------------------------------------------------------- the operator
CREATE FUNCTION newest_person_kek() RETURNS uuid LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT id FROM person_keks ORDER BY created_at DESC, id DESC LIMIT 1
$$;

-- How many keys are wrapped by another key-encryption key; those of attachments, whose table is made later, too.
CREATE FUNCTION keys_under_others(p_kek uuid) RETURNS bigint LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN (SELECT count(*) FROM person_keys WHERE kek_id <> p_kek) + (SELECT count(*) FROM attachment_keys WHERE kek_id <> p_kek);
END $$;

-- Begins a rotation with a fresh key, or goes on with the newest where one was begun and has not ended: begun, resumed.
-- waiting: how many keys another one wraps still.
CREATE FUNCTION begin_person_rotation(p_id uuid, p_sealed bytea, OUT outcome text, OUT kek uuid, OUT kek_sealed bytea, OUT waiting bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_count bigint;
BEGIN
  IF caller_has_role('operator') IS NOT TRUE THEN
    RAISE EXCEPTION 'only the operator rotates keys' USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('interdesk.person_keks', 0));
  SELECT count(*) INTO v_count FROM person_keks;
  outcome := CASE WHEN v_count > 1 THEN 'resumed' ELSE 'begun' END;
  IF outcome = 'begun' THEN
    INSERT INTO person_keks (id, sealed, created_at) VALUES (p_id, p_sealed, clock_timestamp());
  END IF;
  SELECT k.id, k.sealed INTO kek, kek_sealed FROM person_kek() AS k;
  waiting := keys_under_others(kek);
  PERFORM audit('person_keys.rotate', 'done', NULL, '{}', '{}', jsonb_build_object('kek', kek, 'outcome', outcome, 'waiting', waiting));
END $$;

-- The next keys that are to be wrapped anew, locked; those that somebody is just destroying are passed over. None where a
-- later rotation has begun, which does the rest.
CREATE FUNCTION person_keys_to_rewrap(p_kek uuid, p_limit integer)
RETURNS TABLE (person_id uuid, record_id uuid, wrapped bytea, kek_id uuid, kek_sealed bytea) LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT k.person_id, p.record_id, k.wrapped, o.id, o.sealed
  FROM person_keys k JOIN persons p ON p.id = k.person_id JOIN person_keks o ON o.id = k.kek_id
  WHERE caller_has_role('operator') AND k.kek_id <> p_kek AND p_kek = newest_person_kek()
  ORDER BY k.person_id LIMIT p_limit FOR NO KEY UPDATE OF k SKIP LOCKED
$$;
CREATE FUNCTION rewrap_person_keys(p_kek uuid, p_persons uuid[], p_wrapped bytea[]) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  UPDATE person_keys k SET kek_id = p_kek, wrapped = n.wrapped FROM unnest(p_persons, p_wrapped) AS n (person_id, wrapped)
  WHERE k.person_id = n.person_id AND caller_has_role('operator') AND p_kek = newest_person_kek()
$$;

-- Deletes the keys that wrap nothing any more. How many keys still wait, none of which is deleted: they were
-- entered while the rotation began, and the caller goes on.
CREATE FUNCTION end_person_rotation(p_kek uuid) RETURNS bigint LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_waiting bigint;
BEGIN
  IF caller_has_role('operator') IS NOT TRUE THEN
    RAISE EXCEPTION 'only the operator rotates keys' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF p_kek <> newest_person_kek() THEN
    RETURN 0;
  END IF;
  -- Waits for calls that enter a person under one of them; what they wrote is seen by the next statement.
  PERFORM FROM person_keks WHERE id <> p_kek FOR UPDATE;
  v_waiting := keys_under_others(p_kek);
  IF v_waiting = 0 THEN
    DELETE FROM person_keks WHERE id <> p_kek;
    PERFORM audit('person_keys.rotated', 'done', NULL, '{}', '{}', jsonb_build_object('kek', p_kek));
  END IF;
  RETURN v_waiting;
END $$;

-- Brings keys back that were kept apart from a backup, for persons that came with it. How many persons had waited for
-- theirs; nothing that is there is replaced.
CREATE FUNCTION adopt_person_keys(
  p_kek_ids uuid[], p_kek_sealed bytea[], p_kek_at timestamptz[], p_persons uuid[], p_keks uuid[], p_wrapped bytea[]
) RETURNS bigint LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_count bigint;
BEGIN
  IF caller_has_role('operator') IS NOT TRUE THEN
    RAISE EXCEPTION 'only the operator brings keys back' USING ERRCODE = 'insufficient_privilege';
  END IF;
  INSERT INTO person_keks (id, sealed, created_at) SELECT * FROM unnest(p_kek_ids, p_kek_sealed, p_kek_at) ON CONFLICT DO NOTHING;
  INSERT INTO person_keys (person_id, kek_id, wrapped)
  SELECT n.* FROM unnest(p_persons, p_keks, p_wrapped) AS n (person_id, kek_id, wrapped)
  WHERE EXISTS (SELECT FROM persons p WHERE p.id = n.person_id) ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  PERFORM audit('person_keys.restore', 'done', NULL, '{}', '{}', jsonb_build_object('adopted', v_count));
  RETURN v_count;
END $$;

-- How many persons there are, and how many of them have a key.
CREATE FUNCTION persons_with_keys(OUT persons bigint, OUT keys bigint) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT (SELECT count(*) FROM persons WHERE caller_has_role('operator')),
    (SELECT count(*) FROM person_keys WHERE caller_has_role('operator'))
$$;

REVOKE ALL ON FUNCTION person_kek, found_person_kek, record_of_person, tell_part, tell_person, add_person, change_person, destroy_persons,
  remove_person, newest_person_kek, keys_under_others, begin_person_rotation, person_keys_to_rewrap, rewrap_person_keys, end_person_rotation, adopt_person_keys,
  persons_with_keys FROM PUBLIC;
GRANT EXECUTE ON FUNCTION person_kek, found_person_kek, add_person, change_person, remove_person TO interdesk_api;
-- The operator enters persons for an agency, as the demo does, and cannot read them.
GRANT EXECUTE ON FUNCTION person_kek, found_person_kek, add_person TO interdesk_worker;
GRANT EXECUTE ON FUNCTION begin_person_rotation, person_keys_to_rewrap, rewrap_person_keys, end_person_rotation, adopt_person_keys,
  persons_with_keys TO interdesk_worker;
RESET ROLE;
