"""`interdesk statistics` as an operator types it."""

from tests.cli.conftest import Command


def test_the_operator_publishes_now(managed: Command) -> None:
    first = managed("statistics", "publish", "--json").json
    assert first.keys() == {"as_of"}
    assert managed("statistics", "publish").code == 0
    assert managed("statistics", "publish", "--json").json["as_of"] > first["as_of"]
