"""`/v1/agreements/{id}/…`: opened by the originator, signed, suspended, reinstated and ended by the parties."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from app.access.desk import Desk
from app.domain.agreements import signing, stopping
from app.domain.agreements.agreements import AGREEMENTS, require_originator
from app.domain.agreements.shapes import Agreement, AgreementReason, AgreementSignatureIn
from app.identity.roles import Permission
from app.routers.agreements import fetch
from app.web import calls, nouns
from app.web.callers import at_desk
from app.web.openapi import operation

router = APIRouter(prefix="/v1/agreements/{agreement_id}", tags=["Agreements"])

Writing = Annotated[Desk, at_desk(Permission.AGREEMENTS_WRITE)]
Signing = Annotated[Desk, at_desk(Permission.AGREEMENTS_SIGN)]


@router.post(
    "/negotiate",
    summary="Open an agreement to its parties",
    operation_id="negotiate_agreement",
    **operation(Agreement, match=True, once=True, problems=("conflict",)),
)
async def negotiate_agreement(request: Request, desk: Writing, agreement_id: str) -> Response:
    """Open a draft of your agency's to its parties. From now on all of them see it, and each can sign it."""
    agreement = await fetch(request, desk, agreement_id)
    require_originator(desk, agreement)

    async def move() -> Agreement:
        return await signing.negotiate(desk, agreement)

    return await nouns.move(request, desk, AGREEMENTS, agreement, move)


@router.post(
    "/sign",
    summary="Sign an agreement",
    operation_id="sign_agreement",
    **operation(Agreement, body=AgreementSignatureIn, match=True, once=True, problems=("conflict",)),
)
async def sign_agreement(request: Request, desk: Signing, agreement_id: str) -> Response:
    """Sign for your agency what the agreement says now, named by its `content_hash`; 409 if it says something else.

    With the last party's signature the agreement is signed, and in force if its first day has come; otherwise it comes
    into force within ten seconds of that day's beginning, in UTC. A signature that is not the last leaves the version
    as it is, so parties can sign at the same time. It counts against the 98 places that an agency has in groups and
    in agreements which it signed and which have not ended.
    """
    agreement = await fetch(request, desk, agreement_id)

    async def move() -> Agreement:
        signature = await calls.read_body(request, AgreementSignatureIn)
        return await signing.sign(desk, agreement, signature.content_hash)

    return await nouns.move(request, desk, AGREEMENTS, agreement, move)


@router.post(
    "/suspend",
    summary="Suspend an agreement",
    operation_id="suspend_agreement",
    **operation(Agreement, body=AgreementReason, match=True, once=True, problems=("conflict",)),
)
async def suspend_agreement(request: Request, desk: Signing, agreement_id: str) -> Response:
    """Suspend an agreement that all parties have signed. The access that rests on it ends with the next request.

    Every party can, whether or not another one has already; the agreement stands again once each has reinstated it.
    """
    agreement = await fetch(request, desk, agreement_id)

    async def move() -> Agreement:
        sent = await calls.read_body(request, AgreementReason)
        return await stopping.suspend(desk, agreement, sent.reason)

    return await nouns.move(request, desk, AGREEMENTS, agreement, move)


@router.post(
    "/reinstate",
    summary="Lift your suspension",
    operation_id="reinstate_agreement",
    **operation(Agreement, match=True, once=True, problems=("conflict",)),
)
async def reinstate_agreement(request: Request, desk: Signing, agreement_id: str) -> Response:
    """Lift your own agency's suspension of an agreement.

    A suspension protects the party that set it, so nobody else can lift it, the originator neither: 403. When no
    suspension is left, the access that rests on the agreement comes back with the next request.
    """
    agreement = await fetch(request, desk, agreement_id)

    async def act() -> calls.Made:
        stopping.require_suspender(desk, agreement)
        calls.require_match(request, agreement.version)
        return nouns.made(AGREEMENTS, await stopping.reinstate(desk, agreement))

    return await calls.once(request, desk, nouns.replay(desk, AGREEMENTS), act)


@router.post(
    "/terminate",
    summary="End an agreement",
    operation_id="terminate_agreement",
    **operation(Agreement, body=AgreementReason, match=True, once=True, problems=("conflict",)),
)
async def terminate_agreement(request: Request, desk: Signing, agreement_id: str) -> Response:
    """End an agreement for all its parties and for good, or give up a draft or a negotiation.

    The access that rests on it ends with the next request. Those who want to go on make another agreement.
    """
    agreement = await fetch(request, desk, agreement_id)

    async def move() -> Agreement:
        sent = await calls.read_body(request, AgreementReason)
        return await stopping.terminate(desk, agreement, sent.reason)

    return await nouns.move(request, desk, AGREEMENTS, agreement, move)
