"""`interdesk checklist-rules`: what has to be done before people go home."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.terminal import AsJson, say, show, show_all

if TYPE_CHECKING:
    from app.access.desk import Desk

app = typer.Typer(
    help="List and change the rules that checklists of repatriation requests are made of.", no_args_is_help=True
)

Code = Annotated[str, typer.Argument(metavar="CODE", help="The item's code, for example transit_permit.")]
Category = Annotated[str | None, typer.Option(help="For victim, suspect or remains alone.")]
LegalAct = Annotated[str | None, typer.Option("--legal-act", help="For requests by this act alone.")]
From = Annotated[str | None, typer.Option("--from", metavar="COUNTRY", help="For people who leave this country.")]
To = Annotated[str | None, typer.Option("--to", metavar="COUNTRY", help="For people who go to this country.")]

_COLUMNS = [
    "code",
    "category",
    "legal_act",
    "from_country",
    "to_country",
    "asked",
    "title",
    "side",
    "before",
    "waivable",
]


@app.command("list")
def list_rules(as_json: AsJson = False) -> None:
    """List the rules, in the order of work."""
    from app.cli import host
    from app.domain.repatriation_requests import checklist_rules

    async def read(desk: "Desk") -> list[dict[str, Any]]:
        return [rule.model_dump(mode="json") for rule in await checklist_rules.every(desk)]

    show_all(host.at_desk("checklist-rules list", read), _COLUMNS, as_json=as_json)


@app.command("set")
def set_rule(  # noqa: PLR0913 - the options of one command
    code: Code,
    title: Annotated[str, typer.Option(help="What is to be done.")],
    side: Annotated[str, typer.Option(help="Who completes it: requesting or requested.")],
    category: Category = None,
    legal_act: LegalAct = None,
    from_country: From = None,
    to_country: To = None,
    per: Annotated[str, typer.Option(help="For what it is done: request or person.")] = "request",
    before: Annotated[str, typer.Option(help="The step it has to be done before: clear or close.")] = "clear",
    needs: Annotated[str, typer.Option(help="What it is completed with: nothing or document.")] = "nothing",
    with_transit: Annotated[bool, typer.Option("--with-transit", help="Only where an agency of transit is.")] = False,
    days_after_submission: Annotated[int | None, typer.Option(min=0, help="Due so many days after submission.")] = None,
    days_before_due: Annotated[int | None, typer.Option(min=0, help="Due so many days before the request is.")] = None,
    never_waived: Annotated[bool, typer.Option("--never-waived", help="Nobody can waive it.")] = False,
    not_asked: Annotated[bool, typer.Option("--not-asked", help="Take the item away there.")] = False,
    source: Annotated[str | None, typer.Option(help="The law or manual that it follows from.")] = None,
    place: Annotated[int, typer.Option(min=0, help="Where it stands in checklists: the smallest first.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """Set a rule, in place of the one with the same code for the same category, act and countries.

    Checklists that are made from now on go by it; those that are there stay as they are until the request changes what
    it asks for.
    """
    from app.cli import host
    from app.core.validation import validated
    from app.domain.repatriation_requests import checklist_rules
    from app.domain.repatriation_requests.checklist_shapes import ChecklistRuleIn

    rule = validated(
        ChecklistRuleIn,
        {
            "code": code,
            "category": category,
            "legal_act": legal_act,
            "from_country": from_country,
            "to_country": to_country,
            "asked": not not_asked,
            "title": title,
            "side": side,
            "per": per,
            "before": before,
            "needs": needs,
            "with_transit": with_transit,
            "days_after_submission": days_after_submission,
            "days_before_due": days_before_due,
            "waivable": not never_waived,
            "source": source,
            "place": place,
        },
    )

    async def put(desk: "Desk") -> dict[str, Any]:
        return (await checklist_rules.put(desk, rule)).model_dump(mode="json")

    show(host.at_desk("checklist-rules set", put), as_json=as_json)


@app.command("remove")
def remove_rule(
    code: Code,
    category: Category = None,
    legal_act: LegalAct = None,
    from_country: From = None,
    to_country: To = None,
    as_json: AsJson = False,
) -> None:
    """Take a rule out of the set. Screening, what awaits somebody on return and the family's consent stay."""
    from app.cli import host
    from app.core.validation import validated
    from app.domain.repatriation_requests import checklist_rules
    from app.domain.repatriation_requests.checklist_shapes import ChecklistRuleKey

    named = {
        "code": code,
        "category": category,
        "legal_act": legal_act,
        "from_country": from_country,
        "to_country": to_country,
    }
    key = validated(ChecklistRuleKey, named)

    async def remove(desk: "Desk") -> None:
        await checklist_rules.remove(desk, key)

    host.at_desk("checklist-rules remove", remove)
    if as_json:
        show({"removed": key.model_dump(mode="json")}, as_json=True)
    else:
        say("Removed.")
