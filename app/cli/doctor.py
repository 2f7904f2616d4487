"""`interdesk doctor`: what is wrong with a set-up, and how to mend it."""

import typer

from app.cli.terminal import AsJson, ExitCode, print_json, say

_MARKS = {"ok": "ok     ", "warning": "warning", "problem": "PROBLEM"}


def doctor(as_json: AsJson = False) -> None:
    """Examine the set-up of this host and say what is wrong and how to mend it; nothing is changed.

    Ends with 3 if there is a problem; warnings alone end with 0. An embedded database is started for the time.
    """
    from app.cli.checks import examine

    findings = examine()
    if as_json:
        print_json([finding.document() for finding in findings])
    else:
        for finding in findings:
            typer.echo(f"{_MARKS[finding.level]}  {finding.check}: {finding.detail}")
            if finding.mend:
                typer.echo(f"         {finding.mend}")
    problems = sum(finding.level == "problem" for finding in findings)
    if problems:
        say(f"{problems} problem{'s' if problems > 1 else ''} found.")
        raise typer.Exit(ExitCode.SET_UP)
