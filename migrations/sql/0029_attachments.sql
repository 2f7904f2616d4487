-- Attachments: files that hang on a record. Their bytes are kept in a store beside this database, under the attachment's
-- id, closed with a key of each attachment's own; so is what they are called. The keys stand in a table of their own, like
-- those of persons: `interdesk backup` leaves it out, and with a key deleted here nobody opens the bytes, wherever they lie.

CREATE TABLE attachments (
  id uuid PRIMARY KEY,
  record_id uuid NOT NULL REFERENCES records (id),
  -- Who attached it.
  agency text NOT NULL REFERENCES agencies (code),
  version integer NOT NULL DEFAULT 1,
  -- What it was found to be by its content.
  media_type text NOT NULL,
  size bigint NOT NULL CHECK (size > 0),
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  -- What it is called, closed with its key; NULL once it is removed.
  sealed bytea,
  created_at timestamptz NOT NULL,
  removed_at timestamptz,
  CHECK ((sealed IS NULL) = (removed_at IS NOT NULL))
);
CREATE INDEX attachments_by_record ON attachments (record_id, created_at DESC, id DESC);
CREATE INDEX attachments_newest ON attachments (created_at DESC, id DESC) WHERE removed_at IS NULL;

CREATE TABLE attachment_keys (
  attachment_id uuid PRIMARY KEY REFERENCES attachments (id),
  kek_id uuid NOT NULL REFERENCES person_keks (id),
  wrapped bytea NOT NULL
);
CREATE INDEX attachment_keys_by_kek ON attachment_keys (kek_id);

-- What is to be deleted from the store once its moment has come. An upload stands here before its first byte is stored, and
-- leaves in the transaction that attaches it: so whatever a crash leaves in the store is known, and nothing else is deleted.
CREATE TABLE attachment_trash (
  id uuid PRIMARY KEY,
  due_at timestamptz NOT NULL
);
CREATE INDEX attachment_trash_by_moment ON attachment_trash (due_at);

CREATE TRIGGER attachments_of_what_stands AFTER INSERT ON attachments FOR EACH ROW EXECUTE FUNCTION refuse_purged('record_id');

DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['attachments', 'attachment_keys', 'attachment_trash'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO interdesk_engine', v_table);
  END LOOP;
END $$;
GRANT SELECT ON attachments, attachment_keys TO interdesk_api;
GRANT SELECT ON attachments TO interdesk_worker;

-- Attachments are seen with their record: by its originator, and by readers while it stands, once its caveat is acknowledged.
CREATE POLICY with_the_record ON attachments FOR SELECT TO interdesk_api, interdesk_worker USING (EXISTS (
  SELECT FROM records r WHERE r.id = record_id AND (r.originator = caller_agency()
    OR (r.state = 'current' AND (NOT r.covered OR lies_open(r.id))))));
CREATE POLICY with_the_attachment ON attachment_keys FOR SELECT TO interdesk_api USING (EXISTS (
  SELECT FROM attachments a WHERE a.id = attachment_id));

SET LOCAL ROLE interdesk_engine;

-- Whether the caller may attach to a record: its originator, whoever else takes part in it, and of a request to bring people
-- home both sides, but not agencies of countries on the way.
CREATE FUNCTION may_attach(p_record records) RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT takes_part(p_record) AND (p_record.kind <> 'repatriation-requests' OR on_a_side(p_record))
$$;

-- Whether an agency sees what hangs on a record: for telling it of an attachment.
CREATE FUNCTION sees_attachments(p_record records, p_agency text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT p_agency = p_record.originator OR (p_record.state = 'current' AND NOT p_agency = ANY (p_record.excluded)
    AND (NOT p_record.covered OR EXISTS (SELECT FROM caveat_acknowledgements c WHERE c.record_id = p_record.id AND c.agency = p_agency
      AND c.caveat_hash = sha256(convert_to(p_record.handling ->> 'caveat', 'UTF8')))))
$$;

CREATE FUNCTION tell_attachment(p_record records, p_attachment uuid, p_action text, p_event text) RETURNS void LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT tell_part(p_record,
    ARRAY(SELECT a FROM unnest(agencies_of(p_record.audience, p_record.excluded)) AS a WHERE sees_attachments(p_record, a)),
    p_action, p_event, jsonb_build_object('attachment', p_attachment))
$$;

-- The record that an attachment hangs on, if the caller sees it, though its caveat may have yet to be acknowledged.
CREATE FUNCTION place_of_attachment(p_id uuid) RETURNS TABLE (record_id uuid, kind text) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT r.id, r.kind FROM attachments a JOIN records r ON r.id = a.record_id
  WHERE a.id = p_id AND (r.state = 'current' OR r.originator = caller_agency()) AND NOT caller_agency() = ANY (r.excluded)
    AND r.audience && string_to_array(current_setting('interdesk.principals', true), ',')
$$;

-- ---------------------------------------------------------------------------------------------------------- the calls
-- Begins an upload: its id stands in the trash until it is attached, for so many seconds at most.
CREATE FUNCTION begin_attachment(p_id uuid, p_seconds integer) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO attachment_trash (id, due_at)
  SELECT p_id, clock_timestamp() + make_interval(secs => p_seconds) WHERE caller_agency() IS NOT NULL
$$;

-- Attaches what was uploaded. Outcomes: attached; late (the upload's time is over, and its bytes with it); closed (not the
-- caller's to attach to, or retracted meanwhile).
CREATE FUNCTION add_attachment(
  p_id uuid, p_record uuid, p_at timestamptz, p_media_type text, p_size bigint, p_sha256 bytea, p_sealed bytea, p_kek uuid, p_wrapped bytea
) RETURNS text LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
BEGIN
  SELECT r.* INTO v_record FROM records r WHERE r.id = p_record AND r.state = 'current' AND may_attach(r)
    AND (NOT r.covered OR lies_open(r.id)) FOR KEY SHARE;
  IF NOT FOUND THEN
    RETURN 'closed';
  END IF;
  DELETE FROM attachment_trash WHERE id = p_id AND due_at > clock_timestamp();
  IF NOT FOUND THEN
    RETURN 'late';
  END IF;
  INSERT INTO attachments (id, record_id, agency, media_type, size, sha256, sealed, created_at)
  VALUES (p_id, p_record, caller_agency(), p_media_type, p_size, p_sha256, p_sealed, p_at);
  INSERT INTO attachment_keys (attachment_id, kek_id, wrapped) VALUES (p_id, p_kek, p_wrapped);
  PERFORM tell_attachment(v_record, p_id, 'attachment.add', 'attachment.added');
  RETURN 'attached';
END $$;

-- Has the bytes of attachments deleted, and their keys.
CREATE FUNCTION discard_attachments(p_ids uuid[]) RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  DELETE FROM attachment_keys WHERE attachment_id = ANY (p_ids);
  INSERT INTO attachment_trash (id, due_at) SELECT i, clock_timestamp() FROM unnest(p_ids) AS i;
  PERFORM queue_job('empty_attachment_trash') WHERE p_ids <> '{}';
END $$;

-- Removes an attachment for good, also from a retracted record: by whoever attached it, while it takes part, and by the
-- record's originator, but for what the other side of a request to bring people home answers for. That it was there, and
-- its hash, stays. Outcomes: removed, stale, closed, in-use (an item of the checklist is settled by it).
CREATE FUNCTION remove_attachment(p_id uuid, p_expected integer, p_at timestamptz) RETURNS text LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_was attachments;
  v_record records;
BEGIN
  SELECT * INTO v_was FROM attachments WHERE id = p_id;
  SELECT r.* INTO v_record FROM records r WHERE r.id = v_was.record_id AND r.state <> 'purged' AND may_attach(r)
    AND (caller_agency() = v_was.agency OR (caller_agency() = r.originator AND v_was.agency IS DISTINCT FROM requested_agency(r))) FOR KEY SHARE;
  IF NOT FOUND THEN
    RETURN 'closed';
  END IF;
  -- Whoever completes an item by it holds the checklist, as this does: it is there then, or the item is not.
  PERFORM FROM checklists c WHERE c.record_id = v_record.id FOR UPDATE;
  IF EXISTS (SELECT FROM checklists c CROSS JOIN LATERAL checklist_states(c.record_id, c.version, persons_of(c.record_id)) AS s
    WHERE c.record_id = v_record.id AND s.action IS NOT NULL AND (s.step).attachment_id = p_id)
  THEN
    RETURN 'in-use';
  END IF;
  UPDATE attachments SET version = version + 1, sealed = NULL, removed_at = p_at WHERE id = p_id AND version = p_expected AND removed_at IS NULL;
  IF NOT FOUND THEN
    RETURN 'stale';
  END IF;
  PERFORM discard_attachments(ARRAY[p_id]);
  PERFORM tell_attachment(v_record, p_id, 'attachment.remove', 'attachment.removed');
  RETURN 'removed';
END $$;

-- Deletes everything there is of a record's attachments.
CREATE FUNCTION forget_attachments(p_record uuid) RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM discard_attachments(ARRAY(SELECT id FROM attachments WHERE record_id = p_record AND removed_at IS NULL));
  DELETE FROM attachments WHERE record_id = p_record;
END $$;

-- Whether an attachment hangs on a record and can be read: for what names one.
CREATE FUNCTION attachment_stands(p_record uuid, p_attachment uuid) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM attachments a JOIN attachment_keys k ON k.attachment_id = a.id
    WHERE a.id = p_attachment AND a.record_id = p_record AND a.removed_at IS NULL)
$$;

-- ----------------------------------------------------------------------------------------------------- the worker's job
-- The next that are to be deleted from the store, after p_after; locked, so that two workers take different ones.
CREATE FUNCTION attachments_to_discard(p_after uuid, p_limit integer) RETURNS TABLE (id uuid) LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT t.id FROM attachment_trash t WHERE t.due_at <= clock_timestamp() AND t.id > p_after
  ORDER BY t.id LIMIT p_limit FOR UPDATE SKIP LOCKED
$$;
CREATE FUNCTION forget_discarded(p_ids uuid[]) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  DELETE FROM attachment_trash WHERE id = ANY (p_ids) AND due_at <= clock_timestamp()
$$;

-- --------------------------------------------------------------------------------------------------------- the operator
-- What the store should hold: attachments with what opens them (NULL where a restore brought no key), by id. Nothing of
-- what they are called.
CREATE FUNCTION attachments_to_verify(p_after uuid, p_limit integer)
RETURNS TABLE (id uuid, record_id uuid, size bigint, sha256 bytea, wrapped bytea, kek_id uuid, kek_sealed bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT a.id, a.record_id, a.size, a.sha256, k.wrapped, e.id, e.sealed
  FROM attachments a LEFT JOIN attachment_keys k ON k.attachment_id = a.id LEFT JOIN person_keks e ON e.id = k.kek_id
  WHERE caller_has_role('operator') AND a.removed_at IS NULL AND a.id > p_after ORDER BY a.id LIMIT p_limit
$$;
-- Which of these ids stand for nothing that there is, or is to be deleted.
CREATE FUNCTION unknown_attachments(p_ids uuid[]) RETURNS uuid[] LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT ARRAY(SELECT i FROM unnest(p_ids) AS i WHERE caller_has_role('operator')
    AND NOT EXISTS (SELECT FROM attachments a WHERE a.id = i AND a.removed_at IS NULL)
    AND NOT EXISTS (SELECT FROM attachment_trash t WHERE t.id = i) ORDER BY i)
$$;

CREATE FUNCTION attachment_keys_to_rewrap(p_kek uuid, p_limit integer)
RETURNS TABLE (id uuid, record_id uuid, wrapped bytea, kek_id uuid, kek_sealed bytea) LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT k.attachment_id, a.record_id, k.wrapped, o.id, o.sealed
  FROM attachment_keys k JOIN attachments a ON a.id = k.attachment_id JOIN person_keks o ON o.id = k.kek_id
  WHERE caller_has_role('operator') AND k.kek_id <> p_kek AND p_kek = newest_person_kek()
  ORDER BY k.attachment_id LIMIT p_limit FOR NO KEY UPDATE OF k SKIP LOCKED
$$;
CREATE FUNCTION rewrap_attachment_keys(p_kek uuid, p_attachments uuid[], p_wrapped bytea[]) RETURNS void LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  UPDATE attachment_keys k SET kek_id = p_kek, wrapped = n.wrapped FROM unnest(p_attachments, p_wrapped) AS n (attachment_id, wrapped)
  WHERE k.attachment_id = n.attachment_id AND caller_has_role('operator') AND p_kek = newest_person_kek()
$$;

-- Brings keys back that were kept apart from a backup, for attachments that came with it and are not removed; to how many.
CREATE FUNCTION adopt_attachment_keys(p_attachments uuid[], p_keks uuid[], p_wrapped bytea[]) RETURNS bigint LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_count bigint;
BEGIN
  IF caller_has_role('operator') IS NOT TRUE THEN
    RAISE EXCEPTION 'only the operator brings keys back' USING ERRCODE = 'insufficient_privilege';
  END IF;
  INSERT INTO attachment_keys (attachment_id, kek_id, wrapped)
  SELECT n.* FROM unnest(p_attachments, p_keks, p_wrapped) AS n (attachment_id, kek_id, wrapped)
  WHERE EXISTS (SELECT FROM attachments a WHERE a.id = n.attachment_id AND a.removed_at IS NULL) ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  PERFORM audit('attachment_keys.restore', 'done', NULL, '{}', '{}', jsonb_build_object('adopted', v_count));
  RETURN v_count;
END $$;

REVOKE ALL ON FUNCTION may_attach, sees_attachments, tell_attachment, place_of_attachment, begin_attachment, add_attachment, discard_attachments, remove_attachment,
  forget_attachments, attachment_stands, attachments_to_discard, forget_discarded, attachments_to_verify, unknown_attachments,
  attachment_keys_to_rewrap, rewrap_attachment_keys, adopt_attachment_keys FROM PUBLIC;
GRANT EXECUTE ON FUNCTION place_of_attachment, begin_attachment, add_attachment, remove_attachment TO interdesk_api;
GRANT EXECUTE ON FUNCTION begin_attachment, add_attachment, person_kek, found_person_kek TO interdesk_worker;
GRANT EXECUTE ON FUNCTION attachments_to_discard, forget_discarded, attachments_to_verify, unknown_attachments, attachment_keys_to_rewrap,
  rewrap_attachment_keys, adopt_attachment_keys TO interdesk_worker;
RESET ROLE;
