"""`If-Match`, `If-None-Match` and ETags (RFC 9110): no update is lost, no unchanged body is sent."""

import re

from fastapi import Request

from app.core.problems import INVALID_PARAMETER, PRECONDITION_FAILED, PRECONDITION_REQUIRED, Flaw, Problem

_TAGS = re.compile(r'\s*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*)*')
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')


def etag(version: int) -> str:
    """The entity tag of a version."""
    return f'"{version}"'


def check_if_match(request: Request, version: int) -> None:
    """428 without If-Match, 412 if it names another version; `*` matches any that exists. A weak tag never matches."""
    value = request.headers.get("if-match")
    if value is None:
        raise Problem(PRECONDITION_REQUIRED)
    if value.strip() == "*":
        return
    if not _TAGS.fullmatch(value):
        flaw = Flaw("/header/If-Match", "etag-invalid", 'Send the ETag as it was answered, for example "3".')
        raise Problem(INVALID_PARAMETER, errors=[flaw])
    if not any(not weak and tag == str(version) for weak, tag in _TAG.findall(value)):
        raise Problem(PRECONDITION_FAILED)


def is_unchanged(request: Request, version: int) -> bool:
    """Whether If-None-Match names this version, so that 304 answers a read."""
    value = request.headers.get("if-none-match")
    if value is None:
        return False
    return value.strip() == "*" or any(tag == str(version) for _, tag in _TAG.findall(value))
