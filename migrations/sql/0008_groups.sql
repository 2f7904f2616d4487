-- Groups as their chair changes them, and what begins and ends an agency's part in one.

-- Each role an agency had in a group is a row with a version of its own, counted on when it comes back. The rows of one
-- stay, during which it was never out of the group, have the same joined_at.
ALTER TABLE memberships
  ADD COLUMN version integer NOT NULL DEFAULT 1,
  ADD COLUMN joined_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ADD COLUMN invited_at timestamptz;
CREATE UNIQUE INDEX memberships_versions ON memberships (group_id, agency, version);
CREATE INDEX groups_newest_change ON groups (updated_at DESC, id DESC);

-- Whoever repeats a call is answered the version that the first one made.
CREATE TABLE group_versions (LIKE groups, PRIMARY KEY (id, version));
CREATE FUNCTION keep_group_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO group_versions SELECT NEW.*;
  RETURN NULL;
END $$;
CREATE TRIGGER groups_keep_versions AFTER INSERT OR UPDATE ON groups FOR EACH ROW EXECUTE FUNCTION keep_group_version();

-- An invitation is no membership: it stands where nothing that makes principals, or finds out who is reached, ever looks.
CREATE TABLE invitations (
  group_id uuid NOT NULL REFERENCES groups (id),
  agency text NOT NULL REFERENCES agencies (code),
  -- Counted together with the memberships of this agency in this group.
  version integer NOT NULL,
  role text NOT NULL CHECK (role IN ('member', 'observer')),
  invited_at timestamptz NOT NULL,
  ended_at timestamptz,
  PRIMARY KEY (group_id, agency, version)
);
CREATE UNIQUE INDEX invitations_one_open ON invitations (group_id, agency) WHERE ended_at IS NULL;
CREATE INDEX invitations_open_by_agency ON invitations (agency) WHERE ended_at IS NULL;

-- Why the chair ended a membership.
CREATE TABLE expulsions (
  group_id uuid NOT NULL,
  agency text NOT NULL,
  version integer NOT NULL,
  reason text NOT NULL,
  PRIMARY KEY (group_id, agency, version),
  FOREIGN KEY (group_id, agency, version) REFERENCES memberships (group_id, agency, version)
);

DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['group_versions', 'invitations', 'expulsions'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO interdesk_engine', v_table);
    EXECUTE format('GRANT SELECT ON %I TO interdesk_api, interdesk_worker', v_table);
  END LOOP;
END $$;

-- Whether the caller has an open invitation to a group.
CREATE FUNCTION invited_to(p_group uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM invitations WHERE group_id = p_group AND agency = caller_agency() AND ended_at IS NULL)
$$;
-- Since when the caller has been in a group without a break; of a group that ended, its chair alone. NULL if it is out.
CREATE FUNCTION in_group_since(p_group uuid) RETURNS timestamptz LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT m.joined_at FROM memberships m JOIN groups g ON g.id = m.group_id
  WHERE m.group_id = p_group AND m.agency = caller_agency()
    AND (m.until IS NULL OR (g.ended_at IS NOT NULL AND g.chair = caller_agency()))
  ORDER BY m.version DESC LIMIT 1
$$;

-- Who is in a group knows it and who else is in it, was in it at the same time, or is invited. Who is invited knows the
-- group and who is in it, and of no other invitation.
ALTER POLICY members_see ON groups USING (chair = caller_agency() OR in_group(id) OR invited_to(id));
ALTER POLICY members_see ON memberships USING (
  CASE WHEN until IS NULL THEN in_group(group_id) OR invited_to(group_id) ELSE until > in_group_since(group_id) END);
CREATE POLICY members_see ON group_versions FOR SELECT TO interdesk_api, interdesk_worker USING (
  EXISTS (SELECT FROM groups g WHERE g.id = group_versions.id));
CREATE POLICY members_and_invited_see ON invitations FOR SELECT TO interdesk_api, interdesk_worker USING (
  CASE WHEN ended_at IS NULL THEN agency = caller_agency() OR in_group(group_id)
    ELSE EXISTS (SELECT FROM groups g WHERE g.id = group_id AND g.chair = caller_agency()) END);
CREATE POLICY chair_sees ON expulsions FOR SELECT TO interdesk_api, interdesk_worker USING (
  EXISTS (SELECT FROM groups g WHERE g.id = group_id AND g.chair = caller_agency()));

-- All of them change through the functions below alone: a policy cannot say which columns may follow which.
DROP POLICY chair_creates ON groups;
DROP POLICY chair_changes ON groups;
DROP POLICY chair_adds ON memberships;
DROP POLICY chair_or_self_ends ON memberships;
REVOKE INSERT, UPDATE ON groups, memberships FROM interdesk_api, interdesk_worker;

REVOKE ALL ON FUNCTION keep_group_version, invited_to, in_group_since FROM PUBLIC;
ALTER FUNCTION keep_group_version OWNER TO interdesk_engine;
ALTER FUNCTION invited_to OWNER TO interdesk_engine;
ALTER FUNCTION in_group_since OWNER TO interdesk_engine;

SET LOCAL ROLE interdesk_engine;
INSERT INTO group_versions SELECT * FROM groups;
GRANT EXECUTE ON FUNCTION invited_to, in_group_since TO interdesk_api, interdesk_worker;

-- A caller holds at most 100 principals. The lock lets foreign keys to the agency pass: a writer for the group holds
-- one, and is waited for here.
CREATE OR REPLACE FUNCTION check_membership_count() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF (SELECT hub FROM agencies WHERE code = NEW.agency) THEN
    RAISE EXCEPTION 'the hub joins no group' USING ERRCODE = 'check_violation', CONSTRAINT = 'memberships_no_hub';
  END IF;
  PERFORM FROM agencies WHERE code = NEW.agency FOR NO KEY UPDATE;
  IF places_taken(NEW.agency) >= 98 THEN
    RAISE EXCEPTION 'an agency stands in at most 98 groups and agreements' USING ERRCODE = 'check_violation',
      CONSTRAINT = 'memberships_at_most_98';
  END IF;
  RETURN NEW;
END $$;

-- The group, held against writers and other changes of its members, if it goes on.
CREATE FUNCTION hold_group(p_group uuid) RETURNS groups LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_group groups;
BEGIN
  PERFORM pg_advisory_xact_lock(sight_key(p_group::text));
  SELECT * INTO v_group FROM groups WHERE id = p_group AND ended_at IS NULL FOR NO KEY UPDATE;
  RETURN v_group;
END $$;

-- The same if the caller chairs it.
CREATE FUNCTION hold_own_group(p_group uuid) RETURNS groups LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_group groups := hold_group(p_group);
BEGIN
  RETURN CASE WHEN v_group.chair = caller_agency() THEN v_group END;
END $$;

CREATE FUNCTION live_members(p_group uuid) RETURNS text[] LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(array_agg(agency ORDER BY agency), '{}') FROM memberships WHERE group_id = p_group AND until IS NULL
$$;

CREATE FUNCTION invited_agencies(p_group uuid) RETURNS text[] LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(array_agg(agency ORDER BY agency), '{}') FROM invitations WHERE group_id = p_group AND ended_at IS NULL
$$;

CREATE FUNCTION next_member_version(p_group uuid, p_agency text) RETURNS integer LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT 1 + greatest(0, (SELECT max(version) FROM memberships WHERE group_id = p_group AND agency = p_agency),
    (SELECT max(version) FROM invitations WHERE group_id = p_group AND agency = p_agency))
$$;

-- Gives an agency another role in a group, none if p_role is null, and leaves to the worker to tell it what it sees
-- and sees no more. The caller of this holds the group.
CREATE FUNCTION set_membership(p_group uuid, p_agency text, p_role text) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_before jsonb;
  v_was memberships;
  v_now timestamptz;
BEGIN
  PERFORM settle_expired((SELECT ARRAY['@' || charter] FROM groups WHERE id = p_group AND charter IS NOT NULL));
  v_before := principals_now(ARRAY[p_agency]);
  v_now := clock_timestamp();
  UPDATE memberships SET until = greatest(v_now, since) WHERE group_id = p_group AND agency = p_agency AND until IS NULL
  RETURNING * INTO v_was;
  IF p_role IS NOT NULL THEN
    -- Chair and members see the same: who only passes the chair on has seen it all along.
    INSERT INTO memberships (group_id, agency, role, since, joined_at, invited_at, version)
    VALUES (p_group, p_agency, p_role, CASE WHEN v_was.role <> 'observer' AND p_role <> 'observer' THEN v_was.since ELSE v_now END,
      coalesce(v_was.joined_at, v_now), v_was.invited_at, next_member_version(p_group, p_agency));
  END IF;
  PERFORM note_sight_changes(p_group, v_before);
END $$;

-- Founds a group that the caller's agency chairs, and invites others; p_roles stand in the order of p_agencies.
CREATE FUNCTION create_group(p_id uuid, p_kind text, p_name text, p_purpose text, p_charter uuid, p_agencies text[], p_roles text[])
RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
BEGIN
  INSERT INTO groups (id, kind, name, purpose, charter, charter_since, chair, created_at, updated_at)
  VALUES (p_id, p_kind, p_name, p_purpose, p_charter, CASE WHEN p_charter IS NOT NULL THEN v_now END, caller_agency(), v_now, v_now);
  INSERT INTO memberships (group_id, agency, role, since, joined_at) VALUES (p_id, caller_agency(), 'chair', v_now, v_now);
  INSERT INTO invitations (group_id, agency, version, role, invited_at)
  SELECT p_id, m.agency, 1, m.role, v_now FROM unnest(p_agencies, p_roles) AS m (agency, role) ORDER BY m.agency;
  PERFORM announce('group.joined', 'groups', p_id, NULL, 1, ARRAY[caller_agency()], '{}');
  PERFORM announce('group.invited', 'groups', p_id, NULL, 1, p_agencies, '{}');
  PERFORM audit('group.create', 'done', 'groups', ARRAY[p_id], '{}',
    jsonb_build_object('agencies', p_agencies, 'roles', p_roles, 'charter', p_charter));
END $$;

-- Outcomes: changed, stale.
CREATE FUNCTION change_group(p_id uuid, p_expected integer, p_kind text, p_name text, p_purpose text, p_charter uuid) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_group groups := hold_own_group(p_id);
  v_before jsonb := '{}';
BEGIN
  IF v_group.version IS DISTINCT FROM p_expected THEN
    RETURN 'stale';
  END IF;
  IF p_charter IS DISTINCT FROM v_group.charter THEN
    -- What rests on the one charter is not seen by the other.
    PERFORM settle_expired(ARRAY['@' || v_group.charter, '@' || p_charter]);
    v_before := principals_now(live_members(p_id));
  END IF;
  UPDATE groups SET kind = p_kind, name = p_name, purpose = p_purpose, charter = p_charter,
    charter_since = CASE WHEN p_charter IS NOT DISTINCT FROM charter THEN charter_since WHEN p_charter IS NOT NULL THEN clock_timestamp() END, version = version + 1,
    updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond') WHERE id = p_id;
  PERFORM note_sight_changes(p_id, v_before);
  PERFORM announce('group.updated', 'groups', p_id, NULL, p_expected + 1, live_members(p_id) || invited_agencies(p_id), '{}');
  PERFORM audit('group.update', 'done', 'groups', ARRAY[p_id], '{}', jsonb_build_object('version', p_expected + 1, 'charter', p_charter));
  RETURN 'changed';
END $$;

-- Outcomes: ended, stale.
CREATE FUNCTION end_group(p_id uuid, p_expected integer) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_group groups := hold_own_group(p_id);
  v_members text[] := live_members(p_id);
  v_invited text[] := invited_agencies(p_id);
  v_now timestamptz := greatest(clock_timestamp(), v_group.updated_at + interval '1 microsecond');
BEGIN
  IF v_group.version IS DISTINCT FROM p_expected THEN
    RETURN 'stale';
  END IF;
  UPDATE groups SET version = version + 1, updated_at = v_now, ended_at = v_now WHERE id = p_id;
  PERFORM announce('group.ended', 'groups', p_id, NULL, p_expected + 1, v_members, '{}', false);
  PERFORM announce('group.invitation_ended', 'groups', p_id, NULL, NULL, v_invited, '{}', false);
  PERFORM end_invitation(p_id, agency, NULL) FROM unnest(v_invited) AS agency;
  PERFORM set_membership(p_id, agency, NULL) FROM unnest(v_members) AS agency;
  PERFORM audit('group.end', 'done', 'groups', ARRAY[p_id], '{}', jsonb_build_object('agencies', v_members, 'invited', v_invited));
  RETURN 'ended';
END $$;

DROP FUNCTION chairs_group;
REVOKE ALL ON FUNCTION hold_group, hold_own_group, live_members, invited_agencies, next_member_version, set_membership,
  create_group, change_group, end_group FROM PUBLIC;
GRANT EXECUTE ON FUNCTION create_group, change_group, end_group TO interdesk_api, interdesk_worker;
RESET ROLE;
