"""`interdesk serve`: the API, with the background worker beside it."""

from typing import Annotated

import typer

from app.cli.terminal import AsJson


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Server processes that share the port.")] = 1,
    worker: Annotated[
        bool, typer.Option(help="Do the background work in this process too; otherwise run `interdesk worker`.")
    ] = True,
    demo: Annotated[
        bool, typer.Option("--demo", help="First tell the demo's story, unless the database is used for other things.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Serve the API until SIGTERM or Ctrl-C; calls under way are answered before it ends.

    An embedded database is started and brought up to date. A managed one must be up to date, and the server refuses a
    database role that could pass over row-level security. The log goes to standard error.
    """
    from app.cli import serving

    serving.serve(host, port, workers, worker=worker, demo=demo, as_json=as_json)
