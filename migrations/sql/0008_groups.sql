-- Groups as their chair changes them, and what that does to sight.

-- Each role an agency had in a group is a row with a version of its own, counted on when it comes back.
ALTER TABLE memberships ADD COLUMN version integer NOT NULL DEFAULT 1;
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
ALTER TABLE group_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE group_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON group_versions TO interdesk_engine USING (true) WITH CHECK (true);
CREATE POLICY members_see ON group_versions FOR SELECT TO interdesk_api, interdesk_worker USING (
  EXISTS (SELECT FROM groups g WHERE g.id = group_versions.id));
GRANT SELECT, INSERT, UPDATE, DELETE ON group_versions TO interdesk_engine;
GRANT SELECT ON group_versions TO interdesk_api, interdesk_worker;

-- Groups and memberships change through the functions below alone: a policy cannot say which columns may follow which.
DROP POLICY chair_creates ON groups;
DROP POLICY chair_changes ON groups;
DROP POLICY chair_adds ON memberships;
DROP POLICY chair_or_self_ends ON memberships;
REVOKE INSERT, UPDATE ON groups, memberships FROM interdesk_api, interdesk_worker;

-- A trigger runs as whoever owns its function, and definer functions are the engine's.
REVOKE ALL ON FUNCTION keep_group_version FROM PUBLIC;
ALTER FUNCTION keep_group_version OWNER TO interdesk_engine;

SET LOCAL ROLE interdesk_engine;
INSERT INTO group_versions SELECT * FROM groups;

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
    INSERT INTO memberships (group_id, agency, role, since, version)
    VALUES (p_group, p_agency, p_role, CASE WHEN v_was.role <> 'observer' AND p_role <> 'observer' THEN v_was.since ELSE v_now END,
      1 + coalesce((SELECT max(version) FROM memberships WHERE group_id = p_group AND agency = p_agency), 0));
  END IF;
  PERFORM note_sight_changes(p_group, v_before);
END $$;

-- The group, held against writers and other changes of its members, if the caller chairs it and it goes on.
CREATE FUNCTION hold_own_group(p_group uuid) RETURNS groups LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_group groups;
BEGIN
  PERFORM pg_advisory_xact_lock(sight_key(p_group::text));
  SELECT * INTO v_group FROM groups WHERE id = p_group AND chair = caller_agency() AND ended_at IS NULL FOR NO KEY UPDATE;
  RETURN v_group;
END $$;

CREATE FUNCTION live_members(p_group uuid) RETURNS text[] LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(array_agg(agency ORDER BY agency), '{}') FROM memberships WHERE group_id = p_group AND until IS NULL
$$;

-- Founds a group that the caller's agency chairs; p_roles stand in the order of p_agencies.
CREATE FUNCTION create_group(p_id uuid, p_kind text, p_name text, p_purpose text, p_agencies text[], p_roles text[]) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
BEGIN
  INSERT INTO groups (id, kind, name, purpose, chair, created_at, updated_at)
  VALUES (p_id, p_kind, p_name, p_purpose, caller_agency(), v_now, v_now);
  INSERT INTO memberships (group_id, agency, role, since)
  SELECT p_id, m.agency, m.role, v_now FROM unnest(p_agencies || caller_agency(), p_roles || 'chair'::text) AS m (agency, role) ORDER BY m.agency;
  PERFORM announce('group.joined', 'groups', p_id, NULL, 1, live_members(p_id), '{}');
  PERFORM audit('group.create', 'done', 'groups', ARRAY[p_id], '{}', jsonb_build_object('agencies', p_agencies, 'roles', p_roles));
END $$;

-- Outcomes: changed, stale.
CREATE FUNCTION change_group(p_id uuid, p_expected integer, p_kind text, p_name text, p_purpose text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  UPDATE groups SET kind = p_kind, name = p_name, purpose = p_purpose, version = version + 1,
    updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond')
  WHERE id = p_id AND version = p_expected AND chair = caller_agency() AND ended_at IS NULL;
  IF NOT FOUND THEN
    RETURN 'stale';
  END IF;
  PERFORM announce('group.updated', 'groups', p_id, NULL, p_expected + 1, live_members(p_id), '{}');
  PERFORM audit('group.update', 'done', 'groups', ARRAY[p_id], '{}', jsonb_build_object('version', p_expected + 1));
  RETURN 'changed';
END $$;

-- Outcomes: ended, stale.
CREATE FUNCTION end_group(p_id uuid, p_expected integer) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_members text[];
  v_group groups := hold_own_group(p_id);
  v_now timestamptz := greatest(clock_timestamp(), v_group.updated_at + interval '1 microsecond');
BEGIN
  IF v_group.version IS DISTINCT FROM p_expected THEN
    RETURN 'stale';
  END IF;
  v_members := live_members(p_id);
  UPDATE groups SET version = version + 1, updated_at = v_now, ended_at = v_now WHERE id = p_id;
  PERFORM announce('group.ended', 'groups', p_id, NULL, p_expected + 1, v_members, '{}', false);
  PERFORM set_membership(p_id, agency, NULL) FROM unnest(v_members) AS agency;
  PERFORM audit('group.end', 'done', 'groups', ARRAY[p_id], '{}', jsonb_build_object('agencies', v_members));
  RETURN 'ended';
END $$;

-- Outcomes: added, member (it is one), closed (not the caller's to change, or ended).
CREATE FUNCTION add_member(p_group uuid, p_agency text, p_role text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_group groups := hold_own_group(p_group);
BEGIN
  IF v_group.id IS NULL THEN
    RETURN 'closed';
  ELSIF p_agency = ANY (live_members(p_group)) THEN
    RETURN 'member';
  END IF;
  PERFORM announce('members.changed', 'groups', p_group, NULL, v_group.version, live_members(p_group), '{}', true,
    jsonb_build_object('agency', p_agency));
  PERFORM set_membership(p_group, p_agency, p_role);
  PERFORM announce('group.joined', 'groups', p_group, NULL, v_group.version, ARRAY[p_agency], '{}');
  PERFORM audit('member.add', 'done', 'groups', ARRAY[p_group], '{}', jsonb_build_object('agency', p_agency, 'role', p_role));
  RETURN 'added';
END $$;

-- Gives a member another role; 'chair' hands the chair over, and who had it becomes a member. Outcomes: changed, stale, closed.
CREATE FUNCTION change_member(p_group uuid, p_agency text, p_expected integer, p_role text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_group groups := hold_own_group(p_group);
BEGIN
  IF v_group.id IS NULL OR v_group.chair = p_agency THEN
    RETURN 'closed';
  ELSIF NOT EXISTS (SELECT FROM memberships WHERE group_id = p_group AND agency = p_agency AND until IS NULL AND version = p_expected) THEN
    RETURN 'stale';
  END IF;
  IF p_role = 'chair' THEN
    PERFORM set_membership(p_group, agency, CASE agency WHEN p_agency THEN 'chair' ELSE 'member' END)
    FROM unnest(ARRAY[p_agency, v_group.chair]) AS agency ORDER BY agency;
    UPDATE groups SET chair = p_agency, version = version + 1,
      updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond') WHERE id = p_group RETURNING * INTO v_group;
    PERFORM announce('group.updated', 'groups', p_group, NULL, v_group.version, live_members(p_group), '{}');
  ELSE
    PERFORM set_membership(p_group, p_agency, p_role);
  END IF;
  PERFORM announce('members.changed', 'groups', p_group, NULL, v_group.version, live_members(p_group), '{}', true,
    jsonb_build_object('agency', p_agency));
  PERFORM audit('member.change', 'done', 'groups', ARRAY[p_group], '{}', jsonb_build_object('agency', p_agency, 'role', p_role));
  RETURN 'changed';
END $$;

-- Ends a membership: the chair any but its own, a member its own. Outcomes: removed, closed.
CREATE FUNCTION remove_member(p_group uuid, p_agency text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_group groups;
BEGIN
  PERFORM pg_advisory_xact_lock(sight_key(p_group::text));
  SELECT * INTO v_group FROM groups WHERE id = p_group AND caller_agency() IN (chair, p_agency) AND chair <> p_agency
    AND ended_at IS NULL FOR NO KEY UPDATE;
  IF NOT FOUND OR NOT p_agency = ANY (live_members(p_group)) THEN
    RETURN 'closed';
  END IF;
  PERFORM set_membership(p_group, p_agency, NULL);
  PERFORM announce('group.left', 'groups', p_group, NULL, NULL, ARRAY[p_agency], '{}', false);
  PERFORM announce('members.changed', 'groups', p_group, NULL, v_group.version, live_members(p_group), '{}', true,
    jsonb_build_object('agency', p_agency));
  PERFORM audit('member.remove', 'done', 'groups', ARRAY[p_group], '{}', jsonb_build_object('agency', p_agency));
  RETURN 'removed';
END $$;

DROP FUNCTION chairs_group;
REVOKE ALL ON FUNCTION set_membership, hold_own_group, live_members,
  create_group, change_group, end_group, add_member, change_member, remove_member FROM PUBLIC;
GRANT EXECUTE ON FUNCTION create_group, change_group, end_group, add_member, change_member, remove_member
  TO interdesk_api, interdesk_worker;
RESET ROLE;
