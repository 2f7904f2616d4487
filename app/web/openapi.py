"""The OpenAPI description: what FastAPI derives from signatures, and the parts it cannot see."""

from fastapi import FastAPI


def describe(app: FastAPI) -> None:
    """Make the application describe itself."""
