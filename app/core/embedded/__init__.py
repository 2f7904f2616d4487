"""A real PostgreSQL for a laptop, a test run or a single machine: started from a wheel, reached by a local socket."""

from app.core.embedded.errors import EmbeddedPostgresError
from app.core.embedded.launcher import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]
