-- Action items: what an agency that takes part in a meeting is to do, and by when.

CREATE TABLE meeting_actions (
  id uuid PRIMARY KEY,
  meeting_id uuid NOT NULL REFERENCES meetings (id),
  text text NOT NULL,
  owner text NOT NULL REFERENCES agencies (code),
  due_on date NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'dropped')),
  -- What came of it, or why it was dropped or opened again.
  note text,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  closed_at timestamptz CHECK ((closed_at IS NULL) = (state = 'open')),
  -- When it was told that its day had passed.
  told_at timestamptz
);
CREATE INDEX meeting_actions_by_meeting ON meeting_actions (meeting_id, due_on, id);
CREATE INDEX meeting_actions_by_owner ON meeting_actions (owner, due_on, id) WHERE state = 'open';
CREATE INDEX meeting_actions_untold ON meeting_actions (due_on, id) WHERE state = 'open' AND told_at IS NULL;

CREATE TABLE meeting_action_versions AS TABLE meeting_actions WITH NO DATA;
ALTER TABLE meeting_action_versions ADD PRIMARY KEY (id, version);

DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['meeting_actions', 'meeting_action_versions'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
    EXECUTE format('CREATE POLICY participants_see ON %I FOR SELECT TO interdesk_api, interdesk_worker
      USING (EXISTS (SELECT FROM meetings m WHERE m.id = meeting_id))', v_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO interdesk_engine', v_table);
    EXECUTE format('GRANT SELECT ON %I TO interdesk_api, interdesk_worker', v_table);
  END LOOP;
END $$;

SET LOCAL ROLE interdesk_engine;

-- Keeps the version of an item that a step came to, writes the step down, and tells all who see the meeting.
CREATE FUNCTION note_meeting_action(p_meeting meetings, p_id uuid, p_action text) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_item meeting_actions;
BEGIN
  SELECT * INTO STRICT v_item FROM meeting_actions WHERE id = p_id;
  INSERT INTO meeting_action_versions SELECT v_item.*;
  PERFORM announce('meeting.action_changed', 'meetings', p_meeting.id, p_meeting.reference, p_meeting.version, p_meeting.audience, '{}',
    true, jsonb_build_object('action', p_id));
  PERFORM audit(p_action, 'done', 'meetings', ARRAY[p_meeting.id], '{}',
    jsonb_build_object('action', p_id, 'owner', v_item.owner, 'due_on', v_item.due_on, 'state', v_item.state));
END $$;

-- Adds an item to a meeting of the caller's that was called or held. Outcomes: added, closed.
CREATE FUNCTION add_meeting_action(p_id uuid, p_meeting uuid, p_text text, p_owner text, p_due_on date) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_meeting meetings := lock_meeting(p_meeting);
  v_now timestamptz := clock_timestamp();
BEGIN
  IF v_meeting.id IS NULL OR v_meeting.convener <> caller_agency() OR v_meeting.state NOT IN ('called', 'held') THEN
    RETURN 'closed';
  END IF;
  INSERT INTO meeting_actions (id, meeting_id, text, owner, due_on, created_at, updated_at)
  VALUES (p_id, p_meeting, p_text, p_owner, p_due_on, v_now, v_now);
  PERFORM note_meeting_action(v_meeting, p_id, 'meeting.add_action');
  RETURN 'added';
END $$;

-- Changes an open item of the caller's meeting; with another day or owner it is told again when that has passed.
-- Outcomes: changed, stale.
CREATE FUNCTION change_meeting_action(p_id uuid, p_meeting uuid, p_expected integer, p_text text, p_owner text, p_due_on date) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_meeting meetings := lock_meeting(p_meeting);
BEGIN
  UPDATE meeting_actions SET text = p_text, owner = p_owner, due_on = p_due_on, version = version + 1,
    updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond'),
    told_at = CASE WHEN (owner, due_on) = (p_owner, p_due_on) THEN told_at END
  WHERE id = p_id AND meeting_id = v_meeting.id AND version = p_expected AND state = 'open' AND v_meeting.convener = caller_agency();
  IF NOT FOUND THEN
    RETURN 'stale';
  END IF;
  PERFORM note_meeting_action(v_meeting, p_id, 'meeting.change_action');
  RETURN 'changed';
END $$;

-- Closes an item or opens it again: its owner says that it is done, the convener drops it and opens it again.
-- Outcomes: moved, stale.
CREATE FUNCTION move_meeting_action(p_id uuid, p_meeting uuid, p_expected integer, p_state text, p_note text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_meeting meetings := lock_meeting(p_meeting);
  v_now timestamptz := clock_timestamp();
BEGIN
  UPDATE meeting_actions SET state = p_state, note = p_note, version = version + 1,
    updated_at = greatest(v_now, updated_at + interval '1 microsecond'),
    closed_at = CASE WHEN p_state <> 'open' THEN greatest(v_now, updated_at + interval '1 microsecond') END, told_at = NULL
  WHERE id = p_id AND meeting_id = v_meeting.id AND version = p_expected AND (state = 'open') <> (p_state = 'open')
    AND caller_agency() = CASE p_state WHEN 'done' THEN owner ELSE v_meeting.convener END;
  IF NOT FOUND THEN
    RETURN 'stale';
  END IF;
  PERFORM note_meeting_action(v_meeting, p_id,
    CASE p_state WHEN 'done' THEN 'meeting.complete_action' WHEN 'dropped' THEN 'meeting.drop_action' ELSE 'meeting.reopen_action' END);
  RETURN 'moved';
END $$;

-- Tells the convener, and the owner as long as it sees the meeting, once, that an item's day has passed; how many there
-- were, at most 1000.
CREATE FUNCTION tell_due_meeting_actions() RETURNS integer LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_item meeting_actions;
  v_meeting meetings;
  v_told text[];
  v_count integer := 0;
BEGIN
  FOR v_item IN
    SELECT * FROM meeting_actions WHERE state = 'open' AND told_at IS NULL AND due_on < utc_today()
    ORDER BY due_on, id LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED
  LOOP
    UPDATE meeting_actions SET told_at = clock_timestamp() WHERE id = v_item.id;
    v_count := v_count + 1;
    SELECT * INTO v_meeting FROM meetings WHERE id = v_item.meeting_id AND state <> 'cancelled';
    CONTINUE WHEN NOT FOUND;
    v_told := ARRAY(SELECT a FROM unnest(agencies_of(v_meeting.audience, '{}')) AS a WHERE a IN (v_meeting.convener, v_item.owner));
    PERFORM announce('meeting.action_due', 'meetings', v_meeting.id, v_meeting.reference, v_meeting.version, v_told, '{}', true,
      jsonb_build_object('action', v_item.id, 'due_on', v_item.due_on));
    INSERT INTO audit_entries (agency, action, outcome, kind, record_ids, detail)
    SELECT a, 'meeting.action_due', 'done', 'meetings', ARRAY[v_meeting.id], jsonb_build_object('action', v_item.id) FROM unnest(v_told) AS a;
  END LOOP;
  RETURN v_count;
END $$;

REVOKE ALL ON FUNCTION note_meeting_action, add_meeting_action, change_meeting_action, move_meeting_action, tell_due_meeting_actions
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION add_meeting_action, change_meeting_action, move_meeting_action TO interdesk_api, interdesk_worker;
GRANT EXECUTE ON FUNCTION tell_due_meeting_actions TO interdesk_worker;
RESET ROLE;
