-- Everything the audit knows of one officer or one record, for whoever has to answer for it to an oversight body. The
-- operator alone asks this way; an agency exports its own.

SET LOCAL ROLE interdesk_engine;

-- A record by its id or its reference: no row if there is none.
CREATE FUNCTION oversight_record(p_text text) RETURNS TABLE (id uuid, kind text, originator text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT r.id, r.kind, r.originator FROM records r
  WHERE (r.reference = p_text OR r.id::text = lower(p_text)) AND caller_has_role('operator')
$$;

-- The agencies that acted in those entries, and in how many: NULL is nobody known. Sealed or not.
CREATE FUNCTION oversight_agencies(p_officer text, p_record uuid, p_agency text)
RETURNS TABLE (agency text, entries bigint) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT e.agency, count(*) FROM audit_entries e
  WHERE caller_has_role('operator') AND (p_officer IS NOT NULL OR p_record IS NOT NULL)
    AND (p_officer IS NULL OR e.officer = p_officer) AND (p_record IS NULL OR p_record = ANY (e.record_ids))
    AND (p_agency IS NULL OR e.agency = p_agency)
  GROUP BY e.agency
$$;

-- Their leaves in a tree of p_tree_size, oldest first: of each entry the one of the agency that acted, which alone says
-- on whose behalf and why.
CREATE FUNCTION oversight_leaves(p_tree_size bigint, p_officer text, p_record uuid, p_agency text)
RETURNS TABLE (leaf_index bigint, document jsonb) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT l.leaf_index, audit_leaf_document(e, l.reader, l.salt)
  FROM audit_entries e JOIN audit_leaves l ON l.entry_id = e.id AND l.at = e.at AND l.reader IS NOT DISTINCT FROM e.agency
  WHERE caller_has_role('operator') AND (p_officer IS NOT NULL OR p_record IS NOT NULL)
    AND (p_officer IS NULL OR e.officer = p_officer) AND (p_record IS NULL OR p_record = ANY (e.record_ids))
    AND (p_agency IS NULL OR e.agency = p_agency) AND l.leaf_index < p_tree_size
  ORDER BY l.at, l.leaf_index
$$;

-- How many of them wait for their leaf.
CREATE FUNCTION oversight_waiting(p_officer text, p_record uuid, p_agency text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT count(*) FROM audit_entries e
  WHERE e.arrival > (SELECT settled FROM audit_sealing) AND caller_has_role('operator')
    AND (p_officer IS NULL OR e.officer = p_officer) AND (p_record IS NULL OR p_record = ANY (e.record_ids))
    AND (p_agency IS NULL OR e.agency = p_agency)
    AND (SELECT true FROM audit_leaves l WHERE l.entry_id = e.id LIMIT 1) IS NOT TRUE
$$;

-- Records the export before it is made, and tells the agencies in whose name the entries were written and the record's
-- originator. None but the originator is told which record it was: somebody may only have guessed at its id.
CREATE FUNCTION note_oversight(p_officer text, p_record uuid, p_agency text) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
  c record;
BEGIN
  IF caller_has_role('operator') IS NOT TRUE THEN
    RAISE EXCEPTION 'only the operator exports for oversight' USING ERRCODE = 'insufficient_privilege';
  END IF;
  SELECT * INTO v_record FROM records WHERE id = p_record;
  FOR c IN
    SELECT coalesce(a.agency, v_record.originator) AS agency, coalesce(a.entries, 0) AS entries
    FROM (SELECT * FROM oversight_agencies(p_officer, p_record, p_agency) WHERE agency IS NOT NULL) AS a
    FULL JOIN (SELECT v_record.originator AS agency WHERE v_record.id IS NOT NULL) AS o ON o.agency = a.agency
  LOOP
    INSERT INTO audit_entries (agency, client_id, officer, purpose, action, outcome, request_id, detail)
    SELECT c.agency, 'operator', current_setting('interdesk.officer', true), current_setting('interdesk.purpose', true),
      'audit.oversight', 'done', current_setting('interdesk.request', true),
      jsonb_strip_nulls(jsonb_build_object('entries', c.entries, 'of_officer', p_officer))
    FROM agencies a WHERE a.code = c.agency AND NOT a.hub;
    PERFORM announce('audit.exported', NULL, NULL, NULL, NULL, ARRAY[c.agency], '{}', false, jsonb_build_object('entries', c.entries));
  END LOOP;
  PERFORM audit('audit.oversight', 'done', v_record.kind, array_remove(ARRAY[p_record], NULL), array_remove(ARRAY[v_record.originator], NULL),
    jsonb_strip_nulls(jsonb_build_object('of_officer', p_officer, 'of_agency', p_agency)));
END $$;

REVOKE ALL ON FUNCTION oversight_record, oversight_agencies, oversight_leaves, oversight_waiting, note_oversight FROM PUBLIC;
GRANT EXECUTE ON FUNCTION oversight_record, oversight_leaves, oversight_waiting, note_oversight TO interdesk_worker;
RESET ROLE;
