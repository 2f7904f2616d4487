-- What makes sharing lawful: agreements between agencies, and emergencies, which wait for none.

CREATE TABLE agreements (
  id uuid PRIMARY KEY,
  reference text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('mou', 'treaty', 'exchange_of_letters', 'charter')),
  title text NOT NULL,
  originator text NOT NULL REFERENCES agencies (code),
  -- What it covers: kinds of records decide what may rest on it, the rest is for people to read.
  record_kinds text[] NOT NULL CHECK (cardinality(record_kinds) > 0),
  crime_types text[] NOT NULL,
  purposes text[] NOT NULL,
  persons_data boolean NOT NULL,
  territory text[] NOT NULL,
  valid_from date NOT NULL,
  valid_until date CHECK (valid_until >= valid_from),
  documents jsonb NOT NULL,
  state text NOT NULL DEFAULT 'draft'
    CHECK (state IN ('draft', 'in_negotiation', 'signed', 'in_force', 'suspended', 'terminated', 'expired')),
  content_hash text NOT NULL,
  version integer NOT NULL DEFAULT 1,
  -- When its parties were shown it; until then only the originator knows of it, though it may have given it up.
  proposed_at timestamptz,
  -- Set while the agreement opens sharing; its last day ends that without anybody's doing.
  in_force_since timestamptz,
  -- The suspensions that stand, and the termination: [{agency, at, reason}], {agency, at, reason}.
  suspensions jsonb NOT NULL DEFAULT '[]',
  termination jsonb,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  ended_at timestamptz
);
CREATE UNIQUE INDEX agreements_reference ON agreements (reference);
CREATE INDEX agreements_newest_change ON agreements (updated_at DESC, id DESC);

CREATE TABLE agreement_parties (
  agreement_id uuid NOT NULL REFERENCES agreements (id),
  agency text NOT NULL REFERENCES agencies (code),
  signed_at timestamptz,
  signed_hash text,
  signed_by text,
  officer text,
  PRIMARY KEY (agreement_id, agency),
  CHECK ((signed_at IS NULL) = (signed_hash IS NULL))
);
CREATE INDEX agreement_parties_by_agency ON agreement_parties (agency);

-- What sharing with a group rests on.
ALTER TABLE groups ADD COLUMN charter uuid REFERENCES agreements (id);
ALTER TABLE groups ADD COLUMN charter_since timestamptz CHECK ((charter_since IS NULL) = (charter IS NULL));
CREATE INDEX groups_by_charter ON groups (charter) WHERE charter IS NOT NULL;

-- Recipients of disclosures that waited for no legal basis; they see the record until the moment named.
-- Their record and disclosure are in tables of a later file, which deletes these rows where it deletes the disclosure.
CREATE TABLE emergencies (
  disclosure_id uuid NOT NULL,
  agency text NOT NULL REFERENCES agencies (code),
  record_id uuid NOT NULL,
  since timestamptz NOT NULL,
  until timestamptz NOT NULL,
  ended_at timestamptz,
  PRIMARY KEY (disclosure_id, agency)
);
CREATE INDEX emergencies_live_by_agency ON emergencies (agency) WHERE ended_at IS NULL;
CREATE INDEX emergencies_live_by_end ON emergencies (until) WHERE ended_at IS NULL;
CREATE INDEX emergencies_by_record ON emergencies (record_id);

-- Whether the caller's agency may know of an agreement: a draft is its originator's alone, later it is its parties'.
CREATE FUNCTION knows_agreement(p_agreement uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM agreements a JOIN agreement_parties p ON p.agreement_id = a.id AND p.agency = caller_agency()
    WHERE a.id = p_agreement AND (a.proposed_at IS NOT NULL OR a.originator = caller_agency()))
$$;

DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['agreements', 'agreement_parties', 'emergencies'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
  END LOOP;
END $$;
CREATE POLICY parties_see ON agreements FOR SELECT TO interdesk_api, interdesk_worker USING (knows_agreement(id));
CREATE POLICY parties_see ON agreement_parties FOR SELECT TO interdesk_api, interdesk_worker USING (knows_agreement(agreement_id));
