-- What is exchanged: records under one policy, with everything that hangs on them.

CREATE TABLE records (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('criminal-organizations', 'incident-reports', 'joint-operations', 'repatriation-requests', 'bulletins')),
  reference text NOT NULL,
  -- No foreign key: it is the caller's agency, which enter() has just found, no agency is ever deleted, and the check
  -- would make all creators of one agency share a lock on its row.
  originator text NOT NULL,
  external_id text,
  version integer NOT NULL DEFAULT 1,
  audience_version integer NOT NULL DEFAULT 1,
  state text NOT NULL DEFAULT 'current',
  -- How far the record's own course has come, for kinds that have one: 'draft', 'proposed'.
  life text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  handling jsonb NOT NULL,
  -- Principals that see the record; the originator's code is among them, so that the policy is one overlap.
  audience text[] NOT NULL CHECK (originator = ANY (audience)),
  excluded text[] NOT NULL DEFAULT '{}' CHECK (NOT originator = ANY (excluded)),
  -- Agencies that the record is about, such as an operation's participants: they see it whatever its handling names.
  parties text[] NOT NULL DEFAULT '{}' CHECK (NOT originator = ANY (parties) AND NOT parties && excluded),
  -- H3: a reader's agency acknowledges the caveat before it is shown anything of the content. Computed here, so that
  -- no way of writing a record can forget it.
  covered boolean NOT NULL GENERATED ALWAYS AS (state = 'current' AND coalesce(handling -> 'codes' ? 'H3', false)) STORED,
  -- What lists filter by, as 'status:active' or 'country:KH'.
  facets text[] NOT NULL DEFAULT '{}',
  -- What a search by name finds it under.
  names text[] NOT NULL DEFAULT '{}',
  -- The API form, rendered when written: for the originator, and for everybody else.
  document text NOT NULL,
  shared_document text NOT NULL
);
-- Documents lose a third when compressed, which costs more, at every write and read, than the room is worth.
ALTER TABLE records ALTER document SET STORAGE EXTERNAL, ALTER shared_document SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX records_reference ON records (reference);
CREATE UNIQUE INDEX records_external_id ON records (originator, kind, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX records_newest_change ON records (kind, updated_at DESC, id DESC);
CREATE INDEX records_newest ON records (kind, created_at DESC, id DESC);

-- Versions and grants have no foreign key: only functions below write them, in the statement that writes the record,
-- no record is ever deleted, and the check would cost every create as much as its audit entry.
CREATE TABLE record_versions (
  record_id uuid NOT NULL,
  version integer NOT NULL,
  at timestamptz NOT NULL,
  -- Whose doing it was, where that was a party and not the originator.
  agency text,
  changed text[] NOT NULL,
  document text NOT NULL,
  shared_document text NOT NULL,
  PRIMARY KEY (record_id, version)
);
ALTER TABLE record_versions ALTER document SET STORAGE EXTERNAL, ALTER shared_document SET STORAGE EXTERNAL;

-- Since when each principal of a record's audience stands there, and through which disclosure.
CREATE TABLE record_grants (
  record_id uuid NOT NULL,
  principal text NOT NULL,
  since timestamptz NOT NULL,
  disclosure_id uuid,
  PRIMARY KEY (record_id, principal)
);
-- When an agency's exclusion was lifted: it sees nothing from before.
CREATE TABLE lifted_exclusions (
  record_id uuid NOT NULL REFERENCES records (id),
  agency text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (record_id, agency)
);

CREATE TABLE disclosures (
  id uuid PRIMARY KEY,
  record_id uuid NOT NULL REFERENCES records (id),
  agencies text[] NOT NULL,
  groups uuid[] NOT NULL,
  legal_basis uuid REFERENCES agreements (id),
  -- Somebody was opened the record with nothing for it to rest on.
  without_basis boolean NOT NULL,
  purpose text NOT NULL,
  -- Why it could not wait; NULL where it was no emergency.
  emergency text,
  lapses_at timestamptz CHECK ((lapses_at IS NULL) = (emergency IS NULL)),
  -- The disclosure that confirmed an emergency on a legal basis.
  confirmed_by uuid REFERENCES disclosures (id),
  confirmation text,
  version integer NOT NULL DEFAULT 1,
  at timestamptz NOT NULL,
  officer text
);
CREATE INDEX disclosures_by_record ON disclosures (record_id, at DESC, id DESC);

CREATE TABLE record_links (
  id uuid PRIMARY KEY,
  record_id uuid NOT NULL REFERENCES records (id),
  type text NOT NULL,
  target_id uuid NOT NULL REFERENCES records (id) CHECK (target_id <> record_id),
  target_kind text NOT NULL,
  since text,
  note text,
  created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX record_links_once ON record_links (record_id, type, target_id);
CREATE INDEX record_links_by_target ON record_links (target_id);

CREATE TABLE amendments (
  id uuid PRIMARY KEY,
  record_id uuid NOT NULL REFERENCES records (id),
  agency text NOT NULL REFERENCES agencies (code),
  patch jsonb NOT NULL,
  note text,
  base_version integer NOT NULL,
  state text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'accepted', 'rejected')),
  decision_note text,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX amendments_by_record ON amendments (record_id, created_at DESC, id DESC);

CREATE TABLE sightings (
  id uuid PRIMARY KEY,
  record_id uuid NOT NULL REFERENCES records (id),
  agency text NOT NULL REFERENCES agencies (code),
  assessment text NOT NULL CHECK (assessment IN ('corroborates', 'contradicts')),
  observed_on text,
  note text,
  grading jsonb,
  created_at timestamptz NOT NULL
);
CREATE INDEX sightings_by_record ON sightings (record_id, created_at DESC, id DESC);

CREATE TABLE idempotency_keys (
  client_id text NOT NULL,
  method text NOT NULL,
  path text NOT NULL,
  key text NOT NULL,
  body_hash bytea NOT NULL,
  status integer NOT NULL,
  location text,
  noun text NOT NULL,
  resource_id text NOT NULL,
  version integer NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (client_id, method, path, key)
);

DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['records', 'record_versions', 'record_grants', 'lifted_exclusions', 'disclosures',
    'record_links', 'amendments', 'sightings', 'idempotency_keys'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
  END LOOP;
END $$;

-- The one rule of who may see a record. One array overlap with an inline stable expression: anything cleverer (a
-- sub-select, a join, an OR) makes the planner blind to who is asking.
CREATE POLICY need_to_know ON records FOR SELECT TO interdesk_api, interdesk_worker USING (
  audience && string_to_array(current_setting('interdesk.principals', true), ',')
  AND NOT current_setting('interdesk.agency', true) = ANY (excluded));

-- The moment from which the caller could see a record without a break: its principal in the audience, its membership
-- behind the principal, and no exclusion. NULL if it cannot.
CREATE FUNCTION seen_since(p_record uuid) RETURNS timestamptz LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT greatest(min(greatest(g.since, p.since)),
    (SELECT at FROM lifted_exclusions l WHERE l.record_id = p_record AND l.agency = caller_agency()))
  FROM record_grants g JOIN principals_of(caller_agency()) p ON p.principal = g.principal
  WHERE g.record_id = p_record
$$;
CREATE FUNCTION first_version_seen(p_record uuid) RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(max(v.version), 1) FROM (SELECT seen_since(p_record) AS at) AS s
  LEFT JOIN record_versions v ON v.record_id = p_record AND v.at <= s.at WHERE s.at IS NOT NULL GROUP BY s.at
$$;
-- Whether a covered record lies open to the caller: it is its own, or its agency has acknowledged the caveat in the
-- words in which it stands now. In PL/pgSQL, which looks for tables when it is called: this one is made later.
CREATE FUNCTION lies_open(p_record uuid) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN EXISTS (SELECT FROM records r WHERE r.id = p_record AND (r.originator = caller_agency()
    OR EXISTS (SELECT FROM caveat_acknowledgements a WHERE a.record_id = r.id AND a.agency = caller_agency()
      AND a.caveat_hash = sha256(convert_to(r.handling ->> 'caveat', 'UTF8')))));
END $$;
-- What is shown of a record in place of its content until then: what stands around the content, picked out by name.
CREATE FUNCTION cover_of(p_shared_document text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT row_to_json(c)::text FROM (
    SELECT h.id, h.reference, h.originator, h.version, 'acknowledgement_required' AS state, h.created_at, h.updated_at, h.handling
    FROM json_to_record(p_shared_document::json) AS h (id json, reference json, originator json, version json,
      created_at json, updated_at json, handling json)) AS c
$$;
CREATE POLICY since_seen ON record_versions FOR SELECT TO interdesk_api, interdesk_worker USING (EXISTS (
  SELECT FROM records r WHERE r.id = record_id AND (r.originator = caller_agency()
    OR (record_versions.version >= first_version_seen(r.id) AND (r.state = 'current' OR record_versions.version = r.version)
      AND (NOT r.covered OR lies_open(r.id))))));
CREATE POLICY originator ON disclosures FOR SELECT TO interdesk_api, interdesk_worker USING (EXISTS (
  SELECT FROM records r WHERE r.id = record_id AND r.originator = caller_agency()));
-- A link is its source's: what it says of a covered record is covered too, while its target is an id and no more.
CREATE POLICY both_ends ON record_links FOR SELECT TO interdesk_api, interdesk_worker USING (
  EXISTS (SELECT FROM records r WHERE r.id = record_id AND (r.state = 'current' OR r.originator = caller_agency())
    AND (NOT r.covered OR lies_open(r.id)))
  AND EXISTS (SELECT FROM records r WHERE r.id = target_id AND (r.state = 'current' OR r.originator = caller_agency())));
CREATE POLICY originator_links ON record_links FOR INSERT TO interdesk_api, interdesk_worker WITH CHECK (
  EXISTS (SELECT FROM records r WHERE r.id = record_id AND r.originator = caller_agency() AND r.state = 'current')
  AND EXISTS (SELECT FROM records r WHERE r.id = target_id AND r.kind = target_kind
    AND (r.state = 'current' OR r.originator = caller_agency())));
CREATE POLICY originator_unlinks ON record_links FOR DELETE TO interdesk_api, interdesk_worker USING (
  EXISTS (SELECT FROM records r WHERE r.id = record_id AND r.originator = caller_agency()));
-- A reader's contribution is between it and the originator: shown to a third agency it would tell who else sees the record.
CREATE POLICY proposer_and_originator ON amendments FOR SELECT TO interdesk_api, interdesk_worker USING (EXISTS (
  SELECT FROM records r WHERE r.id = record_id AND (r.originator = caller_agency() OR (agency = caller_agency() AND r.state = 'current'
    AND (NOT r.covered OR lies_open(r.id))))));
CREATE POLICY reader_proposes ON amendments FOR INSERT TO interdesk_api, interdesk_worker WITH CHECK (agency = caller_agency() AND EXISTS (
  SELECT FROM records r WHERE r.id = record_id AND r.state = 'current' AND (NOT r.covered OR lies_open(r.id))));
CREATE POLICY originator_decides ON amendments FOR UPDATE TO interdesk_api, interdesk_worker USING (EXISTS (
  SELECT FROM records r WHERE r.id = record_id AND r.originator = caller_agency())) WITH CHECK (true);
CREATE POLICY observer_and_originator ON sightings FOR SELECT TO interdesk_api, interdesk_worker USING (EXISTS (
  SELECT FROM records r WHERE r.id = record_id AND (r.originator = caller_agency() OR (agency = caller_agency() AND r.state = 'current'
    AND (NOT r.covered OR lies_open(r.id))))));
CREATE POLICY reader_observes ON sightings FOR INSERT TO interdesk_api, interdesk_worker WITH CHECK (agency = caller_agency() AND EXISTS (
  SELECT FROM records r WHERE r.id = record_id AND r.state = 'current' AND (NOT r.covered OR lies_open(r.id))));

-- What of an audience the caller may not name: agencies that are none, and groups it does not stand in.
CREATE FUNCTION unknown_in_audience(p_agencies text[], p_groups uuid[])
RETURNS TABLE (agencies text[], groups uuid[]) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT ARRAY(SELECT c FROM unnest(p_agencies) AS c WHERE NOT EXISTS (SELECT FROM agencies a WHERE a.code = c AND NOT a.hub)),
    ARRAY(SELECT g FROM unnest(p_groups) AS g WHERE NOT EXISTS (SELECT FROM memberships m JOIN groups o ON o.id = m.group_id
      WHERE m.group_id = g AND m.agency = caller_agency() AND m.until IS NULL AND o.ended_at IS NULL))
$$;

-- Puts into the principals of an audience what they rest on: `KH-CNP@<agreement>` where a legal basis is named, and
-- `group:<id>@<charter>` where the group's charter covers the kind and the originator is a party to it. Whoever stands in
-- p_standing already keeps what it rests on there, unless that was p_former and the basis named is another now.
-- Nothing but GREEN and CLEAR may go without, unless the installation only records that (the setting interdesk.legal_basis,
-- which every connection that may share is opened with).
-- flaws: [{principal, code}], a null principal for the basis itself; without_basis: principals that rest on nothing
-- although they should.
CREATE FUNCTION gate_audience(
  p_kind text, p_originator text, p_tlp text, p_principals text[], p_basis uuid, p_former uuid, p_standing text[],
  OUT audience text[], OUT flaws jsonb, OUT without_basis text[]
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_needed boolean := p_tlp NOT IN ('GREEN', 'CLEAR');
  v_required boolean := v_needed AND coalesce(current_setting('interdesk.legal_basis', true), '') <> 'recorded';
  v_principal text;
  v_standing text[];
  v_charter uuid;
  v_flaw text;
BEGIN
  audience := '{}';
  flaws := '[]';
  without_basis := '{}';
  FOREACH v_principal IN ARRAY p_principals LOOP
    v_flaw := NULL;
    v_standing := ARRAY(SELECT s FROM unnest(p_standing) AS s WHERE split_part(s, '@', 1) = v_principal);
    IF v_principal IN (p_originator, 'community') THEN
      v_standing := ARRAY[v_principal];
    ELSIF v_principal ~ ':' THEN
      SELECT c.flaw, c.charter INTO v_flaw, v_charter FROM charter_flaw(v_principal, p_kind, p_originator, v_standing) AS c;
      IF v_flaw IS NULL THEN
        v_standing := ARRAY[v_principal || '@' || v_charter];
      ELSIF array_to_string(v_standing, ' ') ~ '@' THEN
        -- What rested on a charter goes on resting on it, asleep as it may be: the group's chair must not be able to turn
        -- it into sharing on nothing by taking the charter away.
        v_flaw := NULL;
      ELSE
        v_standing := ARRAY[v_principal];
      END IF;
    ELSE
      IF p_basis IS DISTINCT FROM p_former THEN
        v_standing := array_remove(array_remove(v_standing, v_principal), v_principal || '@' || p_former);
      END IF;
      IF v_standing = '{}' AND p_basis IS NOT NULL THEN
        v_flaw := basis_flaw(p_basis, p_kind, v_principal);
        v_standing := ARRAY[v_principal || '@' || p_basis];
        IF v_flaw IS NOT NULL THEN
          flaws := flaws || jsonb_build_object('principal', CASE WHEN v_flaw = 'recipient-no-party' THEN v_principal END, 'code', v_flaw);
          CONTINUE;
        END IF;
      ELSIF v_standing = '{}' OR v_principal = ANY (v_standing) THEN
        v_flaw := 'basis-missing';
        v_standing := v_standing || CASE WHEN v_standing = '{}' THEN ARRAY[v_principal] ELSE '{}' END;
      END IF;
    END IF;
    IF v_flaw IS NOT NULL AND v_required THEN
      flaws := flaws || jsonb_build_object('principal', v_principal, 'code', v_flaw);
    ELSIF v_flaw IS NOT NULL AND v_needed THEN
      without_basis := without_basis || v_principal;
    END IF;
    audience := audience || v_standing;
  END LOOP;
END $$;
-- Why an agreement does not cover a disclosure to an agency; NULL if it does. It is one that the originator is a party to.
CREATE FUNCTION basis_flaw(p_basis uuid, p_kind text, p_agency text) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT CASE
    WHEN NOT is_in_force(a.in_force_since, a.valid_until) THEN 'basis-not-in-force'
    WHEN NOT p_kind = ANY (a.record_kinds) THEN 'kind-not-covered'
    WHEN NOT EXISTS (SELECT FROM agreement_parties p WHERE p.agreement_id = a.id AND p.agency = p_agency) THEN 'recipient-no-party'
    END FROM agreements a WHERE a.id = p_basis
$$;
-- The charter of the group behind a principal, and why sharing with the group cannot rest on it; what rests on it
-- already goes on doing so.
CREATE FUNCTION charter_flaw(p_principal text, p_kind text, p_originator text, p_standing text[], OUT charter uuid, OUT flaw text)
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT a.id, CASE
    WHEN a.id IS NULL THEN 'charter-missing'
    WHEN p_principal || '@' || a.id = ANY (p_standing) THEN NULL
    -- First of all: only its parties learn more of an agreement.
    WHEN NOT EXISTS (SELECT FROM agreement_parties p WHERE p.agreement_id = a.id AND p.agency = p_originator) THEN 'originator-no-party'
    WHEN NOT is_in_force(a.in_force_since, a.valid_until) THEN 'charter-not-in-force'
    WHEN NOT p_kind = ANY (a.record_kinds) THEN 'kind-not-covered-by-charter'
    END
  FROM (SELECT substring(p_principal FROM ':(.+)$')::uuid AS id) AS named
  LEFT JOIN groups g ON g.id = named.id LEFT JOIN agreements a ON a.id = g.charter
$$;

-- The caller's own record of a kind that has this number; NULL, and no other transaction gives it away before this one
-- ends, if there is none.
CREATE FUNCTION holder_of_external_id(p_kind text, p_external_id text) RETURNS uuid LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(caller_agency() || ' ' || p_kind || ' ' || p_external_id, 0));
  RETURN (SELECT id FROM records WHERE originator = caller_agency() AND kind = p_kind AND external_id = p_external_id);
END $$;

-- Creates a record of the caller's agency: record, first version, grants, events and audit entry at once.
-- p_agencies and p_groups are what its handling names. Outcomes: created; reference-taken (draw another);
-- external-id-taken (existing_id is the caller's own record); unknown-reference (unknown_agencies, unknown_groups,
-- unknown_basis); no-legal-basis (flaws as of gate_audience).
CREATE FUNCTION create_record(
  p_id uuid, p_kind text, p_reference text, p_external_id text, p_at timestamptz, p_handling jsonb, p_audience text[],
  p_excluded text[], p_agencies text[], p_groups uuid[], p_facets text[], p_names text[], p_document text,
  p_shared_document text, p_life text DEFAULT NULL, OUT outcome text, OUT existing_id uuid, OUT unknown_agencies text[], OUT unknown_groups uuid[],
  OUT unknown_basis boolean, OUT flaws jsonb
) LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  v_agency text := caller_agency();
  v_basis uuid := p_handling ->> 'legal_basis';
BEGIN
  IF p_agencies <> '{}' OR p_groups <> '{}' OR v_basis IS NOT NULL THEN
    SELECT u.agencies, u.groups INTO unknown_agencies, unknown_groups FROM unknown_in_audience(p_agencies, p_groups) AS u;
    unknown_basis := v_basis IS NOT NULL AND NOT knows_agreement(v_basis);
    IF unknown_agencies <> '{}' OR unknown_groups <> '{}' OR unknown_basis THEN
      outcome := 'unknown-reference';
      RETURN;
    END IF;
    SELECT g.audience, g.flaws INTO p_audience, flaws
    FROM gate_audience(p_kind, v_agency, p_handling ->> 'tlp', p_audience, v_basis, NULL, '{}') AS g;
    IF flaws <> '[]' THEN
      outcome := 'no-legal-basis';
      RETURN;
    END IF;
  END IF;
  IF p_external_id IS NOT NULL THEN
    existing_id := holder_of_external_id(p_kind, p_external_id);
    IF existing_id IS NOT NULL THEN
      outcome := 'external-id-taken';
      RETURN;
    END IF;
  END IF;
  INSERT INTO records (id, kind, reference, originator, external_id, life, created_at, updated_at, handling, audience, excluded, facets, names, document, shared_document)
  VALUES (p_id, p_kind, p_reference, v_agency, p_external_id, p_life, p_at, p_at, p_handling, p_audience, p_excluded, p_facets, p_names, p_document, p_shared_document)
  ON CONFLICT (reference) DO NOTHING;
  IF NOT FOUND THEN
    outcome := 'reference-taken';
    RETURN;
  END IF;
  INSERT INTO record_versions (record_id, version, at, changed, document, shared_document) VALUES (p_id, 1, p_at, '{}', p_document, p_shared_document);
  INSERT INTO record_grants (record_id, principal, since) SELECT p_id, p, p_at FROM unnest(p_audience) AS p;
  INSERT INTO events (type, kind, record_id, reference, version, audience)
  VALUES ('record.created', p_kind, p_id, p_reference, 1, ARRAY[v_agency]);
  IF cardinality(p_audience) > 1 THEN
    PERFORM announce('record.shared', p_kind, p_id, p_reference, 1, array_remove(p_audience, v_agency), p_excluded || v_agency);
  END IF;
  PERFORM audit('record.create', 'done', p_kind, ARRAY[p_id], '{}');
  outcome := 'created';
END $$;

-- Puts the next version of the caller's own record in place of p_expected. Outcomes: changed; stale; moved (the handling
-- that stands in the documents is not the present one any more); external-id-taken (existing_id is another record of the
-- caller's own, which has this number).
CREATE FUNCTION change_record(
  p_id uuid, p_expected integer, p_expected_audience integer, p_external_id text, p_at timestamptz, p_state text, p_facets text[], p_names text[],
  p_changed text[], p_document text, p_shared_document text, p_event text, p_action text, p_life text DEFAULT NULL,
  OUT outcome text, OUT existing_id uuid
) LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
  v_seeing text[];
BEGIN
  IF p_external_id IS NOT NULL THEN
    SELECT * INTO v_record FROM records WHERE id = p_id AND originator = caller_agency();
    IF FOUND AND p_external_id IS DISTINCT FROM v_record.external_id THEN
      existing_id := holder_of_external_id(v_record.kind, p_external_id);
      IF existing_id IS NOT NULL THEN
        outcome := 'external-id-taken';
        RETURN;
      END IF;
    END IF;
  END IF;
  UPDATE records SET version = version + 1, updated_at = p_at, state = p_state, facets = p_facets, names = p_names,
    life = coalesce(p_life, life), external_id = p_external_id, document = p_document, shared_document = p_shared_document
  WHERE id = p_id AND originator = caller_agency() AND version = p_expected
    AND audience_version = coalesce(p_expected_audience, audience_version) RETURNING * INTO v_record;
  IF NOT FOUND THEN
    outcome := CASE WHEN EXISTS (SELECT FROM records WHERE id = p_id AND originator = caller_agency() AND version = p_expected)
      THEN 'moved' ELSE 'stale' END;
    RETURN;
  END IF;
  INSERT INTO record_versions (record_id, version, at, changed, document, shared_document)
  VALUES (p_id, v_record.version, p_at, p_changed, p_document, p_shared_document);
  PERFORM announce(p_event, v_record.kind, p_id, v_record.reference, v_record.version, v_record.audience, v_record.excluded);
  IF p_event = 'record.retracted' THEN
    v_seeing := agencies_of(v_record.audience, v_record.excluded);
    PERFORM open_recall(p_id, array_remove(v_seeing, v_record.originator), 'retraction');
    -- The tombstone is for those who saw the record, by name: whoever joins a group or the hub later never knew of it.
    UPDATE records SET audience = v_seeing, excluded = '{}', parties = '{}', life = NULL WHERE id = p_id;
    INSERT INTO record_grants (record_id, principal, since) SELECT p_id, a, p_at FROM unnest(v_seeing) AS a ON CONFLICT DO NOTHING;
    DELETE FROM record_grants WHERE record_id = p_id AND NOT principal = ANY (v_seeing);
  END IF;
  PERFORM audit(p_action, 'done', v_record.kind, ARRAY[p_id], '{}', jsonb_build_object('version', v_record.version));
  outcome := 'changed';
END $$;

-- Puts handling and audience in place of a record's, which the caller of this holds locked. When readers see something
-- else than before, p_version_at is given and a version is added. Those who gain and lose sight are told, and the latter are
-- asked what they did with their copies: with p_recall for the reason and by the moment that the originator gave.
CREATE FUNCTION change_handling(
  p_was records, p_version_at timestamptz, p_handling jsonb, p_audience text[], p_excluded text[], p_document text,
  p_shared_document text, p_disclosure uuid, p_shared_data jsonb, p_action text, p_detail jsonb,
  p_recall uuid DEFAULT NULL, p_reason text DEFAULT NULL, p_due_at timestamptz DEFAULT NULL,
  OUT gained text[], OUT lost text[], OUT asked text[]
) LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_before text[];
  v_after text[];
  v_now timestamptz := greatest(clock_timestamp(), p_was.updated_at);
  v_version integer := p_was.version + CASE WHEN p_version_at IS NULL THEN 0 ELSE 1 END;
BEGIN
  -- What ends by itself at this moment is told for what it is.
  PERFORM settle_expired(p_was.audience || p_audience);
  PERFORM lapse_emergencies_of(p_was.id);
  v_before := agencies_of(p_was.audience, p_was.excluded);
  UPDATE records SET handling = p_handling, audience = p_audience, excluded = p_excluded, audience_version = audience_version + 1,
    version = v_version, updated_at = coalesce(p_version_at, updated_at), document = p_document, shared_document = p_shared_document
  WHERE id = p_was.id;
  UPDATE agencies SET conditional_sight = true WHERE p_shared_data ->> 'lapses_at' IS NOT NULL AND NOT conditional_sight
    AND code IN (SELECT jsonb_array_elements_text(p_detail -> 'agencies'));
  INSERT INTO emergencies (disclosure_id, agency, record_id, since, until)
  SELECT p_disclosure, a, p_was.id, v_now, (p_shared_data ->> 'lapses_at')::timestamptz
  FROM jsonb_array_elements_text(p_detail -> 'agencies') AS a WHERE p_shared_data ->> 'lapses_at' IS NOT NULL;
  v_after := agencies_of(p_audience, p_excluded);
  gained := ARRAY(SELECT unnest(v_after) EXCEPT SELECT unnest(v_before) ORDER BY 1);
  lost := ARRAY(SELECT unnest(v_before) EXCEPT SELECT unnest(v_after) ORDER BY 1);
  DELETE FROM record_grants WHERE record_id = p_was.id AND NOT principal = ANY (p_audience);
  INSERT INTO record_grants (record_id, principal, since, disclosure_id)
  SELECT p_was.id, p, v_now, p_disclosure FROM unnest(p_audience) AS p ON CONFLICT DO NOTHING;
  UPDATE emergencies SET ended_at = v_now WHERE record_id = p_was.id AND ended_at IS NULL
    AND NOT agency || '!' || disclosure_id = ANY (p_audience);
  INSERT INTO lifted_exclusions (record_id, agency, at) SELECT p_was.id, e, v_now FROM unnest(p_was.excluded) AS e WHERE NOT e = ANY (p_excluded)
  ON CONFLICT (record_id, agency) DO UPDATE SET at = excluded.at;
  IF p_version_at IS NOT NULL THEN
    INSERT INTO record_versions (record_id, version, at, changed, document, shared_document)
    VALUES (p_was.id, v_version, p_version_at, ARRAY['handling'], p_document, p_shared_document);
    PERFORM announce('record.updated', p_was.kind, p_was.id, p_was.reference, v_version,
      ARRAY(SELECT unnest(v_after) INTERSECT SELECT unnest(v_before)), '{}');
  END IF;
  PERFORM announce('record.shared', p_was.kind, p_was.id, p_was.reference, v_version, gained, '{}', true, p_shared_data);
  PERFORM announce('record.lost', p_was.kind, p_was.id, p_was.reference, NULL, lost, '{}', false);
  -- Whoever stood there by name has copies, also where an agreement or emergency has ended its sight before.
  asked := ARRAY(SELECT unnest(lost) UNION SELECT substring(p FROM '^[^:@!]+') FROM unnest(p_was.audience) AS p
    WHERE p !~ ':' AND p <> 'community' AND NOT p = ANY (p_audience) AND NOT split_part(p, '@', 1) = ANY (v_after)
      AND NOT split_part(p, '!', 1) = ANY (v_after) ORDER BY 1);
  PERFORM open_recall(p_was.id, asked, CASE WHEN p_recall IS NULL THEN 'handling' ELSE 'recall' END, p_reason, p_due_at, p_recall);
  -- An emergency supersedes nothing: it lapses, and then there are copies still to be answered for.
  PERFORM supersede_recalls(p_was.id, agencies_of(ARRAY(SELECT p FROM unnest(p_audience) AS p WHERE p !~ '!'), p_excluded))
  WHERE EXISTS (SELECT FROM recall_recipients WHERE record_id = p_was.id AND state = 'open');
  PERFORM announce('handling.changed', p_was.kind, p_was.id, p_was.reference, v_version, ARRAY[p_was.originator], '{}');
  PERFORM audit(p_action, 'done', p_was.kind, ARRAY[p_was.id], '{}', p_detail || jsonb_build_object('gained', gained, 'lost', lost));
END $$;

-- The caller's own record at the versions it was read at, held until the end of the transaction.
CREATE FUNCTION hold_record(p_id uuid, p_expected integer, p_expected_version integer) RETURNS records LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT * FROM records WHERE id = p_id AND originator = caller_agency()
    AND audience_version = p_expected AND version = p_expected_version FOR UPDATE
$$;

-- The principals that an audience names, and the record's parties where it does not name them.
CREATE FUNCTION with_parties(p_audience text[], p_parties text[]) RETURNS text[] LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT p_audience || ARRAY(SELECT p FROM unnest(p_parties) AS p WHERE NOT p = ANY (p_audience))
$$;

-- Replaces handling and audience of the caller's own record; p_audience names principals without what they rest on, which
-- gate_audience adds. Emergency disclosures stand until they lapse or are recalled, and the record's parties stay.
-- Outcomes: changed, stale, unknown-basis, no-legal-basis (flaws).
CREATE FUNCTION replace_handling(
  p_id uuid, p_expected integer, p_expected_version integer, p_version_at timestamptz, p_handling jsonb, p_audience text[],
  p_excluded text[], p_document text, p_shared_document text,
  OUT outcome text, OUT gained text[], OUT lost text[], OUT flaws jsonb
) LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_was records := hold_record(p_id, p_expected, p_expected_version);
  v_basis uuid := p_handling ->> 'legal_basis';
  v_former uuid := v_was.handling ->> 'legal_basis';
  v_audience text[];
BEGIN
  IF v_was.id IS NULL THEN
    outcome := 'stale';
    RETURN;
  ELSIF v_basis IS NOT NULL AND v_basis IS DISTINCT FROM v_former AND NOT knows_agreement(v_basis) THEN
    outcome := 'unknown-basis';
    RETURN;
  END IF;
  SELECT g.audience, g.flaws INTO v_audience, flaws
  FROM gate_audience(v_was.kind, v_was.originator, p_handling ->> 'tlp', with_parties(p_audience, v_was.parties), v_basis, v_former,
    v_was.audience) AS g;
  IF flaws <> '[]' THEN
    outcome := 'no-legal-basis';
    RETURN;
  END IF;
  v_audience := v_audience || ARRAY(SELECT s FROM unnest(v_was.audience) AS s WHERE s ~ '!');
  SELECT c.gained, c.lost INTO gained, lost FROM change_handling(v_was, p_version_at, p_handling, v_audience, p_excluded,
    p_document, p_shared_document, NULL, NULL, 'record.handle', '{}') AS c;
  outcome := 'changed';
END $$;

-- Opens a record of the caller's to more agencies and groups: the disclosure and the handling that follows from it.
-- p_principals are the recipients, without what they rest on. With p_emergency, the reason why it cannot wait, the
-- recipients are agencies alone, nothing is asked of a legal basis, and they see the record until p_lapses_at.
-- Outcomes: changed, stale, unknown-basis, no-legal-basis (flaws), too-many (emergencies of this originator stand with one
-- of the recipients).
CREATE FUNCTION disclose_record(
  p_disclosure uuid, p_id uuid, p_expected integer, p_expected_version integer, p_handling jsonb, p_principals text[],
  p_document text, p_shared_document text, p_agencies text[], p_groups uuid[], p_basis uuid, p_purpose text, p_emergency text,
  p_lapses_at timestamptz, OUT outcome text, OUT gained text[], OUT flaws jsonb
) LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_was records := hold_record(p_id, p_expected, p_expected_version);
  v_gate record;
  v_added text[];
BEGIN
  IF v_was.id IS NULL THEN
    outcome := 'stale';
    RETURN;
  ELSIF p_basis IS NOT NULL AND NOT knows_agreement(p_basis) THEN
    outcome := 'unknown-basis';
    RETURN;
  END IF;
  SELECT * INTO v_gate FROM gate_audience(v_was.kind, v_was.originator, v_was.handling ->> 'tlp', p_principals, p_basis, NULL, '{}');
  IF p_emergency IS NOT NULL THEN
    -- Each costs its recipient a principal, which the policy looks at for every row.
    IF EXISTS (SELECT FROM emergencies e JOIN records r ON r.id = e.record_id AND r.originator = v_was.originator
      WHERE e.agency = ANY (p_agencies) AND e.ended_at IS NULL AND e.until > clock_timestamp() GROUP BY e.agency HAVING count(*) >= 20)
    THEN
      outcome := 'too-many';
      RETURN;
    END IF;
    v_added := ARRAY(SELECT a || '!' || p_disclosure FROM unnest(p_agencies) AS a);
  ELSIF v_gate.flaws <> '[]' THEN
    outcome := 'no-legal-basis';
    flaws := v_gate.flaws;
    RETURN;
  ELSE
    v_added := v_gate.audience;
  END IF;
  INSERT INTO disclosures (id, record_id, agencies, groups, legal_basis, without_basis, purpose, emergency, lapses_at, at, officer)
  VALUES (p_disclosure, p_id, p_agencies, p_groups, p_basis, p_emergency IS NOT NULL OR v_gate.without_basis <> '{}', p_purpose,
    p_emergency, p_lapses_at, clock_timestamp(), nullif(current_setting('interdesk.officer', true), ''));
  SELECT c.gained INTO gained FROM change_handling(v_was, NULL, p_handling,
    v_was.audience || ARRAY(SELECT a FROM unnest(v_added) AS a WHERE NOT a = ANY (v_was.audience)), v_was.excluded, p_document,
    p_shared_document, p_disclosure,
    CASE WHEN p_emergency IS NOT NULL THEN jsonb_build_object('emergency', true, 'lapses_at', utc_text(p_lapses_at)) END, 'record.disclose',
    jsonb_build_object('disclosure', p_disclosure, 'agencies', p_agencies, 'groups', p_groups, 'legal_basis', p_basis,
      'without_basis', v_gate.without_basis <> '{}', 'emergency', p_emergency IS NOT NULL)) AS c;
  IF p_emergency IS NOT NULL THEN
    PERFORM announce('emergency.disclosed', v_was.kind, p_id, v_was.reference, v_was.version, ARRAY[v_was.originator], '{}', true,
      jsonb_build_object('disclosure', p_disclosure, 'agencies', p_agencies, 'lapses_at', utc_text(p_lapses_at)));
  END IF;
  outcome := 'changed';
END $$;

-- Whom an emergency disclosure of the caller's own record still opens it to: not who was recalled since.
CREATE FUNCTION emergency_recipients(p_disclosure uuid) RETURNS text[] LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(array_agg(e.agency ORDER BY e.agency), '{}') FROM emergencies e
  JOIN records r ON r.id = e.record_id AND r.originator = caller_agency()
  WHERE e.disclosure_id = p_disclosure AND e.ended_at IS NULL AND e.until > clock_timestamp()
$$;

-- Lets an emergency disclosure of the caller's own record stand on: until p_lapses_at, or for good through p_by, a
-- disclosure of the same record to the same agencies. Outcomes: changed, stale, lapsed.
CREATE FUNCTION confirm_disclosure(p_disclosure uuid, p_record uuid, p_expected integer, p_lapses_at timestamptz, p_by uuid, p_reason text)
RETURNS text LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
  v_disclosure disclosures;
BEGIN
  SELECT * INTO v_record FROM records WHERE id = p_record AND originator = caller_agency() FOR UPDATE;
  SELECT * INTO v_disclosure FROM disclosures WHERE id = p_disclosure AND record_id = v_record.id FOR UPDATE;
  IF v_disclosure.version IS DISTINCT FROM p_expected THEN
    RETURN 'stale';
  ELSIF NOT EXISTS (SELECT FROM emergencies WHERE disclosure_id = p_disclosure AND ended_at IS NULL AND until > clock_timestamp()) THEN
    RETURN 'lapsed';
  END IF;
  UPDATE emergencies SET until = coalesce(p_lapses_at, until), ended_at = CASE WHEN p_by IS NOT NULL THEN clock_timestamp() END
  WHERE disclosure_id = p_disclosure AND ended_at IS NULL AND until > clock_timestamp();
  UPDATE disclosures SET lapses_at = coalesce(p_lapses_at, lapses_at), confirmed_by = p_by, confirmation = p_reason, version = version + 1
  WHERE id = p_disclosure;
  PERFORM announce('emergency.confirmed', v_record.kind, p_record, v_record.reference, v_record.version, ARRAY[v_record.originator], '{}',
    true, jsonb_build_object('disclosure', p_disclosure, 'lapses_at', utc_text(p_lapses_at), 'confirmed_by', p_by));
  PERFORM audit('disclosure.confirm', 'done', v_record.kind, ARRAY[p_record], '{}',
    jsonb_build_object('disclosure', p_disclosure, 'lapses_at', utc_text(p_lapses_at), 'confirmed_by', p_by));
  RETURN 'changed';
END $$;

-- Who sees a record of the caller's, by which principal, and since when.
CREATE FUNCTION access_of(p_record uuid)
RETURNS TABLE (agency text, principal text, party boolean, since timestamptz, until timestamptz, disclosure_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT a.code, p.principal, a.code = ANY (r.parties) AND split_part(p.principal, '@', 1) = a.code,
    greatest(g.since, nullif(p.since, '-infinity'), l.at), e.until, g.disclosure_id
  FROM records r
  JOIN agencies a ON NOT a.hub AND a.status = 'active' AND NOT a.code = ANY (r.excluded)
  CROSS JOIN LATERAL principals_of(a.code) AS p
  JOIN record_grants g ON g.record_id = r.id AND g.principal = p.principal
  LEFT JOIN lifted_exclusions l ON l.record_id = r.id AND l.agency = a.code
  LEFT JOIN emergencies e ON e.record_id = r.id AND e.agency = a.code AND p.principal = e.agency || '!' || e.disclosure_id
  WHERE r.id = p_record AND r.originator = caller_agency()
  ORDER BY a.code, p.principal
$$;

-- Writes what was done to something that hangs on a record, with its event, for sub-resources that have tables of their own.
CREATE FUNCTION note_change(
  p_record uuid, p_action text, p_event text, p_told text[], p_detail jsonb
) RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
BEGIN
  SELECT * INTO v_record FROM records WHERE id = p_record
    AND audience && string_to_array(current_setting('interdesk.principals', true), ',') AND NOT caller_agency() = ANY (excluded);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'not a record that the caller sees' USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM announce(p_event, v_record.kind, p_record, v_record.reference, v_record.version, p_told, v_record.excluded, true, p_detail);
  PERFORM audit(p_action, 'done', v_record.kind, ARRAY[p_record], ARRAY[v_record.originator], p_detail);
END $$;

-- Keys of repeatable calls. Outcomes: fresh, running (another call with this key has not ended), mismatch, replay.
CREATE FUNCTION recall_idempotency_key(
  p_method text, p_path text, p_key text, p_body_hash bytea,
  OUT outcome text, OUT status integer, OUT location text, OUT noun text, OUT resource_id text, OUT version integer
) LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_client text := current_setting('interdesk.client', true);
  v_kept idempotency_keys;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended(concat_ws(E'\x1f', 'key', v_client, p_method, p_path, p_key), 0)) THEN
    outcome := 'running';
    RETURN;
  END IF;
  SELECT * INTO v_kept FROM idempotency_keys k WHERE k.client_id = v_client AND k.method = p_method AND k.path = p_path AND k.key = p_key
    AND k.at > clock_timestamp() - interval '24 hours';
  IF NOT FOUND THEN
    outcome := 'fresh';
  ELSIF v_kept.body_hash <> p_body_hash THEN
    outcome := 'mismatch';
  ELSE
    outcome := 'replay';
    status := v_kept.status; location := v_kept.location; noun := v_kept.noun; resource_id := v_kept.resource_id; version := v_kept.version;
  END IF;
END $$;
CREATE FUNCTION keep_idempotency_key(
  p_method text, p_path text, p_key text, p_body_hash bytea, p_status integer, p_location text, p_noun text, p_resource_id text, p_version integer
) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO idempotency_keys AS k (client_id, method, path, key, body_hash, status, location, noun, resource_id, version)
  VALUES (current_setting('interdesk.client', true), p_method, p_path, p_key, p_body_hash, p_status, p_location, p_noun, p_resource_id, p_version)
  ON CONFLICT (client_id, method, path, key) DO UPDATE SET body_hash = excluded.body_hash, status = excluded.status, location = excluded.location,
    noun = excluded.noun, resource_id = excluded.resource_id, version = excluded.version, at = clock_timestamp()
$$;
