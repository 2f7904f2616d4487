"""`interdesk worker`: the background work alone, for hosts that serve without it."""

from app.cli.terminal import AsJson


def work(as_json: AsJson = False) -> None:
    """Do the background work until SIGTERM or Ctrl-C: the feed's order, deadlines, warnings, tidying up.

    `interdesk serve` does it too, unless told otherwise. Any number of processes may do it at once.
    """
    from app.cli import serving

    serving.work_alone(as_json=as_json)
