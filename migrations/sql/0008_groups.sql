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

-- A change of principals whose records are still to be announced to the agency: those with one of `principals` in
-- their audience, in the order of record_sight_by_creation, up to the place reached.
CREATE TABLE sight_changes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  agency text NOT NULL REFERENCES agencies (code),
  group_id uuid NOT NULL REFERENCES groups (id),
  principals text[] NOT NULL,
  before text[] NOT NULL,
  after text[] NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  done_kind text NOT NULL DEFAULT '',
  done_at timestamptz NOT NULL DEFAULT '-infinity',
  done_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000'
);
CREATE INDEX sight_changes_by_agency ON sight_changes (agency, id);
-- Records of a waiting change that were announced out of turn, because their own audience changed first.
CREATE TABLE sight_settled (change_id bigint NOT NULL, record_id uuid NOT NULL, PRIMARY KEY (change_id, record_id));
DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['sight_changes', 'sight_settled'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO interdesk_engine', v_table);
  END LOOP;
END $$;

-- Before a record's audience changes, those with a waiting change are told what that one did for this record. What the
-- writer itself announces then starts from there, and the worker need not come back to the record.
CREATE FUNCTION settle_sight() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_audience text[] := NEW.audience;
  v_change sight_changes;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    v_audience := v_audience || OLD.audience;
  END IF;
  PERFORM hold_groups(v_audience);
  FOR v_change IN
    SELECT c.* FROM sight_changes c WHERE c.principals && v_audience
      AND (c.done_kind, c.done_at, c.done_id) < (NEW.kind, NEW.created_at, NEW.id)
      AND NOT EXISTS (SELECT FROM sight_settled s WHERE s.change_id = c.id AND s.record_id = NEW.id)
    ORDER BY c.id
  LOOP
    IF TG_OP = 'UPDATE' THEN
      PERFORM tell_sight(v_change, OLD);
    END IF;
    INSERT INTO sight_settled (change_id, record_id) VALUES (v_change.id, NEW.id);
  END LOOP;
  RETURN NEW;
END $$;

-- Most records name no group, and pay nothing for those that do.
CREATE TRIGGER records_settle_new BEFORE INSERT ON records FOR EACH ROW
  WHEN (array_to_string(NEW.audience, ' ') LIKE '%:%') EXECUTE FUNCTION settle_sight();
CREATE TRIGGER records_settle_changed BEFORE UPDATE OF audience, excluded ON records FOR EACH ROW
  WHEN (array_to_string(OLD.audience || NEW.audience, ' ') LIKE '%:%') EXECUTE FUNCTION settle_sight();

-- A trigger runs as whoever owns its function, and definer functions are the engine's.
REVOKE ALL ON FUNCTION keep_group_version, settle_sight FROM PUBLIC;
ALTER FUNCTION keep_group_version OWNER TO interdesk_engine;
ALTER FUNCTION settle_sight OWNER TO interdesk_engine;

SET LOCAL ROLE interdesk_engine;
INSERT INTO group_versions SELECT * FROM groups;

-- Who writes for a group and who changes its members wait for one another, so that everybody who sees a record because
-- of the group is told of it once: by the writer if the membership came first, by the membership if the record did.
CREATE FUNCTION group_key(p_group text) RETURNS bigint LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT hashtextextended('interdesk.group ' || p_group, 0)
$$;
CREATE FUNCTION hold_groups(p_principals text[]) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(group_key(split_part(p, ':', 2))) FROM unnest(p_principals) AS p WHERE p LIKE '%:%';
END $$;

-- The agencies that an audience reaches now, and until the end of the transaction.
CREATE OR REPLACE FUNCTION agencies_of(p_audience text[], p_excluded text[]) RETURNS text[] LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF NOT 'community' = ANY (p_audience) AND NOT EXISTS (SELECT FROM unnest(p_audience) AS p WHERE p LIKE '%:%') THEN
    RETURN ARRAY(SELECT p FROM unnest(p_audience) AS p WHERE NOT p = ANY (p_excluded) ORDER BY p);
  END IF;
  PERFORM hold_groups(p_audience);
  RETURN ARRAY(
    SELECT a.code FROM agencies a WHERE NOT a.hub AND NOT a.code = ANY (p_excluded)
      AND (a.code = ANY (p_audience) OR 'community' = ANY (p_audience) OR EXISTS (
        SELECT FROM memberships m WHERE m.agency = a.code AND m.until IS NULL
          AND CASE m.role WHEN 'observer' THEN 'observers:' ELSE 'group:' END || m.group_id::text = ANY (p_audience)))
    ORDER BY a.code);
END $$;

-- A caller holds at most 100 principals. The lock lets foreign keys to the agency pass: a writer for the group holds
-- one, and is waited for here.
CREATE OR REPLACE FUNCTION check_membership_count() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF (SELECT hub FROM agencies WHERE code = NEW.agency) THEN
    RAISE EXCEPTION 'the hub joins no group' USING ERRCODE = 'check_violation', CONSTRAINT = 'memberships_no_hub';
  END IF;
  PERFORM FROM agencies WHERE code = NEW.agency FOR NO KEY UPDATE;
  IF (SELECT count(*) FROM memberships WHERE agency = NEW.agency AND until IS NULL) >= 98 THEN
    RAISE EXCEPTION 'an agency stands in at most 98 groups' USING ERRCODE = 'check_violation',
      CONSTRAINT = 'memberships_at_most_98';
  END IF;
  RETURN NEW;
END $$;

-- ------------------------------------------------------------------------------------------------- gain and loss
-- Tells an agency of a record that it began or ceased to see by a change of its principals, and nothing otherwise.
CREATE FUNCTION tell_sight(p_change sight_changes, p_record records) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_saw boolean := p_record.audience && p_change.before;
  v_sees boolean := p_record.audience && p_change.after;
BEGIN
  IF v_saw = v_sees OR p_change.agency = ANY (p_record.excluded) THEN
    RETURN;
  END IF;
  PERFORM announce(CASE WHEN v_sees THEN 'record.shared' ELSE 'record.lost' END, p_record.kind, p_record.id, p_record.reference,
    CASE WHEN v_sees THEN p_record.version END, ARRAY[p_change.agency], '{}', v_sees);
END $$;

-- Works off the next batch of the oldest change of some agency; false when nothing waits. One call is one transaction:
-- the events and the place reached are kept together or not at all.
CREATE FUNCTION tell_sight_changes(p_batch integer) RETURNS boolean LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_change sight_changes;
  v_page record;
  v_last record;
  v_count integer := 0;
BEGIN
  SELECT * INTO v_change FROM sight_changes c
  WHERE NOT EXISTS (SELECT FROM sight_changes older WHERE older.agency = c.agency AND older.id < c.id)
  ORDER BY c.id LIMIT 1 FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM pg_advisory_xact_lock(group_key(v_change.group_id::text));
  FOR v_page IN
    SELECT DISTINCT s.kind, s.created_at, s.record_id
    FROM unnest(v_change.principals) AS changed (principal) CROSS JOIN LATERAL (
      SELECT s.kind, s.created_at, s.record_id FROM record_sight s
      WHERE s.principal = changed.principal
        AND (s.kind, s.created_at, s.record_id) > (v_change.done_kind, v_change.done_at, v_change.done_id)
      ORDER BY s.kind, s.created_at, s.record_id LIMIT p_batch) AS s
    ORDER BY s.kind, s.created_at, s.record_id LIMIT p_batch
  LOOP
    PERFORM tell_sight(v_change, r) FROM records r WHERE r.id = v_page.record_id
      AND NOT EXISTS (SELECT FROM sight_settled s WHERE s.change_id = v_change.id AND s.record_id = r.id);
    v_count := v_count + 1;
    v_last := v_page;
  END LOOP;
  IF v_count < p_batch THEN
    DELETE FROM sight_settled WHERE change_id = v_change.id;
    DELETE FROM sight_changes WHERE id = v_change.id;
  ELSE
    UPDATE sight_changes SET done_kind = v_last.kind, done_at = v_last.created_at, done_id = v_last.record_id
    WHERE id = v_change.id;
  END IF;
  RETURN true;
END $$;

-- ---------------------------------------------------------------------------------------------------------- groups
-- Gives an agency another role in a group, none if p_role is null, and leaves to the worker to tell it what it sees
-- and sees no more. The caller of this holds the group.
CREATE FUNCTION set_membership(p_group uuid, p_agency text, p_role text) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_before text[];
  v_after text[];
  v_changed text[];
  v_was memberships;
  v_now timestamptz;
BEGIN
  PERFORM FROM agencies WHERE code = p_agency FOR NO KEY UPDATE;
  v_before := ARRAY(SELECT principal FROM principals_of(p_agency));
  v_now := clock_timestamp();
  UPDATE memberships SET until = greatest(v_now, since) WHERE group_id = p_group AND agency = p_agency AND until IS NULL
  RETURNING * INTO v_was;
  IF p_role IS NOT NULL THEN
    -- Chair and members see the same: who only passes the chair on has seen it all along.
    INSERT INTO memberships (group_id, agency, role, since, version)
    VALUES (p_group, p_agency, p_role, CASE WHEN v_was.role <> 'observer' AND p_role <> 'observer' THEN v_was.since ELSE v_now END,
      1 + coalesce((SELECT max(version) FROM memberships WHERE group_id = p_group AND agency = p_agency), 0));
  END IF;
  v_after := ARRAY(SELECT principal FROM principals_of(p_agency));
  v_changed := ARRAY((SELECT unnest(v_before) EXCEPT SELECT unnest(v_after))
    UNION ALL (SELECT unnest(v_after) EXCEPT SELECT unnest(v_before)));
  IF v_changed <> '{}' THEN
    INSERT INTO sight_changes (agency, group_id, principals, before, after) VALUES (p_agency, p_group, v_changed, v_before, v_after);
    PERFORM queue_job('tell_sight_changes');
  END IF;
END $$;

-- The group, held against writers and other changes of its members, if the caller chairs it and it goes on.
CREATE FUNCTION hold_own_group(p_group uuid) RETURNS groups LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_group groups;
BEGIN
  PERFORM pg_advisory_xact_lock(group_key(p_group::text));
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
  PERFORM pg_advisory_xact_lock(group_key(p_group::text));
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
REVOKE ALL ON FUNCTION group_key, hold_groups, tell_sight, tell_sight_changes, set_membership, hold_own_group, live_members,
  create_group, change_group, end_group, add_member, change_member, remove_member FROM PUBLIC;
GRANT EXECUTE ON FUNCTION create_group, change_group, end_group, add_member, change_member, remove_member
  TO interdesk_api, interdesk_worker;
GRANT EXECUTE ON FUNCTION tell_sight_changes TO interdesk_worker;
RESET ROLE;
