-- What has to be done before somebody goes home, as rules that a hub can change: by category, legal act, and the countries
-- they leave and go to.

CREATE TABLE checklist_rules (
  id uuid PRIMARY KEY DEFAULT uuid7(),
  code text NOT NULL CHECK (code ~ '^[a-z][a-z0-9_]{1,59}$'),
  -- What the rule is for; NULL: whatever it is.
  category text CHECK (category IN ('victim', 'suspect', 'remains')),
  legal_act text CHECK (legal_act IN ('voluntary_repatriation', 'deportation', 'extradition', 'transfer_of_sentenced_person',
    'repatriation_of_remains')),
  from_country text CHECK (from_country ~ '^[A-Z]{2}$'),
  to_country text CHECK (to_country ~ '^[A-Z]{2}$'),
  -- False: there is no such item for what the rule is for, though a rule for more would ask for it.
  asked boolean NOT NULL DEFAULT true,
  title text NOT NULL,
  -- Who completes it: the side that asks for the people, or the one that is asked.
  side text NOT NULL CHECK (side IN ('requesting', 'requested')),
  -- Once for the whole request, or for each of its persons.
  per text NOT NULL CHECK (per IN ('request', 'person')),
  -- The step that is refused while it is open.
  before text NOT NULL CHECK (before IN ('clear', 'close')),
  needs text NOT NULL CHECK (needs IN ('nothing', 'document', 'result')),
  -- Only where the way leads through the country of a transit agency.
  with_transit boolean NOT NULL DEFAULT false,
  -- When it is due: the earlier of the two; never where both are NULL.
  days_after_submission integer CHECK (days_after_submission BETWEEN 0 AND 3650),
  days_before_due integer CHECK (days_before_due BETWEEN 0 AND 3650),
  waivable boolean NOT NULL,
  -- The law, convention or manual that it follows from.
  source text,
  -- Where it stands in a checklist.
  place integer NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Nobody goes home as a suspect unscreened, into danger, or dead without their family having been asked.
  CHECK (code NOT IN ('trafficking_screening', 'non_refoulement', 'next_of_kin_consent') OR (asked AND NOT waivable)),
  CHECK (code <> 'trafficking_screening' OR (needs = 'result' AND per = 'person' AND before = 'clear')),
  CHECK (needs <> 'result' OR code = 'trafficking_screening')
);
CREATE UNIQUE INDEX checklist_rules_once ON checklist_rules (code, category, legal_act, from_country, to_country) NULLS NOT DISTINCT;
CREATE INDEX checklist_rules_newest ON checklist_rules (changed_at DESC, id DESC);
ALTER TABLE checklist_rules ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON checklist_rules TO interdesk_engine USING (true) WITH CHECK (true);
CREATE POLICY everybody ON checklist_rules FOR SELECT TO interdesk_api, interdesk_worker USING (caller_agency() IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON checklist_rules TO interdesk_engine;
GRANT SELECT ON checklist_rules TO interdesk_api, interdesk_worker;

SET LOCAL ROLE interdesk_engine;

-- The rules that hold for a request, in their order: of several with one code the one that says most closely what it is
-- for; where two say as much, the country left counts more than the country gone to, that more than the act.
CREATE FUNCTION checklist_rules_for(p_category text, p_legal_act text, p_from text, p_to text) RETURNS SETOF checklist_rules
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT * FROM (
    SELECT DISTINCT ON (code) r.* FROM checklist_rules r
    WHERE coalesce(category = p_category, true) AND coalesce(legal_act = p_legal_act, true)
      AND coalesce(from_country = p_from, true) AND coalesce(to_country = p_to, true)
    ORDER BY code, num_nonnulls(category, legal_act, from_country, to_country) DESC,
      from_country IS NOT NULL DESC, to_country IS NOT NULL DESC, legal_act IS NOT NULL DESC) AS closest
  WHERE asked ORDER BY place, code
$$;

-- Puts a rule in place of the one with the same code for the same, or adds it. Checklists that are there stay as they are.
CREATE FUNCTION set_checklist_rule(p_rule jsonb) RETURNS checklist_rules LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_rule checklist_rules;
BEGIN
  IF caller_has_role('operator') IS NOT TRUE THEN
    RAISE EXCEPTION 'only the operator changes rules' USING ERRCODE = 'insufficient_privilege';
  END IF;
  INSERT INTO checklist_rules AS r (code, category, legal_act, from_country, to_country, asked, title, side, per, before, needs,
    with_transit, days_after_submission, days_before_due, waivable, source, place)
  SELECT n.code, n.category, n.legal_act, n.from_country, n.to_country, n.asked, n.title, n.side, n.per, n.before, n.needs,
    n.with_transit, n.days_after_submission, n.days_before_due, n.waivable, n.source, n.place
  FROM jsonb_populate_record(NULL::checklist_rules, p_rule) AS n
  ON CONFLICT (code, category, legal_act, from_country, to_country) DO UPDATE SET asked = excluded.asked, title = excluded.title,
    side = excluded.side, per = excluded.per, before = excluded.before, needs = excluded.needs, with_transit = excluded.with_transit,
    days_after_submission = excluded.days_after_submission, days_before_due = excluded.days_before_due,
    waivable = excluded.waivable, source = excluded.source, place = excluded.place, changed_at = clock_timestamp()
  RETURNING * INTO v_rule;
  PERFORM audit('checklist_rule.set', 'done', NULL, '{}', '{}', to_jsonb(v_rule) - 'changed_at');
  RETURN v_rule;
END $$;

-- Takes a rule out of the set. Outcomes: removed; missing; kept (the last of what nobody goes home without).
CREATE FUNCTION remove_checklist_rule(p_code text, p_category text, p_legal_act text, p_from text, p_to text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_rule checklist_rules;
BEGIN
  IF caller_has_role('operator') IS NOT TRUE THEN
    RAISE EXCEPTION 'only the operator changes rules' USING ERRCODE = 'insufficient_privilege';
  END IF;
  SELECT * INTO v_rule FROM checklist_rules WHERE code = p_code AND (category, legal_act, from_country, to_country)
    IS NOT DISTINCT FROM (p_category, p_legal_act, p_from, p_to) FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 'missing';
  ELSIF NOT v_rule.waivable AND v_rule.code IN ('trafficking_screening', 'non_refoulement', 'next_of_kin_consent')
    AND num_nonnulls(v_rule.legal_act, v_rule.from_country, v_rule.to_country) = 0
  THEN
    RETURN 'kept';
  END IF;
  DELETE FROM checklist_rules WHERE id = v_rule.id;
  PERFORM audit('checklist_rule.remove', 'done', NULL, '{}', '{}', to_jsonb(v_rule) - 'changed_at');
  RETURN 'removed';
END $$;

REVOKE ALL ON FUNCTION checklist_rules_for, set_checklist_rule, remove_checklist_rule FROM PUBLIC;
GRANT EXECUTE ON FUNCTION set_checklist_rule, remove_checklist_rule TO interdesk_worker;

-- -------------------------------------------------------------------------------------------------------- the default set
-- The living: victims and suspects.
INSERT INTO checklist_rules (code, category, title, side, per, before, needs, days_after_submission, days_before_due, waivable, source, place)
SELECT r.code, c.category, r.title, r.side, 'person', 'clear', r.needs, r.after, r.ahead, r.waivable, r.source, r.place
FROM (VALUES ('victim'), ('suspect')) AS c (category) CROSS JOIN (VALUES
  ('identity_verified', 'Identity and nationality verified', 'requesting', 'nothing', 7, NULL::integer, false,
    'Palermo Protocol, article 8 (3)', 10),
  ('trafficking_screening', 'Screened for trafficking in persons', 'requested', 'result', 7, NULL, false,
    'ASEAN Convention against Trafficking in Persons (2015), article 14', 20),
  ('non_refoulement', 'Risk on return and non-refoulement examined', 'requested', 'document', 14, NULL, false,
    'Convention against Torture, article 3; Refugee Convention, article 33; Palermo Protocol, article 14', 30),
  ('travel_document', 'Travel document', 'requesting', 'document', 14, 3, false, 'Palermo Protocol, article 8 (4)', 50),
  ('exit_clearance', 'Exit clearance by immigration', 'requested', 'nothing', 14, 3, true, NULL, 60),
  ('fitness_to_fly', 'Fit to fly', 'requested', 'document', NULL, 1, true, 'Council Decision 2004/573/EC, annex', 80)
) AS r (code, title, side, needs, after, ahead, waivable, source, place);

INSERT INTO checklist_rules (code, category, title, side, per, before, needs, days_after_submission, days_before_due, waivable, source, place)
SELECT r.code, c.category, r.title, 'requesting', 'request', 'clear', 'nothing', NULL, 3, true, r.source, r.place
FROM (VALUES ('victim'), ('suspect')) AS c (category) CROSS JOIN (VALUES
  ('escorts', 'Escorts named', 'Council Decision 2004/573/EC, annex', 90),
  ('reception', 'Reception on arrival arranged', 'Palermo Protocol, article 8 (1)', 100)
) AS r (code, title, source, place);

-- By what they go home: a consent, or an order of the host country's.
INSERT INTO checklist_rules (code, category, legal_act, title, side, per, before, needs, days_after_submission, waivable, source, place)
VALUES
  ('consent_or_order', 'victim', 'voluntary_repatriation', 'Informed consent to the return', 'requesting', 'person', 'clear', 'document',
    14, false, 'Palermo Protocol, article 8 (2)', 40),
  ('consent_or_order', 'suspect', 'deportation', 'Deportation order', 'requested', 'person', 'clear', 'document', 14, false,
    'International Covenant on Civil and Political Rights, article 13', 40),
  ('consent_or_order', 'suspect', 'extradition', 'Extradition order after a hearing', 'requested', 'person', 'clear', 'document', 45, false,
    'UN Model Treaty on Extradition, articles 10 and 11', 40),
  ('consent_or_order', 'suspect', 'transfer_of_sentenced_person', 'Consent of the person and of both states', 'requested', 'person', 'clear',
    'document', 45, false, 'Convention on the Transfer of Sentenced Persons (1983), article 3', 40),
  ('no_extradition_pending', 'suspect', 'deportation', 'No extradition pending', 'requested', 'person', 'clear', 'nothing', 7, true,
    'European Court of Human Rights, Bozano v. France (1986)', 45);

-- The dead. Between Korea and Cambodia no treaty knows a laissez-passer for a corpse: Berlin (1937) and Strasbourg (1973)
-- do, among their parties. A hub with two of these adds it for them.
INSERT INTO checklist_rules (code, category, title, side, per, before, needs, with_transit, days_after_submission, days_before_due, waivable,
  source, place)
SELECT r.code, 'remains', r.title, r.side, r.per, r.before, 'document', r.code = 'transit_permit', r.after, r.ahead, r.waivable, r.source, r.place
FROM (VALUES
  ('identification', 'The deceased identified', 'requested', 'person', 'clear', 3, NULL::integer, false,
    'INTERPOL Disaster Victim Identification Guide', 10),
  ('next_of_kin_consent', 'Consent of the next of kin', 'requesting', 'person', 'clear', 3, NULL, false,
    'Minnesota Protocol (2016)', 20),
  ('autopsy_requested', 'Autopsy requested', 'requesting', 'person', 'clear', 3, NULL, true, 'Minnesota Protocol (2016)', 30),
  ('autopsy_agreed', 'Autopsy agreed', 'requested', 'person', 'clear', 7, NULL, true, 'Minnesota Protocol (2016)', 40),
  ('autopsy_performed', 'Autopsy performed on site, with the sending country''s forensic service', 'requested', 'person', 'clear', 14, NULL,
    true, 'Minnesota Protocol (2016)', 50),
  ('release', 'Released by the investigating authority', 'requested', 'person', 'clear', 21, NULL, false, NULL, 60),
  ('death_certificate', 'Death certificate, with translation', 'requested', 'person', 'clear', 21, NULL, false, NULL, 70),
  ('embalming_or_cremation', 'Certificate of embalming or of cremation', 'requested', 'person', 'clear', NULL, 3, false, NULL, 80),
  ('transit_permit', 'Transit permit', 'requesting', 'request', 'clear', NULL, 3, false, NULL, 90),
  ('sealed_coffin', 'Sealed coffin or urn, and the affidavit of its contents', 'requested', 'person', 'clear', NULL, 2, false, NULL, 100),
  ('air_waybill', 'Air waybill', 'requesting', 'request', 'clear', NULL, 1, true, NULL, 110),
  ('handover_to_family', 'Handed over to the family', 'requesting', 'person', 'close', NULL, NULL, false, NULL, 120)
) AS r (code, title, side, per, before, after, ahead, waivable, source, place);

RESET ROLE;
