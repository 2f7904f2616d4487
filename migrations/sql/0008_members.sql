-- Who is in a group: invited by its chair, in it by its own acceptance, out by leaving or expulsion.

SET LOCAL ROLE interdesk_engine;

-- Writes what was done to an agency's part in a group, and tells the members. The caller of this holds the group.
CREATE FUNCTION note_member(p_group groups, p_agency text, p_action text, p_detail jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  -- Who has just come is told that it joined, and nothing more.
  PERFORM announce('members.changed', 'groups', p_group.id, NULL, p_group.version,
    CASE p_action WHEN 'member.accept' THEN array_remove(live_members(p_group.id), p_agency) ELSE live_members(p_group.id) END,
    '{}', true, jsonb_build_object('agency', p_agency));
  PERFORM audit(p_action, 'done', 'groups', ARRAY[p_group.id], '{}', jsonb_build_object('agency', p_agency) || p_detail);
END $$;

-- Ends an open invitation, of the version expected if one is; a row of NULLs if there is none.
CREATE FUNCTION end_invitation(p_group uuid, p_agency text, p_expected integer) RETURNS invitations LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
  UPDATE invitations SET ended_at = clock_timestamp() WHERE group_id = p_group AND agency = p_agency AND ended_at IS NULL
    AND version = coalesce(p_expected, version) RETURNING *
$$;

-- Outcomes: invited, member (it is one), open (it is invited already), closed (not the caller's group to change, or ended).
CREATE FUNCTION invite_member(p_group uuid, p_agency text, p_role text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_group groups := hold_own_group(p_group);
BEGIN
  IF v_group.id IS NULL THEN
    RETURN 'closed';
  ELSIF p_agency = ANY (live_members(p_group)) THEN
    RETURN 'member';
  ELSIF p_agency = ANY (invited_agencies(p_group)) THEN
    RETURN 'open';
  END IF;
  INSERT INTO invitations (group_id, agency, version, role, invited_at)
  VALUES (p_group, p_agency, next_member_version(p_group, p_agency), p_role, clock_timestamp());
  PERFORM announce('group.invited', 'groups', p_group, NULL, v_group.version, ARRAY[p_agency], '{}');
  PERFORM note_member(v_group, p_agency, 'member.invite', jsonb_build_object('role', p_role));
  RETURN 'invited';
END $$;

-- Offers another role in an open invitation. Outcomes: changed, stale, closed.
CREATE FUNCTION change_invitation(p_group uuid, p_agency text, p_expected integer, p_role text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_group groups := hold_own_group(p_group);
  v_was invitations;
BEGIN
  IF v_group.id IS NULL THEN
    RETURN 'closed';
  END IF;
  v_was := end_invitation(p_group, p_agency, p_expected);
  IF v_was.group_id IS NULL THEN
    RETURN 'stale';
  END IF;
  INSERT INTO invitations (group_id, agency, version, role, invited_at)
  VALUES (p_group, p_agency, next_member_version(p_group, p_agency), p_role, v_was.invited_at);
  PERFORM announce('group.invited', 'groups', p_group, NULL, v_group.version, ARRAY[p_agency], '{}');
  PERFORM note_member(v_group, p_agency, 'member.change', jsonb_build_object('role', p_role));
  RETURN 'changed';
END $$;

-- Begins the membership that the caller's agency is invited to. Outcomes: accepted, stale.
CREATE FUNCTION accept_invitation(p_group uuid, p_expected integer) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_group groups := hold_group(p_group);
  v_agency text := caller_agency();
  v_invitation invitations := end_invitation(p_group, v_agency, p_expected);
BEGIN
  IF v_invitation.group_id IS NULL THEN
    RETURN 'stale';
  END IF;
  PERFORM set_membership(p_group, v_agency, v_invitation.role);
  UPDATE memberships SET invited_at = v_invitation.invited_at WHERE group_id = p_group AND agency = v_agency AND until IS NULL;
  PERFORM announce('group.joined', 'groups', p_group, NULL, v_group.version, ARRAY[v_agency], '{}');
  PERFORM note_member(v_group, v_agency, 'member.accept', jsonb_build_object('role', v_invitation.role));
  RETURN 'accepted';
END $$;

-- Ends the invitation of the caller's agency. Outcomes: declined, stale.
CREATE FUNCTION decline_invitation(p_group uuid, p_expected integer) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_group groups := hold_group(p_group);
  v_invitation invitations := end_invitation(p_group, caller_agency(), p_expected);
BEGIN
  IF v_invitation.group_id IS NULL THEN
    RETURN 'stale';
  END IF;
  PERFORM announce('group.invitation_ended', 'groups', p_group, NULL, NULL, ARRAY[caller_agency()], '{}', false);
  PERFORM note_member(v_group, caller_agency(), 'member.decline');
  RETURN 'declined';
END $$;

-- Takes an invitation back. Outcomes: withdrawn, closed (not the caller's group, or no open invitation).
CREATE FUNCTION withdraw_invitation(p_group uuid, p_agency text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_group groups := hold_own_group(p_group);
  v_invitation invitations;
BEGIN
  IF v_group.id IS NOT NULL THEN
    v_invitation := end_invitation(p_group, p_agency, NULL);
  END IF;
  IF v_invitation.group_id IS NULL THEN
    RETURN 'closed';
  END IF;
  PERFORM announce('group.invitation_ended', 'groups', p_group, NULL, NULL, ARRAY[p_agency], '{}', false);
  PERFORM note_member(v_group, p_agency, 'member.withdraw');
  RETURN 'withdrawn';
END $$;

-- --------------------------------------------------------------------------------------------------------- members
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
    PERFORM announce('group.updated', 'groups', p_group, NULL, v_group.version,
      live_members(p_group) || invited_agencies(p_group), '{}');
  ELSE
    PERFORM set_membership(p_group, p_agency, p_role);
  END IF;
  PERFORM note_member(v_group, p_agency, 'member.change', jsonb_build_object('role', p_role));
  RETURN 'changed';
END $$;

-- Ends the membership of the caller's agency, which does not chair the group. Outcomes: left, closed.
CREATE FUNCTION leave_group(p_group uuid) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_group groups := hold_group(p_group);
BEGIN
  IF v_group.id IS NULL OR v_group.chair = caller_agency() OR NOT caller_agency() = ANY (live_members(p_group)) THEN
    RETURN 'closed';
  END IF;
  PERFORM set_membership(p_group, caller_agency(), NULL);
  PERFORM announce('group.left', 'groups', p_group, NULL, NULL, ARRAY[caller_agency()], '{}', false);
  PERFORM note_member(v_group, caller_agency(), 'member.leave');
  RETURN 'left';
END $$;

-- Ends another's membership. Outcomes: expelled, stale, closed (not the caller's group, or ended).
CREATE FUNCTION expel_member(p_group uuid, p_agency text, p_expected integer, p_reason text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_group groups := hold_own_group(p_group);
BEGIN
  IF v_group.id IS NULL OR v_group.chair = p_agency THEN
    RETURN 'closed';
  ELSIF NOT EXISTS (SELECT FROM memberships WHERE group_id = p_group AND agency = p_agency AND until IS NULL AND version = p_expected) THEN
    RETURN 'stale';
  END IF;
  PERFORM set_membership(p_group, p_agency, NULL);
  INSERT INTO expulsions (group_id, agency, version, reason) VALUES (p_group, p_agency, p_expected, p_reason);
  -- That it is out is all that the agency is told: what the chair writes of it is the chair's.
  PERFORM announce('group.left', 'groups', p_group, NULL, NULL, ARRAY[p_agency], '{}', false);
  PERFORM note_member(v_group, p_agency, 'member.expel', jsonb_build_object('reason', p_reason));
  RETURN 'expelled';
END $$;

REVOKE ALL ON FUNCTION note_member, end_invitation, invite_member, change_invitation, accept_invitation, decline_invitation,
  withdraw_invitation, change_member, leave_group, expel_member FROM PUBLIC;
GRANT EXECUTE ON FUNCTION invite_member, change_invitation, accept_invitation, decline_invitation, withdraw_invitation,
  change_member, leave_group, expel_member TO interdesk_api, interdesk_worker;
RESET ROLE;
