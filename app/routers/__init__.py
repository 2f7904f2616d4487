"""The doors: one file per URL noun; a handler is a signature and the steps of its call in the order they are refused."""

from app.routers import criminal_organizations, health

ALL = (criminal_organizations.router, health.router)
