-- What agencies decide on the plans of joint operations, and the teams that take part as a whole.

CREATE TABLE operation_approvals (
  id uuid PRIMARY KEY,
  record_id uuid NOT NULL REFERENCES records (id),
  agency text NOT NULL REFERENCES agencies (code),
  decision text NOT NULL CHECK (decision IN ('approve', 'reject')),
  plan_hash text NOT NULL,
  reason text,
  -- The decision as the hub signed it.
  statement text NOT NULL,
  client_id text NOT NULL,
  officer text,
  created_at timestamptz NOT NULL,
  -- Since when it counts no more.
  voided_at timestamptz,
  CHECK (decision = 'approve' OR reason IS NOT NULL)
);
CREATE INDEX operation_approvals_by_record ON operation_approvals (record_id, created_at DESC, id DESC);
CREATE UNIQUE INDEX operation_approvals_once ON operation_approvals (record_id, agency) WHERE voided_at IS NULL;

-- With which joint teams a plan was proposed, and whom they had then.
CREATE TABLE operation_teams (
  record_id uuid NOT NULL REFERENCES records (id),
  group_id uuid NOT NULL REFERENCES groups (id),
  role text NOT NULL,
  approval_required boolean NOT NULL,
  members text[] NOT NULL,
  PRIMARY KEY (record_id, group_id)
);

DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['operation_approvals', 'operation_teams'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO interdesk_engine', v_table);
  END LOOP;
END $$;
-- What is decided is between those who take part.
CREATE POLICY those_who_take_part ON operation_approvals FOR SELECT TO interdesk_api, interdesk_worker USING (EXISTS (
  SELECT FROM records r WHERE r.id = record_id AND r.state = 'current' AND caller_agency() = ANY (r.originator || r.parties)
    AND (NOT r.covered OR lies_open(r.id))));
GRANT SELECT (id, record_id, agency, decision, plan_hash, reason, statement, created_at, voided_at) ON operation_approvals
  TO interdesk_api, interdesk_worker;

SET LOCAL ROLE interdesk_engine;

-- Records what the caller's agency decides on a plan; the record is held. Outcomes: decided, decided-already, missing.
CREATE FUNCTION decide_on_operation(
  p_id uuid, p_record uuid, p_decision text, p_plan_hash text, p_reason text, p_statement text, p_at timestamptz
) RETURNS text LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
BEGIN
  SELECT * INTO v_record FROM records r WHERE r.id = p_record AND r.state = 'current' AND r.life = 'proposed' AND takes_part(r);
  IF NOT FOUND THEN
    RETURN 'missing';
  END IF;
  INSERT INTO operation_approvals (id, record_id, agency, decision, plan_hash, reason, statement, client_id, officer, created_at)
  VALUES (p_id, p_record, caller_agency(), p_decision, p_plan_hash, p_reason, p_statement,
    current_setting('interdesk.client', true), nullif(current_setting('interdesk.officer', true), ''), p_at)
  ON CONFLICT (record_id, agency) WHERE voided_at IS NULL DO NOTHING;
  IF NOT FOUND THEN
    RETURN 'decided-already';
  END IF;
  PERFORM announce('operation.decided', v_record.kind, p_record, v_record.reference, v_record.version,
    v_record.originator || v_record.parties, '{}', true,
    jsonb_build_object('agency', caller_agency(), 'decision', p_decision, 'plan_hash', p_plan_hash));
  PERFORM audit('operation.decide', 'done', v_record.kind, ARRAY[p_record], ARRAY[v_record.originator],
    jsonb_build_object('approval', p_id, 'decision', p_decision, 'plan_hash', p_plan_hash));
  RETURN 'decided';
END $$;

-- Voids every decision on a plan that is none any more, and tells everybody who sees the operation.
CREATE FUNCTION void_approvals(p_record uuid, p_cause text) RETURNS text[] LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_record records;
  v_voided text[];
BEGIN
  SELECT * INTO STRICT v_record FROM records r WHERE r.id = p_record AND takes_part(r);
  WITH voided AS (
    UPDATE operation_approvals SET voided_at = clock_timestamp() WHERE record_id = p_record AND voided_at IS NULL RETURNING agency
  )
  SELECT coalesce(array_agg(agency ORDER BY agency), '{}') INTO v_voided FROM voided;
  PERFORM announce('operation.returned', v_record.kind, p_record, v_record.reference, v_record.version, v_record.audience, v_record.excluded,
    true, jsonb_build_object('cause', p_cause, 'voided', v_voided));
  PERFORM audit('operation.return', 'done', v_record.kind, ARRAY[p_record], ARRAY[v_record.originator],
    jsonb_build_object('cause', p_cause, 'voided', v_voided));
  RETURN v_voided;
END $$;

-- ---------------------------------------------------------------------------------------------------------------- teams
CREATE FUNCTION team_members(p_group uuid) RETURNS text[] LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT ARRAY(SELECT agency FROM memberships WHERE group_id = p_group AND until IS NULL AND role <> 'observer' ORDER BY agency)
$$;

CREATE FUNCTION operation_teams_of(p_record uuid)
RETURNS TABLE (group_id uuid, role text, approval_required boolean, members text[]) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT t.group_id, t.role, t.approval_required, t.members FROM operation_teams t
  JOIN records r ON r.id = t.record_id AND r.originator = caller_agency() WHERE t.record_id = p_record ORDER BY t.group_id
$$;

-- Keeps the teams that a plan of the caller's was proposed with; what it was proposed with before stays, as it is now.
CREATE FUNCTION keep_operation_teams(p_record uuid, p_teams jsonb) RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM FROM records WHERE id = p_record AND originator = caller_agency();
  IF NOT FOUND THEN
    RAISE EXCEPTION 'not a record of the caller' USING ERRCODE = 'insufficient_privilege';
  END IF;
  UPDATE operation_teams SET members = team_members(group_id) WHERE record_id = p_record;
  INSERT INTO operation_teams (record_id, group_id, role, approval_required, members)
  SELECT p_record, t.group_id, t.role, t.approval_required, team_members(t.group_id)
  FROM jsonb_to_recordset(p_teams) AS t (group_id uuid, role text, approval_required boolean)
  ON CONFLICT (record_id, group_id) DO UPDATE SET role = excluded.role, approval_required = excluded.approval_required,
    members = excluded.members;
END $$;

-- Whether a team has other members than those that the plan was proposed to.
CREATE FUNCTION operation_team_changed(p_record uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM operation_teams t JOIN records r ON r.id = t.record_id AND takes_part(r)
    WHERE t.record_id = p_record AND t.members <> team_members(t.group_id))
$$;

-- ----------------------------------------------------------------------------------------------------------------- keys
-- Every key that ever signed for the hub: tokens die in minutes, what was approved must be proved after years.
CREATE FUNCTION statement_public_keys() RETURNS TABLE (public_jwk jsonb) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT k.public_jwk FROM signing_keys k ORDER BY k.created_at DESC, k.kid
$$;

REVOKE ALL ON FUNCTION statement_public_keys, decide_on_operation, void_approvals, team_members, operation_teams_of, keep_operation_teams, operation_team_changed
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION statement_public_keys, decide_on_operation, void_approvals, operation_teams_of, keep_operation_teams, operation_team_changed
  TO interdesk_api, interdesk_worker;
RESET ROLE;
