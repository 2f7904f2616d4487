"""The one error of the embedded PostgreSQL."""


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL cannot serve; the message says why and what to do about it."""
