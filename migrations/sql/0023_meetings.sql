-- Meetings: called by their convener, seen by it and by those who take part, held or cancelled.

CREATE TABLE meetings (
  id uuid PRIMARY KEY,
  reference text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('bilateral', 'council', 'general_assembly', 'working', 'urgent_video')),
  title text NOT NULL,
  convener text NOT NULL REFERENCES agencies (code),
  -- Who takes part beside the convener: agencies by name, and the chair and members of groups, whoever that is by now.
  agencies text[] NOT NULL CHECK (NOT convener = ANY (agencies)),
  groups uuid[] NOT NULL,
  -- Principals that see the meeting, so that the policy is one overlap; a trigger keeps them.
  audience text[] NOT NULL CHECK (convener = ANY (audience)),
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
  time_zone text NOT NULL,
  place text,
  video_link text,
  -- [{title, note, presenter}]
  agenda jsonb NOT NULL,
  state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'called', 'held', 'cancelled')),
  minutes text,
  -- [{text, agreed_by}]
  decisions jsonb NOT NULL DEFAULT '[]',
  version integer NOT NULL DEFAULT 1,
  -- When those who take part were shown it; until then the convener alone knows of it, though it may have given it up.
  called_at timestamptz CHECK (called_at IS NOT NULL OR state IN ('draft', 'cancelled')),
  ended_at timestamptz CHECK ((ended_at IS NOT NULL) = (state IN ('held', 'cancelled'))),
  cancel_reason text CHECK ((cancel_reason IS NOT NULL) = (state = 'cancelled')),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX meetings_reference ON meetings (reference);
CREATE INDEX meetings_newest_change ON meetings (updated_at DESC, id DESC);
CREATE INDEX meetings_by_end ON meetings (ends_at);
CREATE INDEX meetings_audience ON meetings USING gin (audience);

CREATE FUNCTION keep_meeting_audience() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM agencies WHERE hub AND code = ANY (NEW.agencies || NEW.convener)) THEN
    RAISE EXCEPTION 'the hub takes part in no meeting' USING ERRCODE = 'check_violation';
  END IF;
  NEW.audience := ARRAY[NEW.convener];
  IF NEW.called_at IS NOT NULL THEN
    NEW.audience := NEW.audience || NEW.agencies || ARRAY(SELECT 'group:' || g FROM unnest(NEW.groups) AS g);
  END IF;
  RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION keep_meeting_audience FROM PUBLIC;
CREATE TRIGGER meetings_audience BEFORE INSERT OR UPDATE ON meetings FOR EACH ROW EXECUTE FUNCTION keep_meeting_audience();

-- Whoever repeats a call is answered the version that the first one made. Not LIKE meetings: constraints of the same names
-- would be given others by a restore.
CREATE TABLE meeting_versions AS TABLE meetings WITH NO DATA;
ALTER TABLE meeting_versions ADD PRIMARY KEY (id, version);

-- What a meeting is about: records and agreements, each shown to those alone who see it.
CREATE TABLE meeting_links (
  id uuid PRIMARY KEY,
  meeting_id uuid NOT NULL REFERENCES meetings (id),
  kind text NOT NULL,
  target_id uuid NOT NULL,
  note text,
  created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX meeting_links_once ON meeting_links (meeting_id, target_id);
CREATE INDEX meeting_links_by_target ON meeting_links (target_id);

DO $$
DECLARE v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['meetings', 'meeting_versions', 'meeting_links'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY engine ON %I TO interdesk_engine USING (true) WITH CHECK (true)', v_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO interdesk_engine', v_table);
    EXECUTE format('GRANT SELECT ON %I TO interdesk_api, interdesk_worker', v_table);
  END LOOP;
END $$;
CREATE POLICY participants_see ON meetings FOR SELECT TO interdesk_api, interdesk_worker USING (
  audience && string_to_array(current_setting('interdesk.principals', true), ','));
-- A version that was a draft is its convener's, and no version is for who takes part since a later one.
CREATE POLICY participants_see ON meeting_versions FOR SELECT TO interdesk_api, interdesk_worker USING (
  audience && string_to_array(current_setting('interdesk.principals', true), ',')
  AND EXISTS (SELECT FROM meetings m WHERE m.id = meeting_versions.id));
CREATE POLICY both_ends ON meeting_links FOR SELECT TO interdesk_api, interdesk_worker USING (
  EXISTS (SELECT FROM meetings m WHERE m.id = meeting_id) AND CASE kind WHEN 'agreements' THEN knows_agreement(target_id)
    ELSE EXISTS (SELECT FROM records r WHERE r.id = target_id AND r.kind = meeting_links.kind
      AND (r.state = 'current' OR r.originator = caller_agency())) END);

SET LOCAL ROLE interdesk_engine;

-- The meeting, held against other changes of it, if the caller sees it; a row of NULLs otherwise.
CREATE FUNCTION lock_meeting(p_id uuid) RETURNS meetings LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_meeting meetings;
BEGIN
  SELECT * INTO v_meeting FROM meetings WHERE id = p_id AND knows_meeting(id) FOR NO KEY UPDATE;
  RETURN v_meeting;
END $$;

-- Keeps the version of a meeting that a step came to, and tells of it those who see it, or p_told of them.
CREATE FUNCTION tell_meeting(p_id uuid, p_event text, p_told text[] DEFAULT NULL) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_meeting meetings;
BEGIN
  SELECT * INTO STRICT v_meeting FROM meetings WHERE id = p_id;
  INSERT INTO meeting_versions SELECT v_meeting.* ON CONFLICT DO NOTHING;
  PERFORM announce(p_event, 'meetings', p_id, v_meeting.reference, v_meeting.version, coalesce(p_told, v_meeting.audience), '{}');
END $$;

-- Drafts a meeting of the caller's agency; p_content is what it says, by the names of the columns.
-- Outcomes: created, reference-taken (draw another).
CREATE FUNCTION create_meeting(p_id uuid, p_reference text, p_content jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
BEGIN
  INSERT INTO meetings (id, reference, kind, title, convener, agencies, groups, starts_at, ends_at, time_zone, place, video_link,
    agenda, created_at, updated_at)
  SELECT p_id, p_reference, c.kind, c.title, caller_agency(), c.agencies, c.groups, c.starts_at, c.ends_at, c.time_zone, c.place,
    c.video_link, c.agenda, v_now, v_now
  FROM jsonb_populate_record(NULL::meetings, p_content) AS c
  ON CONFLICT (reference) DO NOTHING;
  IF NOT FOUND THEN
    RETURN 'reference-taken';
  END IF;
  PERFORM tell_meeting(p_id, 'meeting.created');
  PERFORM audit('meeting.create', 'done', 'meetings', ARRAY[p_id], '{}');
  RETURN 'created';
END $$;

-- Changes what the caller's meeting says, minutes and decisions included, and who takes part. Outcomes: changed, stale.
CREATE FUNCTION change_meeting(p_id uuid, p_expected integer, p_content jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_was meetings := lock_meeting(p_id);
  v_is meetings;
  v_before text[];
  v_after text[];
BEGIN
  IF v_was.version IS DISTINCT FROM p_expected OR v_was.convener <> caller_agency() OR v_was.state = 'cancelled' THEN
    RETURN 'stale';
  END IF;
  UPDATE meetings m SET kind = c.kind, title = c.title, agencies = c.agencies, groups = c.groups, starts_at = c.starts_at,
    ends_at = c.ends_at, time_zone = c.time_zone, place = c.place, video_link = c.video_link, agenda = c.agenda,
    minutes = c.minutes, decisions = c.decisions, version = p_expected + 1,
    updated_at = greatest(clock_timestamp(), m.updated_at + interval '1 microsecond')
  FROM jsonb_populate_record(NULL::meetings, p_content) AS c WHERE m.id = p_id RETURNING m.* INTO v_is;
  v_before := agencies_of(v_was.audience, '{}');
  v_after := agencies_of(v_is.audience, '{}');
  PERFORM announce('meeting.left', 'meetings', p_id, v_is.reference, NULL,
    ARRAY(SELECT unnest(v_before) EXCEPT SELECT unnest(v_after)), '{}', false);
  PERFORM tell_meeting(p_id, 'meeting.called', ARRAY(SELECT unnest(v_after) EXCEPT SELECT unnest(v_before)));
  PERFORM tell_meeting(p_id, 'meeting.updated', ARRAY(SELECT unnest(v_after) INTERSECT SELECT unnest(v_before)));
  PERFORM audit('meeting.update', 'done', 'meetings', ARRAY[p_id], '{}', jsonb_build_object('version', v_is.version));
  RETURN 'changed';
END $$;

-- Takes the caller's own meeting of one of these states to its next version; a row of NULLs, and nothing done, if it is
-- another's, another version, or in another state.
CREATE FUNCTION move_meeting(p_id uuid, p_expected integer, p_from text[], p_to text, p_minutes text DEFAULT NULL,
  p_decisions jsonb DEFAULT '[]', p_reason text DEFAULT NULL) RETURNS meetings LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_meeting meetings := lock_meeting(p_id);
  v_now timestamptz := greatest(clock_timestamp(), v_meeting.updated_at + interval '1 microsecond');
BEGIN
  IF v_meeting.version IS DISTINCT FROM p_expected OR v_meeting.convener <> caller_agency() OR NOT v_meeting.state = ANY (p_from) THEN
    RETURN NULL;
  END IF;
  UPDATE meetings SET state = p_to, version = version + 1, updated_at = v_now, minutes = p_minutes, decisions = p_decisions,
    cancel_reason = p_reason, called_at = CASE p_to WHEN 'called' THEN v_now ELSE called_at END,
    ended_at = CASE WHEN p_to <> 'called' THEN v_now END
  WHERE id = p_id RETURNING * INTO v_meeting;
  RETURN v_meeting;
END $$;

-- Shows the caller's draft to those who are to take part. Outcomes: called, stale.
CREATE FUNCTION call_meeting(p_id uuid, p_expected integer) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_meeting meetings := move_meeting(p_id, p_expected, ARRAY['draft'], 'called');
BEGIN
  IF v_meeting.id IS NULL THEN
    RETURN 'stale';
  END IF;
  PERFORM tell_meeting(p_id, 'meeting.called');
  PERFORM audit('meeting.call', 'done', 'meetings', ARRAY[p_id], '{}',
    jsonb_build_object('agencies', v_meeting.agencies, 'groups', v_meeting.groups));
  RETURN 'called';
END $$;

-- Writes down that the caller's meeting was held, and what came of it. Outcomes: held, stale.
CREATE FUNCTION hold_meeting(p_id uuid, p_expected integer, p_minutes text, p_decisions jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_meeting meetings := move_meeting(p_id, p_expected, ARRAY['called'], 'held', p_minutes, p_decisions);
BEGIN
  IF v_meeting.id IS NULL THEN
    RETURN 'stale';
  END IF;
  PERFORM tell_meeting(p_id, 'meeting.held');
  PERFORM audit('meeting.hold', 'done', 'meetings', ARRAY[p_id], '{}');
  RETURN 'held';
END $$;

-- Cancels the caller's meeting before it was held. Outcomes: cancelled, stale.
CREATE FUNCTION cancel_meeting(p_id uuid, p_expected integer, p_reason text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_meeting meetings := move_meeting(p_id, p_expected, ARRAY['draft', 'called'], 'cancelled', p_reason => p_reason);
BEGIN
  IF v_meeting.id IS NULL THEN
    RETURN 'stale';
  END IF;
  PERFORM tell_meeting(p_id, 'meeting.cancelled');
  PERFORM audit('meeting.cancel', 'done', 'meetings', ARRAY[p_id], '{}', jsonb_build_object('reason', p_reason));
  RETURN 'cancelled';
END $$;

-- --------------------------------------------------------------------------------------------------- what it is about
-- Writes what was done to the pointers of a meeting, and tells its convener: others may not see the far end.
CREATE FUNCTION note_meeting_link(p_meeting meetings, p_action text, p_link uuid) RETURNS void LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT announce('meeting.links_changed', 'meetings', p_meeting.id, p_meeting.reference, p_meeting.version, ARRAY[p_meeting.convener],
    '{}', true, jsonb_build_object('link', p_link));
  SELECT audit(p_action, 'done', 'meetings', ARRAY[p_meeting.id], '{}', jsonb_build_object('link', p_link));
$$;

-- Points from the caller's own meeting to a record or an agreement that it sees. Outcomes: added, linked (it points there
-- already), unknown (there is none that the caller sees), closed (not its meeting).
CREATE FUNCTION add_meeting_link(p_id uuid, p_meeting uuid, p_kind text, p_target uuid, p_note text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_meeting meetings := lock_meeting(p_meeting);
BEGIN
  IF v_meeting.id IS NULL OR v_meeting.convener <> caller_agency() THEN
    RETURN 'closed';
  ELSIF NOT (CASE p_kind WHEN 'agreements' THEN knows_agreement(p_target)
    ELSE EXISTS (SELECT FROM records r WHERE r.id = p_target AND r.kind = p_kind AND sees_record(r, caller_agency())
      AND (r.state = 'current' OR r.originator = caller_agency())) END) THEN
    RETURN 'unknown';
  END IF;
  INSERT INTO meeting_links (id, meeting_id, kind, target_id, note, created_at)
  VALUES (p_id, p_meeting, p_kind, p_target, p_note, clock_timestamp()) ON CONFLICT (meeting_id, target_id) DO NOTHING;
  IF NOT FOUND THEN
    RETURN 'linked';
  END IF;
  PERFORM note_meeting_link(v_meeting, 'meeting.add_link', p_id);
  RETURN 'added';
END $$;

-- Takes a pointer of the caller's own meeting back. Outcomes: removed, closed (not its meeting, or no such pointer).
CREATE FUNCTION remove_meeting_link(p_id uuid, p_meeting uuid) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_meeting meetings := lock_meeting(p_meeting);
BEGIN
  DELETE FROM meeting_links WHERE id = p_id AND meeting_id = p_meeting AND v_meeting.convener = caller_agency();
  IF NOT FOUND THEN
    RETURN 'closed';
  END IF;
  PERFORM note_meeting_link(v_meeting, 'meeting.remove_link', p_id);
  RETURN 'removed';
END $$;

REVOKE ALL ON FUNCTION lock_meeting, tell_meeting, create_meeting, change_meeting, move_meeting, call_meeting, hold_meeting,
  cancel_meeting, note_meeting_link, add_meeting_link, remove_meeting_link FROM PUBLIC;
GRANT EXECUTE ON FUNCTION create_meeting, change_meeting, call_meeting, hold_meeting, cancel_meeting, add_meeting_link,
  remove_meeting_link TO interdesk_api, interdesk_worker;
RESET ROLE;
