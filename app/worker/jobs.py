"""The jobs, on procrastinate's queue inside the database: each is a few lines around a function of the database.

A job is queued by the transaction that causes it, or by the clock, and carries no content. Every one of them may run
twice, or at once in two processes: how far it has come stands in tables, not in the job.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import psycopg
import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.jobs import Status

from app.attachments.emptying import empty_trash
from app.audit.sealing import seal
from app.core.crypto import MasterKey
from app.core.db import Connection
from app.core.stores import Store
from app.domain.agreements import signing
from app.domain.statistics import publishing
from app.events import sight
from app.records import purging

log = structlog.get_logger("interdesk.worker")

SCHEMA: Final = "procrastinate"

CLOCK: Final = {
    # Queued by memberships too, at once; by the clock for what a worker left behind when it died.
    "tell_sight_changes": "* * * * * */10",
    "lapse_emergencies": "* * * * * */5",
    # An agreement has expired with its day, whether or not this has run; it comes into force by this alone.
    "keep_agreement_days": "* * * * * */10",
    # Looks whether a minute or a thousand entries have passed.
    "seal_audit": "* * * * * */10",
    "drop_stalled_jobs": "* * * * *",
    "remind_of_recalls": "* * * * *",
    # Queued by removals and purges at once; by the clock for uploads that came to nothing.
    "empty_attachment_trash": "* * * * *",
    "forget_expired": "*/10 * * * *",
    "warn_expiring_credentials": "41 * * * *",
    "tell_overdue_onward_requests": "* * * * *",
    "tell_due_meeting_actions": "* * * * *",
    "tell_late_repatriations": "* * * * *",
    "tell_extraditions": "* * * * *",
    "keep_incident_alarms": "* * * * *",
    "ensure_audit_months": "17 3 * * *",
    "keep_review_dates": "33 1 * * *",
    # As of the end of the month before; every day, for a worker that did not run on the first one.
    "publish_statistics": "7 2 * * *",
}
"""When each job is queued: minute, hour, day, month, weekday and, where there is a sixth field, second, in UTC."""

ACKNOWLEDGE_HOURS: Final = 4

_AUDIT_MONTHS_AHEAD: Final = 3
_STALLED_SECONDS: Final = 30.0
"""A worker whose heart has not beaten for so long is dead."""

_OVERDUE_SECONDS: Final = 2 * 24 * 3600.0
"""What the clock should have queued while no worker ran is made up for, as far back as this."""

Job = Callable[[Connection], Awaitable[object]]


async def _forget_expired(connection: Connection) -> None:
    await connection.execute("SELECT forget_expired()")


async def _lapse_emergencies(connection: Connection) -> None:
    await connection.execute("SELECT lapse_emergencies()")


async def _remind_of_recalls(connection: Connection) -> None:
    reminded = 1
    while reminded:
        cursor = await connection.execute("SELECT remind_of_recalls()")
        ((reminded,),) = await cursor.fetchall()


async def _warn_expiring_credentials(connection: Connection) -> None:
    await connection.execute("SELECT warn_expiring_credentials()")


async def _tell_overdue_onward_requests(connection: Connection) -> None:
    await connection.execute("SELECT tell_overdue_onward_requests()")


async def _tell_due_meeting_actions(connection: Connection) -> None:
    await connection.execute("SELECT tell_due_meeting_actions()")


async def _tell_late_repatriations(connection: Connection, hours: int) -> None:
    await connection.execute("SELECT tell_late_repatriations(%s)", (hours,))


async def _tell_extraditions(connection: Connection) -> None:
    await connection.execute("SELECT tell_extraditions()")


async def _keep_incident_alarms(connection: Connection) -> None:
    await connection.execute("SELECT keep_alarms()")
    await connection.execute("SELECT tell_overdue_incident_calls()")


async def _ensure_audit_months(connection: Connection) -> None:
    await connection.execute("SELECT ensure_audit_months(%s)", (_AUDIT_MONTHS_AHEAD,))


async def _keep_review_dates(connection: Connection) -> None:
    report = await purging.run(connection)
    counts = {name: len(getattr(report, name)) for name in ("warned", "purged", "held", "busy")}
    log.info("review dates kept", **counts, names_left=report.names_left)


JOBS: Final[dict[str, Job]] = {
    "tell_sight_changes": sight.tell_changes,
    "lapse_emergencies": _lapse_emergencies,
    "keep_agreement_days": signing.keep_days,
    "forget_expired": _forget_expired,
    "remind_of_recalls": _remind_of_recalls,
    "warn_expiring_credentials": _warn_expiring_credentials,
    "tell_overdue_onward_requests": _tell_overdue_onward_requests,
    "tell_due_meeting_actions": _tell_due_meeting_actions,
    "tell_late_repatriations": partial(_tell_late_repatriations, hours=ACKNOWLEDGE_HOURS),
    "tell_extraditions": _tell_extraditions,
    "keep_incident_alarms": _keep_incident_alarms,
    "ensure_audit_months": _ensure_audit_months,
    "keep_review_dates": _keep_review_dates,
    "publish_statistics": publishing.publish_due,
}
"""What each job does, by the name under which it is queued, on an autocommit connection of interdesk_worker."""


def job_app(
    conninfo: str,
    master_key: MasterKey | None = None,
    acknowledge_hours: int = ACKNOWLEDGE_HOURS,
    store: Store | None = None,
) -> App:
    """The jobs on the queue of this database, reached as the role interdesk_worker.

    The audit is sealed only with the master key, which opens the key that signs, and what is to be deleted from the
    store of attachments only with the store. `acknowledge_hours`: after how many both sides are told of a repatriation
    request that is not acknowledged although a life is at risk.
    """
    # Procrastinate names its tables without their schema; of autocommit it takes care itself.
    options = {"options": f"-c search_path={SCHEMA},pg_temp"}
    connector = PsycopgConnector(conninfo=conninfo, kwargs=options, min_size=1, max_size=3)
    app = App(connector=connector, periodic_defaults={"max_delay": _OVERDUE_SECONDS})
    late: Job = partial(_tell_late_repatriations, hours=acknowledge_hours)
    sealing: dict[str, Job] = {} if master_key is None else {"seal_audit": partial(seal, master_key=master_key)}
    emptying: dict[str, Job] = {} if store is None else {"empty_attachment_trash": partial(empty_trash, store=store)}
    for name, job in {**JOBS, "tell_late_repatriations": late, **sealing, **emptying}.items():
        _register(app, name, _on_connection(conninfo, job))

    async def drop_stalled_jobs() -> None:
        # The clock queues each of them again, and what is left to do stands in tables.
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED_SECONDS):
            await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)

    _register(app, "drop_stalled_jobs", drop_stalled_jobs)
    return app


def _on_connection(conninfo: str, job: Job) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
            await job(connection)

    return run


def _register(app: App, name: str, run: Callable[[], Awaitable[None]]) -> None:
    async def job(timestamp: int | None = None) -> None:  # noqa: ARG001 - the clock's, which none of them needs
        await run()

    # One of a kind waits at a time; the clock passes over a job that is waiting still.
    app.periodic(cron=CLOCK[name], queueing_lock=name)(app.task(name=name)(job))
