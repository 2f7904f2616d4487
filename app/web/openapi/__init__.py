"""The OpenAPI description: what FastAPI derives from signatures, completed with what it cannot see.

Bodies are read late and answers are rendered bytes, so each route says by `operation(…)` what it takes, answers and
needs; here that becomes request bodies, responses, headers, examples and every error the call can answer.
"""

from app.web.openapi.document import build, describe
from app.web.openapi.notes import Described, list_of, operation, page_of

__all__ = ["Described", "build", "describe", "list_of", "operation", "page_of"]
