-- Records with a course of their own, which their originator and the agencies they are about move together.

SET LOCAL ROLE interdesk_engine;

-- Whether the caller sees a record as its originator or one of its parties.
CREATE FUNCTION takes_part(p_record records) RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT caller_agency() = ANY (p_record.originator || p_record.parties) AND NOT caller_agency() = ANY (p_record.excluded)
    AND p_record.audience && string_to_array(current_setting('interdesk.principals', true), ',')
$$;

-- Holds such a record until the end of the transaction, so that what is read of it afterwards stays; false if it is none.
CREATE FUNCTION hold_as_party(p_id uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM FROM records r WHERE r.id = p_id AND takes_part(r) FOR NO KEY UPDATE;
  RETURN FOUND;
END $$;

-- Puts the next version of a record in place, with how far its course has come, by its originator or a party. With
-- p_parties these are its parties from now on: p_audience names who else sees it, without what that rests on, and
-- gate_audience adds it. Whoever gains sight is told like the reader of a disclosure; whoever loses it is asked for its
-- copies, with p_reason. Outcomes: advanced (audience_version), stale, no-legal-basis (flaws).
CREATE FUNCTION advance_record(
  p_id uuid, p_expected integer, p_expected_audience integer, p_at timestamptz, p_life text, p_facets text[], p_names text[],
  p_changed text[], p_document text, p_shared_document text, p_event text, p_action text, p_detail jsonb,
  p_parties text[] DEFAULT NULL, p_audience text[] DEFAULT NULL, p_reason text DEFAULT NULL,
  OUT outcome text, OUT audience_version integer, OUT flaws jsonb
) LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_was records;
  v_now records;
  v_audience text[];
  v_basis uuid;
BEGIN
  SELECT * INTO v_was FROM records r WHERE r.id = p_id AND r.state = 'current' AND r.version = p_expected
    AND r.audience_version = p_expected_audience AND takes_part(r) FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    outcome := 'stale';
    RETURN;
  END IF;
  IF p_parties IS NOT NULL THEN
    v_basis := v_was.handling ->> 'legal_basis';
    SELECT g.audience, g.flaws INTO v_audience, flaws FROM gate_audience(v_was.kind, v_was.originator, v_was.handling ->> 'tlp',
      with_parties(p_audience, p_parties), v_basis, v_basis, v_was.audience) AS g;
    IF flaws <> '[]' THEN
      outcome := 'no-legal-basis';
      RETURN;
    END IF;
    v_audience := v_audience || ARRAY(SELECT s FROM unnest(v_was.audience) AS s WHERE s ~ '!');
  END IF;
  UPDATE records SET version = version + 1, updated_at = p_at, life = p_life, facets = p_facets, names = p_names,
    parties = coalesce(p_parties, parties), document = p_document, shared_document = p_shared_document
  WHERE id = p_id RETURNING * INTO v_now;
  INSERT INTO record_versions (record_id, version, at, agency, changed, document, shared_document)
  VALUES (p_id, v_now.version, p_at, nullif(caller_agency(), v_now.originator), p_changed, p_document, p_shared_document);
  PERFORM announce('record.updated', v_now.kind, p_id, v_now.reference, v_now.version, v_was.audience, v_was.excluded);
  audience_version := v_now.audience_version;
  IF v_audience IS NOT NULL AND NOT (v_audience <@ v_was.audience AND v_was.audience <@ v_audience) THEN
    PERFORM change_handling(v_now, NULL, v_now.handling, v_audience, v_now.excluded, p_document, p_shared_document, NULL, NULL,
      'record.parties', jsonb_build_object('parties', p_parties), NULL, p_reason);
    audience_version := audience_version + 1;
  END IF;
  PERFORM announce(p_event, v_now.kind, p_id, v_now.reference, v_now.version, coalesce(v_audience, v_was.audience), v_was.excluded, true, p_detail);
  PERFORM audit(p_action, 'done', v_now.kind, ARRAY[p_id], ARRAY[v_now.originator],
    jsonb_build_object('version', v_now.version) || coalesce(p_detail, '{}'));
  outcome := 'advanced';
END $$;

REVOKE ALL ON FUNCTION takes_part, hold_as_party, advance_record FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hold_as_party, advance_record TO interdesk_api, interdesk_worker;
RESET ROLE;
