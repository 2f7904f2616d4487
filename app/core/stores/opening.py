"""The store that a setting names."""

import re
from pathlib import Path
from typing import Final

from app.core.stores.disk import DiskStore
from app.core.stores.interface import Store, StoreError

DISK: Final = "disk"
FOLDER: Final = "attachments"
"""The folder of the store on the disk, in the data folder."""

ADDRESS: Final = re.compile(
    r"(?P<scheme>s3|s3\+http)://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(/(?P<prefix>[\w./-]*))?"
)
"""`s3://bucket/prefix`; `s3+http://` where the address in the environment is one without TLS."""


def open_store(setting: str, data: Path) -> Store:
    """The store; nothing is asked of it yet.

    Raises:
        StoreError: the setting is none, or what it needs is not installed.
    """
    if setting == DISK:
        return DiskStore(data / FOLDER)
    address = ADDRESS.fullmatch(setting)
    if address is None:
        raise StoreError("INTERDESK_ATTACHMENT_STORE must be `disk` or `s3://bucket/prefix`.")
    try:
        from app.core.stores.s3 import S3Store  # noqa: PLC0415 - an extra that few installations need
    except ImportError as error:
        message = "INTERDESK_ATTACHMENT_STORE names a bucket, which needs: pip install 'interdesk[s3]'"
        raise StoreError(message) from error
    prefix = (address["prefix"] or "").strip("/")
    return S3Store(address["bucket"], prefix, allow_http=address["scheme"] == "s3+http")
