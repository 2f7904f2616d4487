"""Telling the story through the functions that every other caller uses; what stands there already is left as it is."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from app.access.desk import Desk
from app.core import clock
from app.core.problems import NOT_FOUND, Problem
from app.core.validation import validated
from app.demo import agreeing, asking, convening, homecoming, operations, reporting, story
from app.demo.agreed import AGREEMENTS, Agreed
from app.demo.convened import MEETINGS
from app.demo.counted import AGENCY as COUNTING_AGENCY
from app.demo.counted import COUNTED
from app.demo.parts import Contribution, Profile
from app.demo.reported import REPORTS
from app.demo.taken_back import ANSWER_WITHIN, RECALLS, Recalled
from app.domain.agencies import directory
from app.domain.agencies.shapes import AgencyCreate
from app.domain.agreements.shapes import Agreement
from app.domain.criminal_organizations import profiles, relations, sightings
from app.domain.criminal_organizations.shapes import (
    AmendmentIn,
    CriminalOrganizationCreate,
    RelationIn,
    SightingIn,
)
from app.domain.groups import groups, members
from app.domain.groups.shapes import GroupCreate
from app.domain.joint_operations import plans
from app.domain.statistics import community, publishing
from app.domain.statistics.incidents import IncidentsBy
from app.records import amendments, caveats, disclosing, onward_requests, recalls, shelf
from app.records.onward_shapes import OnwardRequestIn
from app.records.recall_shapes import AcknowledgementIn, RecallIn
from app.records.shapes import DisclosureIn
from app.records.shelf import Stored

_FIND: Final = sql.SQL(
    "SELECT id FROM records WHERE originator = %(agency)s AND kind = %(kind)s AND external_id = %(number)s"
)
_MANY: Final = 500
PROFILES: Final = (*story.PROFILES, *(recalled.profile for recalled in RECALLS))

OpenDesk = Callable[[str | None], AbstractAsyncContextManager[Desk]]
"""Opens a transaction for an agency, or for the hub."""


@dataclass
class _Narrator:
    """Knows which ids the story's names have in this database."""

    open_desk: OpenDesk
    council: UUID
    agreements: dict[str, UUID]
    ids: dict[str, UUID]

    def resting(self, body: dict[str, Any]) -> dict[str, Any]:
        """A body with the id of the agreement that its legal basis stands for."""
        return body if "legal_basis" not in body else {**body, "legal_basis": str(self.agreements[body["legal_basis"]])}

    @asynccontextmanager
    async def at(self, agency: str, profile: str) -> AsyncIterator[tuple[Desk, Stored]]:
        """An agency's transaction, and a profile as that agency sees it."""
        async with self.open_desk(agency) as desk:
            yield desk, await shelf.fetch(desk, profiles.KIND, self.ids[profile])


async def tell(
    open_desk: OpenDesk, people: homecoming.People, done: Callable[[int], None] = lambda _count: None
) -> None:
    """Tell the story, or what is missing of it; `done` is told how many of `STEPS` are."""
    async with open_desk(None) as desk:
        for agency in story.AGENCIES:
            await _admit(desk, agency)
    done(1)
    agreements = {agreed.body["kind"]: (await _agree(open_desk, agreed)).id for agreed in AGREEMENTS}
    done(2)
    narrator = _Narrator(open_desk, await _council(open_desk, agreements[story.CHARTER]), agreements, {})
    done(3)
    for profile in PROFILES:
        async with open_desk(profile.agency) as desk:
            narrator.ids[profile.key] = await _profile(desk, profile, narrator)
    done(4)
    await _relate(narrator)
    done(5)
    await _contribute(narrator)
    done(6)
    for recalled in RECALLS:
        await _recall(narrator, recalled)
    done(7)
    await _operate(narrator)
    done(8)
    for convened in MEETINGS:
        await convening.convene(open_desk, convened, narrator.council, agreements)
    done(9)
    told = await _report(narrator)
    await _count(open_desk)
    done(10)
    await homecoming.bring_home(open_desk, people, agreements[story.MEMORANDUM], told[homecoming.REPORT])
    done(11)


STEPS: Final = 11


async def _operate(narrator: _Narrator) -> None:
    async with narrator.open_desk(operations.LEAD) as desk:
        if not await desk.rows(_FIND, agency=operations.LEAD, kind=plans.KIND.value, number=operations.NUMBER):
            targets = {key: narrator.ids[key] for key in (story.PROFILES[0].key,)}
            await operations.plan(desk, narrator.agreements[story.MEMORANDUM], targets)


async def _admit(desk: Desk, agency: dict[str, Any]) -> None:
    try:
        await directory.fetch(desk, agency["code"])
    except Problem as problem:
        if problem.type is not NOT_FOUND:
            raise
        await directory.create(desk, validated(AgencyCreate, agency))


async def _agree(open_desk: OpenDesk, agreed: Agreed) -> Agreement:
    async with open_desk(agreed.agency) as desk:
        agreement = await agreeing.drafted(desk, agreed)
    for party in agreement.parties:
        async with open_desk(party) as desk:
            await agreeing.sign(desk, agreement)
    return agreement


async def _council(open_desk: OpenDesk, charter: UUID) -> UUID:
    """The council, with everybody in it who is invited."""
    async with open_desk(story.CHAIR) as desk:
        council = await _founded(desk, charter)
    for member in story.COUNCIL_CONTENT["members"]:
        async with open_desk(member["agency"]) as desk:
            for group in await groups.listed(desk, state="invited", after=None, limit=_MANY):
                if group.id == council:
                    await members.accept(desk, group, await members.fetch(desk, group, member["agency"]))
    return council


async def _founded(desk: Desk, charter: UUID) -> UUID:
    name = story.COUNCIL_CONTENT["name"]
    for group in await groups.listed(desk, kind="council", ended=False, after=None, limit=_MANY):
        if group.name == name and group.chair == story.CHAIR:
            return group.id
    content = {**story.COUNCIL_CONTENT, "charter": str(charter)}
    return (await groups.found(desk, validated(GroupCreate, content))).id


async def _profile(desk: Desk, profile: Profile, narrator: _Narrator) -> UUID:
    rows = await desk.rows(_FIND, agency=profile.agency, kind=profiles.KIND.value, number=profile.external_id)
    if rows:
        found: UUID = rows[0].id
        return found
    audience = profile.body["handling"]["audience"]
    council = [str(narrator.council)]
    named = {name: council for name in ("groups", "observers_of") if audience.get(name) == [story.COUNCIL]}
    handling = narrator.resting({**profile.body["handling"], "audience": {**audience, **named}})
    body = {**profile.body, "external_id": profile.external_id, "handling": handling}
    return (await profiles.create(desk, validated(CriminalOrganizationCreate, body))).envelope.id


async def _relate(narrator: _Narrator) -> None:
    agencies = {profile.key: profile.agency for profile in story.PROFILES}
    for relation in story.RELATIONS:
        target = narrator.ids[relation.target]
        sent = validated(RelationIn, {**relation.body, "target": str(target)})
        async with narrator.at(agencies[relation.source], relation.source) as (desk, stored):
            stated = await relations.listed(desk, stored, None, _MANY)
            if not any((one.type, one.target) == (sent.type, target) for one in stated):
                await relations.state(desk, stored, sent)


async def _contribute(narrator: _Narrator) -> None:
    for sighting in story.SIGHTINGS:
        async with narrator.at(sighting.agency, sighting.profile) as (desk, stored):
            if _own(desk, await sightings.listed(desk, stored, None, _MANY)) == 0:
                await sightings.add(desk, stored, validated(SightingIn, sighting.body))
    for profile, agency in story.ACKNOWLEDGEMENTS:
        await _acknowledge(narrator, profile, agency)
    for amendment in story.AMENDMENTS:
        await _amend(narrator, amendment)
    for asked in asking.ONWARD_REQUESTS:
        async with narrator.at(asked.agency, asked.profile) as (desk, stored):
            if not await onward_requests.listed(desk, stored, None, None, _MANY):
                respond_by = clock.rfc3339(clock.now() + timedelta(days=asking.ANSWER_IN_DAYS))
                await onward_requests.ask(
                    desk, stored, validated(OnwardRequestIn, {**asked.body, "respond_by": respond_by})
                )
    for disclosure in story.DISCLOSURES:
        async with narrator.at(disclosure.agency, disclosure.profile) as (desk, stored):
            if not await disclosing.disclosures(desk, stored, None, _MANY):
                sent = validated(DisclosureIn, narrator.resting(disclosure.body))
                await disclosing.disclose(desk, profiles.KIND, stored.envelope.id, sent)


async def _acknowledge(narrator: _Narrator, profile: str, agency: str) -> None:
    async with narrator.open_desk(agency) as desk:
        stored = await shelf.find(desk, profiles.KIND, narrator.ids[profile])
        if stored.covered:
            await caveats.acknowledge(desk, stored, stored.envelope.handling.caveat or "")


async def _amend(narrator: _Narrator, amendment: Contribution) -> None:
    async with narrator.at(amendment.agency, amendment.profile) as (desk, stored):
        if _own(desk, await amendments.listed(desk, stored, None, _MANY)):
            return
        sent = validated(AmendmentIn, amendment.body)
        proposed = await amendments.propose(desk, profiles.AMENDABLE, stored, sent.patch, sent.note)
        originator = stored.envelope.originator
    if amendment.accepted:
        async with narrator.at(originator, amendment.profile) as (desk, stored):
            open_one = await amendments.one(desk, stored, proposed.id)
            await amendments.accept(desk, profiles.AMENDABLE, stored, open_one, None)


async def _recall(narrator: _Narrator, recalled: Recalled) -> None:
    async with narrator.at(recalled.profile.agency, recalled.profile.key) as (desk, stored):
        made = list(await recalls.of_record(desk, stored, None, None, 1))
        if not made:
            due = {"due_at": clock.rfc3339(clock.now() + ANSWER_WITHIN)}
            sent = validated(RecallIn, {**recalled.body, **due})
            made = [await recalls.recall(desk, profiles.KIND, stored.envelope.id, sent)]
    for agency, answer in recalled.answers.items():
        async with narrator.open_desk(agency) as desk:
            received = await recalls.one(desk, [profiles.KIND], made[0].id)
            if received.recipients[0].closed_at is None:
                await recalls.acknowledge(desk, received, validated(AcknowledgementIn, answer))


async def _count(open_desk: OpenDesk) -> None:
    """File what one agency alone sees, and publish what everybody is told of it."""
    async with open_desk(COUNTING_AGENCY) as desk:
        for reported in COUNTED:
            await reporting.told(desk, reported, reported.body["handling"], {})
        is_published = (await community.published(desk, IncidentsBy.YEAR, None, None)).as_of is not None
    if not is_published:
        async with open_desk(None) as desk:
            await publishing.publish(desk)


async def _report(narrator: _Narrator) -> dict[str, UUID]:
    """The reports by their keys."""
    async with narrator.open_desk(story.CHAIR) as desk:
        await reporting.declare(desk)
    told = {}
    for reported in REPORTS:
        handling = narrator.resting(reported.body["handling"])
        async with narrator.open_desk(reported.agency) as desk:
            told[reported.key] = await reporting.told(desk, reported, handling, narrator.ids)
        for agency, note in reported.acknowledged.items():
            async with narrator.open_desk(agency) as desk:
                await reporting.acknowledge(desk, told[reported.key], note)
        if reported.merged_into is not None:
            async with narrator.open_desk(reported.agency) as desk:
                await reporting.merge(desk, told[reported.key], told[reported.merged_into])
    return told


def _own(desk: Desk, contributions: Sequence[Any]) -> int:
    return sum(one.agency == desk.caller.agency for one in contributions)
