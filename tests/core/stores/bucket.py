"""A server that speaks as much of S3 as a store needs, for tests: objects, uploads in parts, lists."""

import hashlib
import re
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote
from xml.sax.saxutils import escape

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

ACCESS_KEY, SECRET_KEY, BUCKET = "AKEXAMPLE", "secret-of-the-example", "hub-files"
_SIGNED = re.compile(
    rf"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/\d{{8}}/[a-z0-9-]+/s3/aws4_request, .*Signature=[0-9a-f]{{64}}"
)


@dataclass
class Bucket:
    """What the server holds, and how it was asked."""

    address: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    unsigned: list[str] = field(default_factory=list)
    full: bool = False
    """Whether it refuses to take anything more."""

    async def answer(self, request: Request) -> Response:
        if not _SIGNED.fullmatch(request.headers.get("authorization", "")):
            self.unsigned.append(f"{request.method} {request.url}")
            return Response(status_code=403)
        name = unquote(request.path_params.get("name", ""))
        query = request.query_params
        body = await request.body()
        if request.method in ("PUT", "POST") and self.full:
            return Response(_xml("Error", "<Code>XMinioStorageFull</Code>"), 507)
        if request.method == "GET" and not name:
            return self._listed(query.get("prefix", ""))
        if request.method == "POST" and "uploads" in query:
            upload = secrets.token_hex(8)
            self.uploads[upload] = {}
            return Response(_xml("InitiateMultipartUploadResult", f"<UploadId>{upload}</UploadId>"))
        if "uploadId" in query:
            return self._part(request.method, name, query["uploadId"], int(query.get("partNumber", 0)), body)
        return self._object(request.method, name, body)

    def _object(self, method: str, name: str, body: bytes) -> Response:
        if method == "PUT":
            self.objects[name] = body
            return Response(headers={"ETag": _etag(body)})
        if method == "DELETE":
            self.objects.pop(name, None)
            return Response(status_code=204)
        if name not in self.objects:
            return Response(_xml("Error", "<Code>NoSuchKey</Code>"), 404)
        headers = {"ETag": _etag(self.objects[name]), "Last-Modified": "Sun, 22 Nov 2026 08:00:00 GMT"}
        return Response(self.objects[name], headers=headers)

    def _part(self, method: str, name: str, upload: str, number: int, body: bytes) -> Response:
        if method == "PUT":
            self.uploads[upload][number] = body
            return Response(headers={"ETag": _etag(body)})
        parts = self.uploads.pop(upload)
        if method == "DELETE":
            return Response(status_code=204)
        self.objects[name] = b"".join(parts[number] for number in sorted(parts))
        return Response(_xml("CompleteMultipartUploadResult", f"<ETag>{escape(_etag(body))}</ETag>"))

    def _listed(self, prefix: str) -> Response:
        found = "".join(
            f"<Contents><Key>{escape(name)}</Key><Size>{len(content)}</Size><ETag>&quot;x&quot;</ETag>"
            "<LastModified>2026-11-22T08:00:00.000Z</LastModified></Contents>"
            for name, content in self.objects.items()
            if name.startswith(prefix)
        )
        return Response(_xml("ListBucketResult", f"<IsTruncated>false</IsTruncated>{found}"))


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _xml(name: str, content: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><{name}>{content}</{name}>'


@contextmanager
def served() -> Iterator[Bucket]:
    """A bucket at an address of this machine."""
    bucket = Bucket()
    methods = ["GET", "PUT", "POST", "DELETE"]
    routes = [
        Route(f"/{BUCKET}", bucket.answer, methods=methods),
        Route(f"/{BUCKET}/{{name:path}}", bucket.answer, methods=methods),
    ]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_config=None, lifespan="off", ws="none"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        bucket.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield bucket
        finally:
            server.should_exit = True
            thread.join()
