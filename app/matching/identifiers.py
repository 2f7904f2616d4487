"""Identifiers in the one form in which they can be compared, whoever wrote them and however.

The text as an agency sent it is never changed; the form to compare stands beside it. Where a text does not have the
form that its type asks for, there is nothing to compare, and no error: it may be all that is known.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from app.core import registers
from app.models.vocabularies import IdentifierType

_SHORTEST: Final = 3
"""Fewer characters identify nothing: a plate of which two letters were seen would match thousands."""

_DOMAIN: Final = re.compile(r"(?=.{4,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_SCHEME: Final = re.compile(r"(?:([a-z][a-z0-9+.-]*):)?//", re.IGNORECASE)
_WALLET: Final = re.compile(r"(?:[a-z]{3,20}:)?([A-Za-z0-9]{20,128})")
_WALLET_WITHOUT_CASE: Final = re.compile(r"0x[0-9a-f]{40}|(bc|tb|ltc)1[0-9a-z]+", re.IGNORECASE)
_VESSEL: Final = re.compile(r"(?:IMO)?([0-9]{7})")
_STATION: Final = re.compile(r"(?:MMSI)?([0-9]{9})")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def comparable(kind: IdentifierType, value: str) -> str | None:
    """Return `value` in the form in which identifiers of its type are compared, or None where it has no such form."""
    return _FORMS[kind](value if value.isascii() else _plain(value))


def _plain(value: str) -> str:
    """Turn full-width letters and the decimal digits of every script into their common forms."""
    text = unicodedata.normalize("NFKC", value)
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text)


def _email(value: str) -> str | None:
    address = registers.email(value)
    # Mail systems may tell capitals apart before the @, and hardly one does.
    return address.casefold() if address else None


def _refanged(value: str) -> str:
    """Undo what analysts write so that nobody follows an address by accident: `hxxps://example[.]com`."""
    text = value.replace("[.]", ".").replace("(.)", ".").replace("[:]", ":")
    return "http" + text[4:] if text[:4].lower() == "hxxp" else text


def _domain(value: str) -> str | None:
    name = _refanged(value).removesuffix(".").lower()
    if not name.isascii():
        import idna  # noqa: PLC0415 - its tables cost more to read than most processes would use them

        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except idna.IDNAError:
            return None
    return name if _DOMAIN.fullmatch(name) else None


def _ip_address(value: str) -> str | None:
    try:
        return ipaddress.ip_address(_refanged(value)).compressed
    except ValueError:
        return None


def _url(value: str) -> str | None:
    """Keep host, port, path and query: with or without TLS, last slash and fragment it is the same page."""
    text = _refanged(value)
    try:
        parts = urlsplit(text if _SCHEME.match(text) else f"//{text}")
        host = parts.hostname or ""
        port = parts.port
    except ValueError:
        return None
    name = _ip_address(host) or _domain(host)
    if name is None:
        return None
    scheme = "" if parts.scheme in ("", "http", "https") else f"{parts.scheme}://"
    shown_port = "" if port in (None, _DEFAULT_PORTS.get(parts.scheme or "http")) else f":{port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{scheme}{name}{shown_port}{parts.path.removesuffix('/')}{query}"


def _crypto_wallet(value: str) -> str | None:
    found = _WALLET.fullmatch(value)
    if found is None:
        return None
    address = found.group(1)
    return address.lower() if _WALLET_WITHOUT_CASE.fullmatch(address) else address


def _number(value: str) -> str | None:
    """Keep letters, their marks and digits: numbers are written with any or no spaces, hyphens and dots."""
    kept = "".join(char for char in value.upper() if char.isalnum() or unicodedata.category(char)[0] == "M")
    return kept if len(kept) >= _SHORTEST else None


def _vessel(value: str) -> str | None:
    number = _number(value) or ""
    if found := _VESSEL.fullmatch(number):
        return f"IMO{found.group(1)}"
    if found := _STATION.fullmatch(number):
        return f"MMSI{found.group(1)}"
    return None


def _account(value: str) -> str | None:
    name = value.strip().removeprefix("@").casefold()
    return name if len(name) >= _SHORTEST and not any(char.isspace() for char in name) else None


_FORMS: Final[Mapping[IdentifierType, Callable[[str], str | None]]] = MappingProxyType(
    {
        IdentifierType.PHONE: registers.e164,
        IdentifierType.EMAIL: _email,
        IdentifierType.URL: _url,
        IdentifierType.DOMAIN: _domain,
        IdentifierType.IP_ADDRESS: _ip_address,
        IdentifierType.CRYPTO_WALLET: _crypto_wallet,
        IdentifierType.BANK_ACCOUNT: _number,
        IdentifierType.COMPANY_NUMBER: _number,
        IdentifierType.PASSPORT: _number,
        IdentifierType.NATIONAL_ID: _number,
        IdentifierType.VEHICLE_PLATE: _number,
        IdentifierType.VESSEL: _vessel,
        IdentifierType.SOCIAL_ACCOUNT: _account,
        IdentifierType.MESSENGER_ACCOUNT: _account,
    }
)
