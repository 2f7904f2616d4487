"""Where bytes are kept that are too many for the database: one small interface, and what stands behind it."""

from app.core.stores.interface import Kept, Store, StoreError
from app.core.stores.opening import open_store

__all__ = ["Kept", "Store", "StoreError", "open_store"]
