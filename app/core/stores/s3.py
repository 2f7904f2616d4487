"""A store in a bucket of S3, or of anything that speaks S3; needs the extra `interdesk[s3]`.

Address, region and credentials come from the environment, by the names that S3's own tools read (`AWS_ACCESS_KEY_ID`,
`AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT_URL`), so that no secret stands in an address of ours.
"""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import UUID

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store as Bucket

from app.core.ids import parse_uuid
from app.core.stores.interface import Kept, StoreError

if TYPE_CHECKING:
    from obstore import GetResult

_PART: Final = 5 * 1024 * 1024
"""The smallest part that S3 takes, but for the last."""

_PARTS_AT_ONCE: Final = 2
_READ: Final = 256 * 1024
_SECONDS: Final = timedelta(seconds=30)
_T = TypeVar("_T")


class S3Store:
    """Keeps each thing as an object named by its id, below a prefix."""

    def __init__(self, bucket: str, prefix: str, *, allow_http: bool) -> None:
        """`allow_http`: whether the address in the environment may be one without TLS."""
        options = {"allow_http": allow_http, "timeout": _SECONDS, "connect_timeout": _SECONDS}
        self._name = f"s3://{bucket}/{prefix}".rstrip("/")
        self._bucket = Bucket(
            bucket,
            prefix=prefix or None,
            client_options=options,  # type: ignore[arg-type]
            disable_bulk_delete=True,  # which not all that speak S3 know
        )

    async def put(self, name: UUID, parts: AsyncIterable[bytes]) -> None:
        """As `Store.put`: an object is there once all its parts are."""
        told = _Told(parts)
        upload = obstore.put_async(
            self._bucket, str(name), aiter(told), chunk_size=_PART, max_concurrency=_PARTS_AT_ONCE, use_multipart=True
        )
        try:
            await _answered(upload)
        except StoreError:
            if told.raised is not None:
                raise told.raised from None
            raise

    async def get(self, name: UUID) -> AsyncIterator[bytes]:
        """As `Store.get`."""
        found: GetResult = await _answered(obstore.get_async(self._bucket, str(name)))
        stream = found.stream(min_chunk_size=_READ)
        while True:
            try:
                part = await anext(stream, None)
            except (BaseError, OSError) as error:
                raise _failed(error) from error
            if part is None:
                return
            yield bytes(part)

    async def delete(self, name: UUID) -> None:
        """As `Store.delete`."""
        await _answered(obstore.delete_async(self._bucket, str(name)))

    async def listed(self) -> AsyncIterator[Kept]:
        """As `Store.listed`."""
        try:
            async for page in obstore.list(self._bucket):
                for found in page:
                    name = parse_uuid(found["path"])
                    if name is not None:
                        yield Kept(name, found["size"])
        except (BaseError, OSError) as error:
            raise _failed(error) from error

    async def check(self) -> str:
        """As `Store.check`: the bucket can be listed."""
        await _answered(obstore.list_with_delimiter_async(self._bucket, "none"))
        return self._name


class _Told:
    """Parts on their way to the library, which reports what they raise in its own words."""

    def __init__(self, parts: AsyncIterable[bytes]) -> None:
        self._parts = parts
        self.raised: BaseException | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._parts:
                yield part
        except BaseException as error:
            self.raised = error
            raise


async def _answered(call: Awaitable[_T]) -> _T:
    try:
        return await call
    except (BaseError, OSError) as error:
        raise _failed(error) from error


def _failed(error: Exception) -> StoreError:
    """The bucket's failure, without what the library quotes of its address and answer."""
    return StoreError(f"the store in the bucket fails: {type(error).__name__}")
