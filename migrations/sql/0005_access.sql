-- The doors: how records leave, and what each database role may do at all.

-- Answers a group of reads by id in one transaction: for each, sign-in state, permission, the record under the caller's
-- policy, and the audit entry. p_requests is an array of
-- {n, client, jti, issued (epoch seconds), peer, request, officer, purpose, roles, kind, id}.
-- Outcomes: ok, missing, forbidden, acknowledgement-required (document is the caveat), and those of enter().
CREATE FUNCTION read_records(p_requests jsonb)
RETURNS TABLE (n integer, outcome text, version integer, document text) LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  q record;
  e record;
  v_originator text;
  v_caveat text;
BEGIN
  FOR q IN SELECT * FROM jsonb_to_recordset(p_requests) AS x (n integer, client text, jti uuid, issued double precision,
    peer inet, request text, officer text, purpose text, roles text[], kind text, id uuid)
  LOOP
    n := q.n;
    version := NULL;
    document := NULL;
    v_caveat := NULL;
    SELECT * INTO e FROM enter(q.client, q.jti, to_timestamp(q.issued), q.peer, q.request, q.officer, q.purpose);
    outcome := e.outcome;
    IF outcome = 'ok' AND NOT e.roles && q.roles THEN
      outcome := 'forbidden';
    END IF;
    IF outcome = 'ok' THEN
      SELECT r.originator, r.version,
        CASE WHEN r.originator = e.agency THEN r.document WHEN NOT r.covered OR lies_open(r.id) THEN r.shared_document END,
        CASE WHEN r.covered THEN r.handling ->> 'caveat' END
      INTO v_originator, version, document, v_caveat FROM records r WHERE r.id = q.id AND r.kind = q.kind;
      IF NOT FOUND THEN
        outcome := 'missing';
      ELSIF document IS NULL THEN
        outcome := 'acknowledgement-required';
      ELSE
        PERFORM audit('record.read', 'done', q.kind, ARRAY[q.id], ARRAY[v_originator]);
      END IF;
    END IF;
    IF outcome <> 'ok' THEN
      PERFORM audit_refusal(e.agency, q.client, q.officer, q.purpose, 'record.read', outcome, q.kind, q.id, q.request, q.peer, NULL);
      version := NULL;
      document := v_caveat;
    END IF;
    RETURN NEXT;
  END LOOP;
END $$;

-- Creates a group of records in one transaction: for each, sign-in state, permission, its Idempotency-Key if it has one,
-- and create_record. p_requests is an array of objects: what create_record takes, by its names, and {n, client, jti,
-- issued, peer, request, officer, purpose, roles} as in read_records; agency, the caller's as the server knows it; and
-- path, key and body_hash (hex) of a call that must not be done twice. Outcomes: created; anything else means that
-- nothing was done for that one, and that it takes a transaction of its own to say why.
CREATE FUNCTION create_records(p_requests json)
RETURNS TABLE (n integer, outcome text) LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  q record;
  e record;
BEGIN
  FOR q IN SELECT * FROM json_to_recordset(p_requests) AS x (n integer, client text, jti uuid, issued double precision,
    peer inet, request text, officer text, purpose text, roles text[], agency text, path text, key text, body_hash text,
    p_id uuid, p_kind text, p_reference text, p_external_id text, p_at timestamptz, p_handling jsonb, p_audience text[],
    p_excluded text[], p_agencies text[], p_groups uuid[], p_facets text[], p_names text[], p_document text, p_shared_document text,
    p_life text)
  LOOP
    n := q.n;
    SELECT * INTO e FROM enter(q.client, q.jti, to_timestamp(q.issued), q.peer, q.request, q.officer, q.purpose);
    outcome := CASE WHEN e.outcome <> 'ok' THEN e.outcome WHEN NOT e.roles && q.roles THEN 'forbidden'
      WHEN e.agency <> q.agency THEN 'moved' ELSE 'fresh' END;
    IF outcome = 'fresh' AND q.key IS NOT NULL THEN
      SELECT k.outcome INTO outcome FROM recall_idempotency_key('POST', q.path, q.key, decode(q.body_hash, 'hex')) AS k;
    END IF;
    IF outcome = 'fresh' THEN
      SELECT c.outcome INTO outcome FROM create_record(q.p_id, q.p_kind, q.p_reference, q.p_external_id, q.p_at, q.p_handling,
        q.p_audience, q.p_excluded, q.p_agencies, q.p_groups, q.p_facets, q.p_names, q.p_document, q.p_shared_document, q.p_life) AS c;
    END IF;
    IF outcome = 'created' AND q.key IS NOT NULL THEN
      PERFORM keep_idempotency_key('POST', q.path, q.key, decode(q.body_hash, 'hex'), 201, q.path || '/' || q.p_id, q.p_kind, q.p_id::text, 1);
    END IF;
    RETURN NEXT;
  END LOOP;
END $$;

-- References of those records that may not leave for a purpose, as far as the caller sees them; NULL if all of them may.
-- H1: without its provider's permission nothing of a record goes into judicial proceedings.
CREATE FUNCTION kept_from_export(p_purpose text, p_ids uuid[]) RETURNS text[] LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT array_agg(r.reference ORDER BY r.reference) FROM records r
  WHERE p_purpose = 'evidence' AND r.id = ANY (p_ids) AND r.originator <> caller_agency() AND r.state = 'current'
    AND r.handling -> 'codes' ? 'H1'
$$;

-- One page of records as the caller sees them, with the audit entry. The filters of p_filters are {facets, originator,
-- external_id, reference, shared_with_me, updated_after, q}; p_after is the last row of the page before: {at, id}, or
-- {score, id} when q orders by likeness; p_purpose is what the page is taken out for, if that was said. A page with
-- records that may not leave for it has no items: `forbidden` are their references. The caller has been set by enter()
-- in this transaction.
CREATE FUNCTION page_of_records(p_kind text, p_order text, p_filters jsonb, p_limit integer, p_after jsonb, p_purpose text DEFAULT NULL)
RETURNS TABLE (items text, shown integer, more boolean, last_at timestamptz, last_score real, last_id uuid, forbidden text[])
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  v_agency text := current_setting('interdesk.agency', true);
  v_facets text[] := ARRAY(SELECT jsonb_array_elements_text(p_filters -> 'facets'));
  -- Not shared with the caller are its own records; another originator asked for beside that leaves none.
  v_originator text := CASE WHEN (p_filters ->> 'shared_with_me')::boolean IS NOT FALSE THEN p_filters ->> 'originator'
    WHEN coalesce(p_filters ->> 'originator', v_agency) = v_agency THEN v_agency ELSE '' END;
  -- A page ends early, as if by its limit, where one agency's huge records would fill another's memory.
  c_bytes CONSTANT integer := 4000000;
  v_found uuid[];
  v_ats timestamptz[];
  v_scores real[];
  v_ids uuid[];
  v_originators text[];
  v_covered uuid[];
  v_reached integer;
BEGIN
  IF p_order NOT IN ('updated_at', 'created_at') THEN
    RAISE EXCEPTION 'order is updated_at or created_at';
  END IF;
  IF p_filters ->> 'q' IS NOT NULL THEN
    SELECT array_agg(s.id ORDER BY s.score DESC, s.id DESC), array_agg(s.score ORDER BY s.score DESC, s.id DESC) INTO v_found, v_scores
    FROM search_records(p_kind, p_filters ->> 'q', v_facets, v_originator, p_filters ->> 'external_id',
      p_filters ->> 'reference', (p_filters ->> 'shared_with_me')::boolean, (p_filters ->> 'updated_after')::timestamptz,
      p_limit + 1, (p_after ->> 'score')::real, (p_after ->> 'id')::uuid) AS s;
  ELSE
    SELECT array_agg(p.id ORDER BY p.at DESC, p.id DESC), array_agg(p.at ORDER BY p.at DESC, p.id DESC) INTO v_found, v_ats
    FROM page_ids(p_kind, p_order, v_facets, v_originator, p_filters ->> 'external_id',
      p_filters ->> 'reference', (p_filters ->> 'shared_with_me')::boolean, (p_filters ->> 'updated_after')::timestamptz,
      p_limit + 1, (p_after ->> 'at')::timestamptz, (p_after ->> 'id')::uuid) AS p;
  END IF;
  SELECT string_agg(s.document, ',' ORDER BY s.n), count(*)::integer, array_agg(s.id ORDER BY s.n), array_agg(s.originator ORDER BY s.n), max(s.n),
    array_agg(s.id ORDER BY s.n) FILTER (WHERE s.covered)
  INTO items, shown, v_ids, v_originators, v_reached, v_covered
  FROM (
    SELECT p.n, p.id, r.originator, r.document, r.covered,
      sum(octet_length(r.document)) OVER (ORDER BY p.n ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW) AS before
    FROM unnest(v_found[:p_limit]) WITH ORDINALITY AS p (id, n)
    -- Row by row: the planner cannot know how few rows the page has, and would read far more of the table.
    CROSS JOIN LATERAL (SELECT o.originator, o.covered AND NOT lies_open(o.id) AS covered,
        CASE WHEN o.originator = v_agency THEN o.document WHEN NOT o.covered OR lies_open(o.id) THEN o.shared_document
          ELSE cover_of(o.shared_document) END AS document
      FROM records o WHERE o.id = p.id OFFSET 0) r) AS s
  WHERE coalesce(s.before, 0) < c_bytes;
  v_reached := coalesce(v_reached, least(cardinality(v_found), p_limit));
  more := coalesce(cardinality(v_found) > v_reached, false);
  last_id := v_found[v_reached];
  last_at := v_ats[v_reached];
  last_score := v_scores[v_reached];
  items := coalesce(items, '');
  IF p_purpose IS NOT NULL THEN
    forbidden := kept_from_export(p_purpose, v_ids);
  END IF;
  IF forbidden IS NOT NULL THEN
    items := '';
    PERFORM audit('record.list', 'handling-forbids', p_kind, '{}', '{}', jsonb_build_object('export_purpose', p_purpose));
  ELSIF p_purpose IS NULL AND v_covered IS NULL THEN
    PERFORM audit('record.list', 'done', p_kind, v_ids, v_originators);
  ELSE
    -- Of what is covered nothing but the cover was shown.
    PERFORM audit('record.list', 'done', p_kind, v_ids, v_originators,
      jsonb_strip_nulls(jsonb_build_object('export_purpose', p_purpose, 'covered', to_jsonb(v_covered))));
  END IF;
  RETURN NEXT;
END $$;

-- The same with sign-in and permission in one call, for the door that has nothing else to do in its transaction.
CREATE FUNCTION list_records(p_request jsonb)
RETURNS TABLE (outcome text, items text, shown integer, more boolean, last_at timestamptz, last_score real, last_id uuid, forbidden text[])
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  q record;
  e record;
BEGIN
  SELECT * INTO q FROM jsonb_to_record(p_request) AS x (client text, jti uuid, issued double precision, peer inet, request text,
    officer text, purpose text, roles text[], kind text, "order" text, filters jsonb, "limit" integer, after jsonb, export_purpose text);
  SELECT * INTO e FROM enter(q.client, q.jti, to_timestamp(q.issued), q.peer, q.request, q.officer, q.purpose);
  outcome := e.outcome;
  IF outcome = 'ok' AND NOT e.roles && q.roles THEN
    outcome := 'forbidden';
  END IF;
  IF outcome <> 'ok' THEN
    PERFORM audit_refusal(e.agency, q.client, q.officer, q.purpose, 'record.list', outcome, q.kind, NULL, q.request, q.peer, NULL);
    RETURN NEXT;
    RETURN;
  END IF;
  RETURN QUERY SELECT CASE WHEN p.forbidden IS NULL THEN 'ok' ELSE 'handling-forbids' END, p.*
    FROM page_of_records(q.kind, q."order", coalesce(q.filters, '{}'), q."limit", q.after, q.export_purpose) AS p;
END $$;

-- The caller's events after a position. At most 20,000 positions are looked at in one call, so that an agency that may
-- see little of a busy hub gets a short answer and a cursor further on instead of a long wait.
-- kinds: what the token may read; a NULL kind (an agency's own affairs) is for everybody it is addressed to.
CREATE FUNCTION page_of_events(p_after bigint, p_types text[], p_kinds text[], p_limit integer)
RETURNS TABLE (id uuid, at timestamptz, type text, kind text, record_id uuid, reference text, version integer, data jsonb, "position" bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT e.id, e.at, e.type, e.kind, e.record_id, e.reference, e.version, e.data, e.position
  FROM events e
  WHERE e.position > p_after AND e.position <= p_after + 20000
    AND (p_types IS NULL OR e.type = ANY (p_types))
    AND (e.kind IS NULL OR e.kind = ANY (p_kinds))
    AND (NOT e.while_visible OR e.record_id IS NULL OR EXISTS (SELECT FROM records r WHERE r.id = e.record_id))
  ORDER BY e.position LIMIT p_limit
$$;

-- What search keeps beside the records is read by the engine's functions alone.
DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['record_sight', 'record_search', 'name_words'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
  END LOOP;
END $$;

-- Every function belongs to the engine if it is SECURITY DEFINER, and may be called by nobody it is not granted to.
DO $$
DECLARE
  v_function record;
BEGIN
  FOR v_function IN SELECT p.oid::regprocedure AS name, p.prosecdef FROM pg_proc p
    JOIN pg_namespace s ON s.oid = p.pronamespace AND s.nspname = 'public'
    WHERE p.proowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)
  LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_function.name);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO interdesk_engine', v_function.name);
    -- Making a month's partition takes the table's owner; all other definer functions are the engine's.
    IF v_function.prosecdef AND v_function.name::regproc <> 'ensure_audit_months'::regproc THEN
      EXECUTE format('ALTER FUNCTION %s OWNER TO interdesk_engine', v_function.name);
    END IF;
  END LOOP;
END $$;

-- Read, list and page are the caller's own, under its policies; everything else that writes is the engine's.
GRANT EXECUTE ON FUNCTION read_records, create_records, list_records, page_of_records, page_of_events, kept_from_export, cover_of,
  caller_agency, caller_has_role, uuid7, utc_text, utc_today TO interdesk_api, interdesk_worker;
GRANT EXECUTE ON FUNCTION ensure_audit_months TO interdesk_worker;
SELECT ensure_audit_months(3);
SET LOCAL ROLE interdesk_engine;
GRANT EXECUTE ON FUNCTION enter, credential_for_sign_in, in_group, chairs_group, has_agency_admin, audit, audit_refusal,
  audit_of_own_records, feed_end, feed_lag, seen_since, first_version_seen, lies_open, unknown_in_audience, agencies_of,
  knows_agreement, gate_audience, with_parties, create_record, change_record, replace_handling, disclose_record, emergency_recipients,
  confirm_disclosure,
  access_of, note_change,
  recall_idempotency_key, keep_idempotency_key TO interdesk_api, interdesk_worker;
GRANT EXECUTE ON FUNCTION enter_operator, sequence_events, announce TO interdesk_worker;
RESET ROLE;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO interdesk_engine;

-- Which credential and officer signed for a party is that party's affair, and told by a function.
GRANT SELECT (agreement_id, agency, signed_at, signed_hash) ON agreement_parties TO interdesk_api, interdesk_worker;
GRANT SELECT ON agencies, groups, memberships, agreements, credentials, recoveries, audit_entries, events, records, record_versions,
  disclosures, record_links, amendments, sightings TO interdesk_api, interdesk_worker;
GRANT INSERT (code, name, native_name, kind, country, languages, time_zone, contact_phone, contact_email, version, created_at, updated_at)
  ON agencies TO interdesk_api, interdesk_worker;
GRANT UPDATE (name, native_name, kind, country, languages, time_zone, contact_phone, contact_email, status, version, updated_at)
  ON agencies TO interdesk_api, interdesk_worker;
GRANT INSERT, UPDATE ON groups, memberships, credentials, recoveries TO interdesk_api, interdesk_worker;
GRANT INSERT, DELETE ON record_links TO interdesk_api, interdesk_worker;
GRANT INSERT, UPDATE ON amendments TO interdesk_api, interdesk_worker;
GRANT INSERT ON sightings TO interdesk_api, interdesk_worker;
