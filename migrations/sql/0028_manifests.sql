-- Manifests: who is put on a transport and taken off, who boards and who does not, and who is handed over to whom.

SET LOCAL ROLE interdesk_engine;

-- Where of p_persons those stand who must not share a section, counted from 0: with somebody who sits there by a rule of
-- their own, or with a person of the other category.
CREATE FUNCTION not_separable(p_transport uuid, p_persons uuid[], p_category text, p_section text) RETURNS jsonb LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(jsonb_agg(n.place - 1 ORDER BY n.place), '[]') FROM unnest(p_persons) WITH ORDINALITY AS n (person, place)
  WHERE p_category <> 'remains' AND (EXISTS (SELECT FROM manifest_entries e WHERE e.transport_id = p_transport AND e.section = p_section
      AND takes_seat(e) AND e.category <> p_category)
    OR EXISTS (SELECT FROM manifest_separations s
      CROSS JOIN LATERAL (SELECT CASE n.person WHEN s.first_person THEN s.second_person ELSE s.first_person END AS other) AS o
      WHERE s.transport_id = p_transport AND n.person IN (s.first_person, s.second_person)
        AND (o.other = ANY (p_persons) OR EXISTS (SELECT FROM manifest_entries e WHERE e.transport_id = p_transport
          AND e.person_id = o.other AND e.section = p_section AND takes_seat(e)))))
$$;

-- Where of p_persons those stand, counted from 0, who have a mark in common with somebody of another request that is to
-- travel or under way: the same document, or the same name and birth date. Only people of the caller's own are compared.
CREATE FUNCTION known_on_manifests(p_persons uuid[]) RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(jsonb_agg(n.place - 1 ORDER BY n.place), '[]') FROM unnest(p_persons) WITH ORDINALITY AS n (person, place)
  WHERE EXISTS (SELECT FROM person_marks m JOIN person_marks o ON o.mark = m.mark AND o.person_id <> m.person_id
    JOIN manifest_entries e ON e.person_id = o.person_id AND e.state IN ('listed', 'boarded')
    WHERE m.person_id = n.person AND has_people_of(e.record_id))
$$;

-- Puts persons of a request on a manifest, all of them or none; p_entries are the ids of their entries, p_namesakes says
-- that they are not those with whom they have marks in common. Outcomes: added; hidden (the transport is);
-- unknown-request; unknown-persons, on-this-manifest, on-another-manifest, same-person and not-separable
-- (detail: their places in p_persons, from 0); section-missing, section-unknown and section-for-remains (detail: the
-- sections' names); closed (the manifest is frozen); not-cleared (detail: the request's state); full (detail: {free, section}).
CREATE FUNCTION add_to_manifest(
  p_change uuid, p_transport uuid, p_request uuid, p_persons uuid[], p_entries uuid[], p_section text,
  p_namesakes boolean, OUT outcome text, OUT detail jsonb
) LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_transport transports := lock_transport(p_transport);
  v_request records;
  v_category text;
  v_section text := p_section;
  v_free integer;
BEGIN
  IF v_transport.id IS NULL THEN
    outcome := 'hidden';
    RETURN;
  END IF;
  -- Held, so that it cannot be withdrawn, and nobody of it put on another manifest, before this is done.
  SELECT * INTO v_request FROM records r WHERE r.id = p_request AND r.kind = 'repatriation-requests' AND r.state = 'current'
    AND has_people_of(r.id) AND (NOT r.covered OR lies_open(r.id)) FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    outcome := 'unknown-request';
    RETURN;
  END IF;
  PERFORM FROM persons p WHERE p.record_id = p_request AND p.id = ANY (p_persons) ORDER BY p.id FOR KEY SHARE;
  SELECT jsonb_agg(n.place - 1 ORDER BY n.place) INTO detail FROM unnest(p_persons) WITH ORDINALITY AS n (person, place)
  WHERE NOT EXISTS (SELECT FROM persons p WHERE p.id = n.person AND p.record_id = p_request);
  IF detail IS NOT NULL THEN
    outcome := 'unknown-persons';
    RETURN;
  END IF;
  v_category := facet_of(v_request, 'category');
  IF v_category = 'remains' THEN
    outcome := CASE WHEN p_section IS NOT NULL THEN 'section-for-remains' END;
  ELSIF p_section IS NOT NULL THEN
    outcome := CASE WHEN NOT EXISTS (SELECT FROM sections_of(v_transport) AS s WHERE s.name = p_section) THEN 'section-unknown' END;
  ELSE
    SELECT CASE WHEN count(*) > 1 THEN 'section-missing' END, min(s.name) INTO outcome, v_section FROM sections_of(v_transport) AS s;
  END IF;
  IF outcome IS NOT NULL THEN
    SELECT jsonb_agg(s.name ORDER BY s.place) INTO detail FROM sections_of(v_transport) AS s;
    RETURN;
  END IF;
  IF v_transport.state <> 'planned' THEN
    outcome := 'closed';
    RETURN;
  ELSIF v_request.life <> 'cleared' AND NOT (v_request.life = 'scheduled' AND EXISTS (
    SELECT FROM manifest_entries e WHERE e.transport_id = p_transport AND e.record_id = p_request AND e.state = 'listed')) THEN
    outcome := 'not-cleared';
    detail := to_jsonb(v_request.life);
    RETURN;
  END IF;
  SELECT CASE WHEN bool_and(e.transport_id = p_transport) THEN 'on-this-manifest' ELSE 'on-another-manifest' END,
    jsonb_agg(n.place - 1 ORDER BY n.place)
  INTO outcome, detail FROM unnest(p_persons) WITH ORDINALITY AS n (person, place)
  JOIN manifest_entries e ON e.person_id = n.person AND e.state IN ('listed', 'boarded', 'handed_over');
  IF detail IS NOT NULL THEN
    RETURN;
  END IF;
  detail := known_on_manifests(p_persons);
  IF detail <> '[]' AND NOT p_namesakes THEN
    outcome := 'same-person';
    RETURN;
  END IF;
  IF v_category <> 'remains' THEN
    SELECT least(v_transport.seats - escorts_on(v_transport) - n.seated, s.seats - n.in_section) INTO v_free
    FROM (SELECT count(*)::integer AS seated, count(*) FILTER (WHERE e.section = v_section)::integer AS in_section
      FROM manifest_entries e WHERE e.transport_id = p_transport AND takes_seat(e)) AS n
    JOIN sections_of(v_transport) AS s ON s.name = v_section;
    IF v_free < cardinality(p_persons) THEN
      outcome := 'full';
      detail := jsonb_build_object('free', greatest(v_free, 0), 'section', v_section);
      RETURN;
    END IF;
  END IF;
  detail := not_separable(p_transport, p_persons, v_category, v_section);
  IF detail <> '[]' THEN
    outcome := 'not-separable';
    RETURN;
  END IF;
  INSERT INTO manifest_entries (id, transport_id, record_id, person_id, agency, sides, category, section, created_at, updated_at)
  SELECT n.entry, p_transport, p_request, n.person, caller_agency(), ARRAY[v_request.originator, requested_agency(v_request)], v_category,
    CASE WHEN v_category <> 'remains' THEN v_section END, clock_timestamp(), clock_timestamp()
  FROM unnest(p_entries, p_persons) AS n (entry, person);
  PERFORM keep_manifest_change(p_change, v_transport, 'add', p_entries);
  outcome := 'added';
END $$;

-- Takes an entry of the caller's own people off a manifest. Outcomes: removed, hidden, closed (the manifest is frozen).
CREATE FUNCTION remove_from_manifest(p_transport uuid, p_entry uuid) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_transport transports := lock_transport(p_transport);
  v_record uuid;
  v_sides text[] := sides_on(v_transport, ARRAY[p_entry]);
BEGIN
  SELECT record_id INTO v_record FROM manifest_entries e
  WHERE e.id = p_entry AND e.transport_id = v_transport.id AND caller_agency() = ANY (e.sides) AND has_people_of(e.record_id);
  IF NOT FOUND THEN
    RETURN 'hidden';
  ELSIF v_transport.state <> 'planned' THEN
    RETURN 'closed';
  END IF;
  DELETE FROM manifest_entries WHERE id = p_entry;
  PERFORM tell_manifest(v_transport, 'remove', 1, v_sides);
  PERFORM audit('transport.remove', 'done', 'transports', ARRAY[p_transport], '{}', jsonb_build_object('requests', ARRAY[v_record], 'entries', ARRAY[p_entry]));
  RETURN 'removed';
END $$;

-- Whether the caller is the side of a request that receives its people where a transport arrives: of the two sides the
-- one in that country; either, where both are or none is.
CREATE FUNCTION receives_people(p_record uuid, p_country text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT bool_or(a.code = caller_agency() AND a.country IS NOT DISTINCT FROM p_country)
    OR bool_and(a.country IS DISTINCT FROM p_country)
  FROM records r JOIN agencies a ON a.code IN (r.originator, requested_agency(r)) WHERE r.id = p_record
$$;

-- Whether somebody who is to board would sit with a person to be kept apart, who boards at once or has the seat: who did not
-- come has none, and either may have been named meanwhile.
CREATE FUNCTION sits_with_another(p_entry manifest_entries, p_boarding uuid[]) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM manifest_separations s JOIN manifest_entries o ON o.transport_id = s.transport_id
      AND o.person_id = CASE p_entry.person_id WHEN s.first_person THEN s.second_person ELSE s.first_person END
    WHERE s.transport_id = p_entry.transport_id AND p_entry.person_id IN (s.first_person, s.second_person)
      AND o.section = p_entry.section AND (takes_seat(o) OR o.id = ANY (p_boarding)))
$$;

-- Writes of entries of the caller's own people, all of them or none, that they boarded, did not come, or were handed over:
-- p_action is board, no_show or hand_over. The first who boards or does not come puts a frozen transport into boarding;
-- the last receipt completes it. Outcomes: done; hidden (the transport is); unknown, wrong-state, not-cleared, not-separable,
-- on-another-manifest and not-receiving (detail: places in p_entries, from 0); closed (the transport is in another state);
-- before-departure (a receipt is: of the departure as it was planned or noted, whichever is earlier, to the minute).
CREATE FUNCTION mark_manifest(
  p_change uuid, p_transport uuid, p_action text, p_entries uuid[], p_reason text, p_receipt jsonb, OUT outcome text, OUT detail jsonb
) LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_transport transports := lock_transport(p_transport);
  v_records uuid[];
  v_from text[] := CASE p_action WHEN 'board' THEN ARRAY['listed', 'no_show'] WHEN 'no_show' THEN ARRAY['listed', 'boarded']
    ELSE ARRAY['boarded'] END;
BEGIN
  IF v_transport.id IS NULL THEN
    outcome := 'hidden';
    RETURN;
  END IF;
  v_records := lock_requests_on(p_transport, p_entries);
  -- A person may be removed meanwhile: then the entry is withdrawn before this, or after it.
  PERFORM FROM manifest_entries e WHERE e.id = ANY (p_entries) AND e.transport_id = p_transport ORDER BY e.id FOR NO KEY UPDATE;
  SELECT jsonb_agg(n.place - 1 ORDER BY n.place) INTO detail FROM unnest(p_entries) WITH ORDINALITY AS n (entry, place)
  WHERE NOT EXISTS (SELECT FROM manifest_entries e WHERE e.id = n.entry AND e.transport_id = p_transport
    AND caller_agency() = ANY (e.sides) AND has_people_of(e.record_id));
  IF detail IS NOT NULL THEN
    outcome := 'unknown';
    RETURN;
  ELSIF NOT v_transport.state = ANY (CASE p_action WHEN 'hand_over' THEN ARRAY['arrived'] ELSE ARRAY['frozen', 'boarding'] END) THEN
    outcome := 'closed';
    RETURN;
  ELSIF (p_receipt ->> 'at')::timestamptz < date_trunc('minute', least(v_transport.departed_at, v_transport.departs_at)) THEN
    outcome := 'before-departure';
    RETURN;
  END IF;
  SELECT f.flaw, jsonb_agg(f.place - 1 ORDER BY f.place) INTO outcome, detail FROM (
    SELECT n.place, CASE
      WHEN NOT e.state = ANY (v_from) THEN 'wrong-state'
      WHEN p_action = 'hand_over' AND NOT receives_people(r.id, v_transport.arrival ->> 'country') THEN 'not-receiving'
      WHEN p_action = 'board' AND NOT may_travel(r, ARRAY['cleared', 'scheduled', 'in_transit']) THEN 'not-cleared'
      WHEN p_action = 'board' AND e.state = 'no_show' AND EXISTS (SELECT FROM manifest_entries o WHERE o.person_id = e.person_id
        AND o.id <> e.id AND o.state IN ('listed', 'boarded', 'handed_over')) THEN 'on-another-manifest'
      WHEN p_action = 'board' AND sits_with_another(e, p_entries) THEN 'not-separable'
      END AS flaw
    FROM unnest(p_entries) WITH ORDINALITY AS n (entry, place) JOIN manifest_entries e ON e.id = n.entry
    JOIN records r ON r.id = e.record_id) AS f
  WHERE f.flaw IS NOT NULL GROUP BY f.flaw ORDER BY f.flaw LIMIT 1;
  IF outcome IS NOT NULL THEN
    RETURN;
  END IF;
  UPDATE manifest_entries SET state = CASE p_action WHEN 'board' THEN 'boarded' WHEN 'no_show' THEN 'no_show' ELSE 'handed_over' END,
    reason = p_reason, receipt = p_receipt, updated_at = clock_timestamp() WHERE id = ANY (p_entries);
  IF v_transport.state = 'frozen' THEN
    v_transport := advance_transport(p_transport, 'boarding', 'transport.boarding', 'transport.begin_boarding');
  END IF;
  PERFORM keep_manifest_change(p_change, v_transport, p_action, p_entries);
  IF p_action = 'hand_over' THEN
    PERFORM settle_repatriation(r) FROM unnest(v_records) AS r;
    IF NOT EXISTS (SELECT FROM manifest_entries WHERE transport_id = p_transport AND state = 'boarded') THEN
      PERFORM advance_transport(p_transport, 'completed', 'transport.completed', 'transport.complete');
    END IF;
  END IF;
  outcome := 'done';
END $$;

-- The numbers of a manifest, the same for everybody who sees the transport; no row for others.
CREATE FUNCTION manifest_totals(p_transport uuid) RETURNS TABLE (totals jsonb) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT jsonb_build_object('seats', t.seats, 'escorts', escorts_on(t), 'taken', escorts_on(t) + n.seated,
    'free', t.seats - escorts_on(t) - n.seated,
    'by_category', jsonb_build_object('victim', n.victims, 'suspect', n.suspects, 'remains', n.remains),
    'by_state', jsonb_build_object('listed', n.listed, 'boarded', n.boarded, 'no_show', n.no_show, 'handed_over', n.handed_over,
      'withdrawn', n.withdrawn),
    'by_agency', (SELECT coalesce(jsonb_agg(jsonb_build_object('agency', a.agency, 'people', a.people) ORDER BY a.agency), '[]')
      FROM (SELECT e.agency, count(*) AS people FROM manifest_entries e
        WHERE e.transport_id = t.id AND e.state IN ('listed', 'boarded', 'handed_over') GROUP BY e.agency) AS a),
    'by_section', (SELECT jsonb_agg(jsonb_build_object('section', s.name, 'seats', s.seats, 'taken',
        (SELECT count(*) FROM manifest_entries e WHERE e.transport_id = t.id AND e.section = s.name AND takes_seat(e))) ORDER BY s.place)
      FROM sections_of(t) AS s))
  FROM transports t CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE takes_seat(e)) AS seated,
      count(*) FILTER (WHERE e.category = 'victim' AND e.state IN ('listed', 'boarded', 'handed_over')) AS victims,
      count(*) FILTER (WHERE e.category = 'suspect' AND e.state IN ('listed', 'boarded', 'handed_over')) AS suspects,
      count(*) FILTER (WHERE e.category = 'remains' AND e.state IN ('listed', 'boarded', 'handed_over')) AS remains,
      count(*) FILTER (WHERE e.state = 'listed') AS listed, count(*) FILTER (WHERE e.state = 'boarded') AS boarded,
      count(*) FILTER (WHERE e.state = 'no_show') AS no_show, count(*) FILTER (WHERE e.state = 'handed_over') AS handed_over,
      count(*) FILTER (WHERE e.state = 'withdrawn') AS withdrawn
    FROM manifest_entries e WHERE e.transport_id = t.id) AS n
  WHERE t.id = p_transport AND knows_transport(t.id)
$$;

-- ------------------------------------------------------------------------------------------------------- kept apart
-- Names two people who must not share a section. Outcomes: added; hidden (the transport is); unknown (detail: which of
-- the two the caller does not know, from 0); named (the pair is already); together (they sit so on a manifest that is closed
-- to moving one of them); closed (nobody will board any more).
CREATE FUNCTION separate_on_manifest(p_id uuid, p_transport uuid, p_persons uuid[], p_reason text, OUT outcome text, OUT detail jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_transport transports := lock_transport(p_transport);
BEGIN
  IF v_transport.id IS NULL THEN
    outcome := 'hidden';
    RETURN;
  END IF;
  PERFORM FROM persons p WHERE p.id = ANY (p_persons) ORDER BY p.id FOR KEY SHARE;
  SELECT jsonb_agg(n.place - 1 ORDER BY n.place) INTO detail FROM unnest(p_persons) WITH ORDINALITY AS n (person, place)
  WHERE NOT EXISTS (SELECT FROM persons p JOIN records r ON r.id = p.record_id WHERE p.id = n.person AND r.kind = 'repatriation-requests'
    AND r.state = 'current' AND has_people_of(r.id));
  IF detail IS NOT NULL THEN
    outcome := 'unknown';
  ELSIF v_transport.state NOT IN ('planned', 'frozen', 'boarding') THEN
    outcome := 'closed';
  ELSIF v_transport.state <> 'planned' AND EXISTS (SELECT FROM manifest_entries a JOIN manifest_entries b ON b.section = a.section
    WHERE a.transport_id = p_transport AND a.person_id = p_persons[1] AND takes_seat(a)
      AND b.transport_id = p_transport AND b.person_id = p_persons[2] AND takes_seat(b)) THEN
    outcome := 'together';
  ELSE
    INSERT INTO manifest_separations (id, transport_id, first_person, second_person, agency, reason, created_at)
    VALUES (p_id, p_transport, least(p_persons[1], p_persons[2]), greatest(p_persons[1], p_persons[2]), caller_agency(), p_reason,
      clock_timestamp()) ON CONFLICT (transport_id, first_person, second_person) DO NOTHING;
    outcome := CASE WHEN FOUND THEN 'added' ELSE 'named' END;
  END IF;
  IF outcome = 'added' THEN
    PERFORM audit('transport.separate', 'done', 'transports', ARRAY[p_transport], '{}', jsonb_build_object('separation', p_id));
  END IF;
END $$;

-- Takes the caller's own naming of two people back. Outcomes: removed, hidden (none of the caller's).
CREATE FUNCTION end_separation(p_id uuid, p_transport uuid) RETURNS text LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_transport transports := lock_transport(p_transport);
BEGIN
  DELETE FROM manifest_separations WHERE id = p_id AND transport_id = v_transport.id AND agency = caller_agency();
  IF NOT FOUND THEN
    RETURN 'hidden';
  END IF;
  PERFORM audit('transport.end_separation', 'done', 'transports', ARRAY[p_transport], '{}', jsonb_build_object('separation', p_id));
  RETURN 'removed';
END $$;

-- ---------------------------------------------------------------------------------------------- who comes off by itself
-- Takes people off manifests whose transport has not departed, and tells those who counted on them.
CREATE FUNCTION withdraw_from_manifests(p_entries uuid[], p_reason text) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_freed record;
  v_transport transports;
BEGIN
  FOR v_freed IN
    WITH freed AS (
      UPDATE manifest_entries e SET state = 'withdrawn', reason = p_reason, updated_at = clock_timestamp()
      WHERE e.id = ANY (p_entries) AND e.state IN ('listed', 'boarded', 'no_show') RETURNING e.transport_id, e.id)
    SELECT transport_id, array_agg(id) AS entries, count(*)::integer AS people FROM freed GROUP BY transport_id
  LOOP
    SELECT * INTO v_transport FROM transports WHERE id = v_freed.transport_id;
    PERFORM tell_manifest(v_transport, 'withdraw', v_freed.people, sides_on(v_transport, v_freed.entries));
  END LOOP;
END $$;

-- A request that is withdrawn, declined, taken back or returned to be answered afresh takes its people off.
CREATE FUNCTION withdraw_request_from_manifests() RETURNS trigger LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM withdraw_from_manifests(ARRAY(SELECT e.id FROM manifest_entries e JOIN transports t ON t.id = e.transport_id
    WHERE e.record_id = NEW.id AND e.state IN ('listed', 'boarded', 'no_show') AND t.state IN ('planned', 'frozen', 'boarding')),
    'The request no longer stands.');
  RETURN NULL;
END $$;

-- So does a person who is removed from a request, which then is where those are who are left.
CREATE FUNCTION withdraw_persons_from_manifests() RETURNS trigger LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM withdraw_from_manifests(ARRAY(SELECT e.id FROM gone g JOIN manifest_entries e ON e.person_id = g.id
    JOIN transports t ON t.id = e.transport_id WHERE e.state IN ('listed', 'boarded', 'no_show') AND t.state IN ('planned', 'frozen', 'boarding')),
    'The person was removed from the request.');
  PERFORM settle_repatriation(g.record_id) FROM (SELECT DISTINCT record_id FROM gone ORDER BY record_id) AS g;
  RETURN NULL;
END $$;

REVOKE ALL ON FUNCTION not_separable, known_on_manifests, add_to_manifest, remove_from_manifest, receives_people, sits_with_another, mark_manifest,
  manifest_totals, separate_on_manifest, end_separation, withdraw_from_manifests, withdraw_request_from_manifests, withdraw_persons_from_manifests FROM PUBLIC;
GRANT EXECUTE ON FUNCTION add_to_manifest, remove_from_manifest, mark_manifest, manifest_totals, separate_on_manifest, end_separation
  TO interdesk_api, interdesk_worker;
GRANT EXECUTE ON FUNCTION withdraw_request_from_manifests, withdraw_persons_from_manifests TO interdesk_owner;
RESET ROLE;

CREATE TRIGGER off_the_manifests AFTER UPDATE ON records FOR EACH ROW
  WHEN (NEW.kind = 'repatriation-requests' AND (NEW.state <> 'current' OR NEW.life IN ('submitted', 'withdrawn', 'declined'))
    AND (NEW.state, NEW.life) IS DISTINCT FROM (OLD.state, OLD.life))
  EXECUTE FUNCTION withdraw_request_from_manifests();
CREATE TRIGGER off_the_manifests AFTER DELETE ON persons REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
  EXECUTE FUNCTION withdraw_persons_from_manifests();
