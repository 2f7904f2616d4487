-- Agreements as their parties make, sign, suspend and end them.

-- Whoever repeats a call is answered the version that the first one made.
CREATE TABLE agreement_versions (LIKE agreements, parties text[] NOT NULL, PRIMARY KEY (id, version));
ALTER TABLE agreement_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE agreement_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON agreement_versions TO interdesk_engine USING (true) WITH CHECK (true);
-- A version that was a draft is its originator's, and no version is for a party that came later.
CREATE POLICY parties_see ON agreement_versions FOR SELECT TO interdesk_api, interdesk_worker USING (
  knows_agreement(id) AND (originator = caller_agency() OR proposed_at IS NOT NULL AND caller_agency() = ANY (parties)));
GRANT SELECT, INSERT ON agreement_versions TO interdesk_engine;
GRANT SELECT ON agreement_versions TO interdesk_api, interdesk_worker;

-- What the days move: few of all there ever were.
CREATE INDEX agreements_by_first_day ON agreements (valid_from) WHERE state = 'signed';
CREATE INDEX agreements_by_last_day ON agreements (valid_until) WHERE state IN ('signed', 'in_force', 'suspended');

SET LOCAL ROLE interdesk_engine;

-- An agreement as it stands at this moment: past its last day it has expired, before anybody has written that down. What
-- is written then is the same, the version included, so an ETag names one state of it.
CREATE FUNCTION agreement_now(p_agreement agreements) RETURNS agreements LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF p_agreement.state IN ('signed', 'in_force', 'suspended') AND p_agreement.valid_until < utc_today() THEN
    p_agreement.state := 'expired';
    p_agreement.version := p_agreement.version + 1;
    p_agreement.updated_at := greatest((p_agreement.valid_until + 1)::timestamp AT TIME ZONE 'UTC',
      p_agreement.updated_at + interval '1 microsecond');
    p_agreement.ended_at := p_agreement.updated_at;
    p_agreement.suspensions := '[]';
    p_agreement.in_force_since := NULL;
  END IF;
  RETURN p_agreement;
END $$;

CREATE FUNCTION parties_of(p_agreement uuid) RETURNS text[] LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT ARRAY(SELECT agency FROM agreement_parties WHERE agreement_id = p_agreement ORDER BY agency)
$$;

-- How many principals of an agency its memberships and signatures account for. A signature counts from the moment it is
-- given: the last party's must not be able to fail for want of another's place.
CREATE FUNCTION places_taken(p_agency text) RETURNS bigint LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT (SELECT count(*) FROM memberships WHERE agency = p_agency AND until IS NULL)
    + (SELECT count(*) FROM agreement_parties p JOIN agreements a ON a.id = p.agreement_id
      WHERE p.agency = p_agency AND p.signed_at IS NOT NULL AND (agreement_now(a)).ended_at IS NULL)
$$;

-- The agreement, held against all who would move it or share on it, if the caller may know of it. This lock comes before
-- its row, and its row before agencies, as in set_agreement_force().
CREATE FUNCTION hold_agreement(p_id uuid) RETURNS agreements LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_agreement agreements;
BEGIN
  PERFORM pg_advisory_xact_lock(sight_key(p_id::text));
  SELECT * INTO v_agreement FROM agreements WHERE id = p_id AND knows_agreement(id) FOR NO KEY UPDATE;
  RETURN agreement_now(v_agreement);
END $$;

-- Puts the next version of an agreement in place: its state and what belongs to that, and in force or not.
CREATE FUNCTION put_agreement(p_agreement agreements, p_state text) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  UPDATE agreements SET state = p_state, version = p_agreement.version + 1, suspensions = p_agreement.suspensions,
    termination = p_agreement.termination, proposed_at = p_agreement.proposed_at, ended_at = p_agreement.ended_at,
    updated_at = greatest(clock_timestamp(), p_agreement.updated_at + interval '1 microsecond')
  WHERE id = p_agreement.id;
  PERFORM set_agreement_force(p_agreement.id, p_state = 'in_force');
END $$;

-- What an agreement is when all have signed and no suspension stands.
CREATE FUNCTION standing_state(p_valid_from date) RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT CASE WHEN p_valid_from <= utc_today() THEN 'in_force' ELSE 'signed' END
$$;

-- Keeps the version of an agreement that a step came to, and tells of it those who may know of it, or p_told of them.
CREATE FUNCTION tell_agreement(p_id uuid, p_event text, p_data jsonb, p_told text[] DEFAULT NULL) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_agreement agreements;
  v_parties text[] := parties_of(p_id);
BEGIN
  SELECT * INTO STRICT v_agreement FROM agreements WHERE id = p_id;
  INSERT INTO agreement_versions SELECT v_agreement.*, v_parties ON CONFLICT DO NOTHING;
  PERFORM announce(p_event, 'agreements', p_id, v_agreement.reference, v_agreement.version,
    CASE WHEN v_agreement.proposed_at IS NULL THEN ARRAY[v_agreement.originator] ELSE coalesce(p_told, v_parties) END, '{}', true, p_data);
END $$;

-- ------------------------------------------------------------------------------------------- drafting and negotiating
-- Makes agencies the parties of the caller's agreement, and those that were no more; whoever goes on keeps its signature.
CREATE FUNCTION put_parties(p_id uuid, p_parties text[]) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF cardinality(p_parties) < 2 OR NOT caller_agency() = ANY (p_parties) OR EXISTS (SELECT FROM agencies WHERE hub AND code = ANY (p_parties)) THEN
    RAISE EXCEPTION 'an agreement is between its originator and others, and the hub is none of them' USING ERRCODE = 'check_violation';
  END IF;
  DELETE FROM agreement_parties WHERE agreement_id = p_id AND NOT agency = ANY (p_parties);
  INSERT INTO agreement_parties (agreement_id, agency) SELECT p_id, unnest(p_parties) ON CONFLICT DO NOTHING;
END $$;

-- Drafts an agreement of the caller's agency; p_content is what it says, by the names of the columns, and its parties.
-- Outcomes: created, reference-taken (draw another).
CREATE FUNCTION create_agreement(p_id uuid, p_reference text, p_content jsonb, p_hash text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
BEGIN
  INSERT INTO agreements (id, reference, kind, title, originator, record_kinds, crime_types, purposes, persons_data, territory,
    valid_from, valid_until, documents, content_hash, created_at, updated_at)
  SELECT p_id, p_reference, c.kind, c.title, caller_agency(), c.record_kinds, c.crime_types, c.purposes, c.persons_data, c.territory,
    c.valid_from, c.valid_until, c.documents, p_hash, v_now, v_now
  FROM jsonb_populate_record(NULL::agreements, p_content) AS c
  ON CONFLICT (reference) DO NOTHING;
  IF NOT FOUND THEN
    RETURN 'reference-taken';
  END IF;
  PERFORM put_parties(p_id, ARRAY(SELECT jsonb_array_elements_text(p_content -> 'parties')));
  PERFORM tell_agreement(p_id, 'agreement.created', NULL);
  PERFORM audit('agreement.create', 'done', 'agreements', ARRAY[p_id], '{}', jsonb_build_object('content_hash', p_hash));
  RETURN 'created';
END $$;

-- Changes what an agreement of the caller's agency says, and voids every signature. Outcomes: changed, stale.
CREATE FUNCTION change_agreement(p_id uuid, p_expected integer, p_content jsonb, p_hash text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_agreement agreements := hold_agreement(p_id);
  v_before text[] := parties_of(p_id);
  v_after text[] := ARRAY(SELECT jsonb_array_elements_text(p_content -> 'parties'));
  v_detail jsonb;
BEGIN
  IF v_agreement.version IS DISTINCT FROM p_expected OR v_agreement.originator <> caller_agency()
    OR v_agreement.state NOT IN ('draft', 'in_negotiation') THEN
    RETURN 'stale';
  END IF;
  v_detail := jsonb_build_object('content_hash', p_hash, 'voided',
    ARRAY(SELECT agency FROM agreement_parties WHERE agreement_id = p_id AND signed_at IS NOT NULL ORDER BY agency));
  UPDATE agreements a SET kind = c.kind, title = c.title, record_kinds = c.record_kinds, crime_types = c.crime_types,
    purposes = c.purposes, persons_data = c.persons_data, territory = c.territory, valid_from = c.valid_from,
    valid_until = c.valid_until, documents = c.documents, content_hash = p_hash, version = p_expected + 1,
    updated_at = greatest(clock_timestamp(), a.updated_at + interval '1 microsecond')
  FROM jsonb_populate_record(NULL::agreements, p_content) AS c WHERE a.id = p_id;
  UPDATE agreement_parties SET signed_at = NULL, signed_hash = NULL, signed_by = NULL, officer = NULL
  WHERE agreement_id = p_id AND signed_at IS NOT NULL;
  PERFORM put_parties(p_id, v_after);
  IF v_agreement.proposed_at IS NOT NULL THEN
    PERFORM announce('agreement.left', 'agreements', p_id, v_agreement.reference, NULL,
      ARRAY(SELECT unnest(v_before) EXCEPT SELECT unnest(v_after)), '{}', false);
    PERFORM tell_agreement(p_id, 'agreement.proposed', NULL, ARRAY(SELECT unnest(v_after) EXCEPT SELECT unnest(v_before)));
  END IF;
  -- Not those who are new to it: whose signature is void may be somebody of whom they never knew.
  PERFORM tell_agreement(p_id, 'agreement.updated', v_detail, ARRAY(SELECT unnest(v_after) INTERSECT SELECT unnest(v_before)));
  PERFORM audit('agreement.update', 'done', 'agreements', ARRAY[p_id], '{}', v_detail || jsonb_build_object('version', p_expected + 1));
  RETURN 'changed';
END $$;

-- Opens a draft of the caller's agency to its parties. Outcomes: opened, stale.
CREATE FUNCTION open_agreement(p_id uuid, p_expected integer) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_agreement agreements := hold_agreement(p_id);
BEGIN
  IF v_agreement.version IS DISTINCT FROM p_expected OR v_agreement.originator <> caller_agency() OR v_agreement.state <> 'draft' THEN
    RETURN 'stale';
  END IF;
  v_agreement.proposed_at := clock_timestamp();
  PERFORM put_agreement(v_agreement, 'in_negotiation');
  PERFORM tell_agreement(p_id, 'agreement.proposed', NULL);
  PERFORM audit('agreement.negotiate', 'done', 'agreements', ARRAY[p_id], '{}', jsonb_build_object('parties', parties_of(p_id)));
  RETURN 'opened';
END $$;

-- ------------------------------------------------------------------------------------------------------------- signing
-- Signs for the caller's agency; the last signature makes the next version. Outcomes: signed, stale, signed-already,
-- over (its last day has passed), full (the agency holds as many places as one can).
CREATE FUNCTION sign_agreement(p_id uuid, p_expected integer, p_hash text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_agreement agreements := hold_agreement(p_id);
  v_state text;
  v_detail jsonb := jsonb_build_object('agency', caller_agency(), 'content_hash', p_hash);
BEGIN
  IF v_agreement.version IS DISTINCT FROM p_expected OR v_agreement.state <> 'in_negotiation' OR v_agreement.content_hash <> p_hash THEN
    RETURN 'stale';
  ELSIF EXISTS (SELECT FROM agreement_parties WHERE agreement_id = p_id AND agency = caller_agency() AND signed_at IS NOT NULL) THEN
    RETURN 'signed-already';
  ELSIF v_agreement.valid_until < utc_today() THEN
    RETURN 'over';
  END IF;
  -- All of them, in the order in which coming into force holds them.
  PERFORM FROM agencies WHERE code = ANY (parties_of(p_id)) ORDER BY code FOR NO KEY UPDATE;
  IF places_taken(caller_agency()) >= 98 THEN
    RETURN 'full';
  END IF;
  UPDATE agreement_parties SET signed_at = clock_timestamp(), signed_hash = p_hash, signed_by = current_setting('interdesk.client', true),
    officer = nullif(current_setting('interdesk.officer', true), '')
  WHERE agreement_id = p_id AND agency = caller_agency();
  IF NOT EXISTS (SELECT FROM agreement_parties WHERE agreement_id = p_id AND signed_at IS NULL) THEN
    v_state := standing_state(v_agreement.valid_from);
    PERFORM put_agreement(v_agreement, v_state);
  END IF;
  PERFORM tell_agreement(p_id, 'agreement.signed', v_detail);
  IF v_state = 'in_force' THEN
    PERFORM tell_agreement(p_id, 'agreement.in_force', NULL);
  END IF;
  PERFORM audit('agreement.sign', 'done', 'agreements', ARRAY[p_id], '{}', v_detail || jsonb_build_object('state', v_state));
  RETURN 'signed';
END $$;

-- Signatures after p_after, by party. Which credential signed for whom on whose behalf is that agency's affair.
CREATE FUNCTION agreement_signatures(p_id uuid, p_after text, p_limit integer)
RETURNS TABLE (agency text, signed_at timestamptz, content_hash text, client_id text, officer text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT p.agency, p.signed_at, p.signed_hash, CASE WHEN p.agency = caller_agency() THEN p.signed_by END,
    CASE WHEN p.agency = caller_agency() THEN p.officer END
  FROM agreement_parties p WHERE p.agreement_id = p_id AND p.signed_at IS NOT NULL AND p.agency > p_after AND knows_agreement(p_id)
  ORDER BY p.agency LIMIT p_limit
$$;

-- ----------------------------------------------------------------------------------- suspended, reinstated, terminated
CREATE FUNCTION stop_by_caller(p_reason text) RETURNS jsonb LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT jsonb_build_object('agency', caller_agency(), 'at', clock_timestamp(), 'reason', p_reason)
$$;
CREATE FUNCTION without_callers_stop(p_stops jsonb) RETURNS jsonb LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(jsonb_agg(s.stop ORDER BY s.n) FILTER (WHERE s.stop ->> 'agency' <> caller_agency()), '[]')
  FROM jsonb_array_elements(p_stops) WITH ORDINALITY AS s (stop, n)
$$;

-- Adds the caller's suspension to those that stand. Outcomes: moved, stale.
CREATE FUNCTION suspend_agreement(p_id uuid, p_expected integer, p_reason text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_agreement agreements := hold_agreement(p_id);
BEGIN
  IF v_agreement.version IS DISTINCT FROM p_expected OR v_agreement.state NOT IN ('signed', 'in_force', 'suspended') THEN
    RETURN 'stale';
  END IF;
  v_agreement.suspensions := without_callers_stop(v_agreement.suspensions) || stop_by_caller(p_reason);
  PERFORM put_agreement(v_agreement, 'suspended');
  PERFORM tell_agreement(p_id, 'agreement.suspended', jsonb_build_object('agency', caller_agency()));
  PERFORM audit('agreement.suspend', 'done', 'agreements', ARRAY[p_id], '{}', jsonb_build_object('reason', p_reason));
  RETURN 'moved';
END $$;

-- Takes the caller's suspension back; without another the agreement stands as it would have. Outcomes: moved, stale.
CREATE FUNCTION reinstate_agreement(p_id uuid, p_expected integer) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_agreement agreements := hold_agreement(p_id);
  v_left jsonb := without_callers_stop(v_agreement.suspensions);
  v_state text := CASE WHEN v_left = '[]' THEN standing_state(v_agreement.valid_from) ELSE 'suspended' END;
BEGIN
  IF v_agreement.version IS DISTINCT FROM p_expected OR v_agreement.state <> 'suspended' OR v_left = v_agreement.suspensions THEN
    RETURN 'stale';
  END IF;
  v_agreement.suspensions := v_left;
  PERFORM put_agreement(v_agreement, v_state);
  PERFORM tell_agreement(p_id, 'agreement.reinstated', jsonb_build_object('agency', caller_agency()));
  PERFORM audit('agreement.reinstate', 'done', 'agreements', ARRAY[p_id], '{}', jsonb_build_object('state', v_state));
  RETURN 'moved';
END $$;

-- Ends an agreement for all its parties. Outcomes: moved, stale.
CREATE FUNCTION terminate_agreement(p_id uuid, p_expected integer, p_reason text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_agreement agreements := hold_agreement(p_id);
BEGIN
  IF v_agreement.version IS DISTINCT FROM p_expected OR v_agreement.ended_at IS NOT NULL THEN
    RETURN 'stale';
  END IF;
  v_agreement.termination := stop_by_caller(p_reason);
  v_agreement.suspensions := '[]';
  v_agreement.ended_at := (v_agreement.termination ->> 'at')::timestamptz;
  PERFORM put_agreement(v_agreement, 'terminated');
  PERFORM tell_agreement(p_id, 'agreement.terminated', jsonb_build_object('agency', caller_agency()));
  PERFORM audit('agreement.terminate', 'done', 'agreements', ARRAY[p_id], '{}', jsonb_build_object('reason', p_reason));
  RETURN 'moved';
END $$;

-- -------------------------------------------------------------------------------------------------------------- by day
-- Puts one agreement in force whose first day has come, or writes down of one that it has expired; false if none is due.
-- Nobody calls it, so each party finds it in an entry of its own.
CREATE FUNCTION move_due_agreement() RETURNS boolean LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_id uuid;
  v_agreement agreements;
  v_moved text;
BEGIN
  SELECT id INTO v_id FROM agreements
  WHERE state = 'signed' AND valid_from <= utc_today() OR state IN ('signed', 'in_force', 'suspended') AND valid_until < utc_today()
  ORDER BY id LIMIT 1;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM pg_advisory_xact_lock(sight_key(v_id::text));
  SELECT * INTO STRICT v_agreement FROM agreements WHERE id = v_id FOR NO KEY UPDATE;
  v_moved := CASE WHEN (agreement_now(v_agreement)).state = 'expired' AND v_agreement.state <> 'expired' THEN 'expired'
    WHEN v_agreement.state = 'signed' AND v_agreement.valid_from <= utc_today() THEN 'in_force' END;
  IF v_moved = 'expired' THEN
    UPDATE agreements a SET state = n.state, version = n.version, updated_at = n.updated_at, ended_at = n.ended_at,
      suspensions = n.suspensions FROM agreement_now(v_agreement) AS n WHERE a.id = v_id;
    PERFORM set_agreement_force(v_id, false);
    PERFORM tell_agreement(v_id, 'agreement.expired', NULL);
  ELSIF v_moved = 'in_force' THEN
    PERFORM put_agreement(v_agreement, 'in_force');
    PERFORM tell_agreement(v_id, 'agreement.in_force', NULL);
  END IF;
  INSERT INTO audit_entries (agency, action, outcome, kind, record_ids)
  SELECT party, 'agreement.' || v_moved, 'done', 'agreements', ARRAY[v_id] FROM unnest(parties_of(v_id)) AS party WHERE v_moved IS NOT NULL;
  RETURN true;
END $$;

REVOKE ALL ON FUNCTION agreement_now, parties_of, places_taken, hold_agreement, put_agreement, standing_state,
  tell_agreement, put_parties, create_agreement, change_agreement, open_agreement, sign_agreement, agreement_signatures, stop_by_caller,
  without_callers_stop, suspend_agreement, reinstate_agreement, terminate_agreement, move_due_agreement FROM PUBLIC;
GRANT EXECUTE ON FUNCTION agreement_now, create_agreement, change_agreement, open_agreement, sign_agreement,
  agreement_signatures, suspend_agreement, reinstate_agreement, terminate_agreement TO interdesk_api, interdesk_worker;
GRANT EXECUTE ON FUNCTION move_due_agreement TO interdesk_worker;
RESET ROLE;
