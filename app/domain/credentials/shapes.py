"""Bodies of the calls about credentials and recoveries."""

from ipaddress import ip_network
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from typing_extensions import TypeAliasType

from app.core import clock
from app.core.codes import AgencyCode
from app.core.dates import UtcDateTime
from app.core.merge_patch import MergePatch
from app.core.problems import Flaw
from app.core.shapes import Code, Shape, distinct, refuse
from app.core.text import Line
from app.core.vocabulary import Vocabulary
from app.identity.jwks import MAX_KEYS, JwksError, validate_jwks
from app.identity.roles import Role

LONGEST_GRACE = 604_800
DEFAULT_GRACE = 3_600


class AuthMethod(Vocabulary):
    """How a credential proves itself at `/oauth/token`."""

    CLIENT_SECRET = "client_secret", "By a secret that the hub draws and shows once."
    PRIVATE_KEY_JWT = "private_key_jwt", "By assertions signed with keys that never leave the partner (RFC 7523)."


class CredentialStatus(Vocabulary):
    """Whether a credential can sign in."""

    ACTIVE = "active", "It can, unless its agency is suspended."
    EXPIRED = "expired", "Its `expires_at` has passed; a later one makes it active again."
    REVOKED = "revoked", "It was revoked, for good."


class RecoveryState(Vocabulary):
    """How far a recovery is."""

    PENDING = "pending", "It waits for `effective_at`; any administrator of the agency can cancel it."
    CANCELLED = "cancelled", "It was cancelled, or the agency was suspended meanwhile."
    COMPLETED = "completed", "A new administrator's credential was issued."


def _canonical_network(value: str) -> str | None:
    try:
        return None if "%" in value else str(ip_network(value))  # a zone names an interface of some machine
    except ValueError:
        return None


Network = TypeAliasType(
    "Network",
    Annotated[
        str,
        Code(
            _canonical_network,
            "network-invalid",
            "Write an address or a network without host bits, for example 192.0.2.0/24 or 2001:db8::/32.",
            lambda: {
                "description": "A network in CIDR notation, or one address.",
                "maxLength": 43,
                "examples": ["192.0.2.0/24", "2001:db8::/32"],
            },
        ),
    ],
)


def _public_keys(value: object) -> object:
    """The cleaned set; what is wrong with it as flaws below the field."""
    try:
        return validate_jwks(value)
    except JwksError as error:
        flaws = [Flaw(each.pointer, each.code, each.detail) for each in error.problems]
    refuse("jwks", flaws)
    return None


Jwks = TypeAliasType(
    "Jwks",
    Annotated[
        dict[str, Any],
        BeforeValidator(_public_keys, json_schema_input_type=dict[str, Any]),
        Field(
            description=f"Public keys (RFC 7517), at most {MAX_KEYS}: EC on P-256, P-384 or P-521, or RSA of 2048 to "
            "4096 bits. Only members of the public key, `kid`, `alg` and `use` are kept. To change keys, add the new "
            "one, sign with it, then take the old one out.",
            json_schema_extra={
                "properties": {
                    "keys": {
                        "description": "The keys.",
                        "type": "array",
                        "minItems": 1,
                        "maxItems": MAX_KEYS,
                        "items": {"type": "object"},
                    }
                },
                "required": ["keys"],
            },
            examples=[
                {
                    "keys": [
                        {
                            "kty": "EC",
                            "crv": "P-256",
                            "kid": "2026-1",
                            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                        }
                    ]
                }
            ],
        ),
    ],
)


class CredentialContent(Shape):
    """What an administrator decides about a credential."""

    label: Line = Field(description="What it is for, as the administrator will recognize it.", examples=["case system"])
    roles: Annotated[list[Role], AfterValidator(distinct)] = Field(
        min_length=1, max_length=len(Role), description="What it may do; several roles add up.", examples=[["analyst"]]
    )
    expires_at: UtcDateTime | None = Field(
        None, description="When it stops working. The agency is warned by event 30 and 7 days before. Null: never."
    )
    allowed_networks: Annotated[list[Network], AfterValidator(distinct)] = Field(
        default_factory=list, max_length=64, description="Where it may be used from; empty: from anywhere."
    )
    jwks: Jwks | None = Field(None, description="Its public keys; with `private_key_jwt` only.")


class CredentialCreate(CredentialContent):
    """A credential to be issued."""

    auth_method: AuthMethod = Field(AuthMethod.CLIENT_SECRET, description="How it proves itself.")

    @model_validator(mode="after")
    def _has_keys_where_needed(self) -> Self:
        by_keys = self.auth_method is AuthMethod.PRIVATE_KEY_JWT
        if by_keys != (self.jwks is not None):
            detail = "private_key_jwt needs the client's public keys." if by_keys else "A client_secret takes no keys."
            refuse(type(self).__name__, [Flaw("/jwks", "keys-mismatch", detail)])
        return self


class CredentialPatch(MergePatch):
    """A merge patch (RFC 7396) of a credential: what is left out stays, null clears, a list replaces the whole list."""

    target: ClassVar[type[Shape]] = CredentialContent


class Rotation(Shape):
    """How to change a secret."""

    grace_seconds: int = Field(
        DEFAULT_GRACE,
        ge=0,
        le=LONGEST_GRACE,
        description="How long the former secret works beside the new one; 0 after it has leaked.",
        examples=[86400],
    )


class Credential(CredentialContent):
    """A credential as its agency's administrators see it; never its secret."""

    client_id: str = Field(description="What it signs in as.", examples=["idc_abcdefghijklmnopqrstuvwxyz"])
    agency: AgencyCode = Field(description="Whose it is.")
    auth_method: AuthMethod = Field(description="How it proves itself.")
    status: CredentialStatus = Field(description="Whether it can sign in.")
    former_secret_until: UtcDateTime | None = Field(
        description="Until when the secret before the present one works as well; null if it does not."
    )
    last_used_at: UtcDateTime | None = Field(description="When it last signed in, to the minute; null: never.")
    revoked_at: UtcDateTime | None = Field(description="When it was revoked.")
    version: int = Field(description="The version of what administrators decided; its ETag.", examples=[1])
    created_at: UtcDateTime = Field(description="When it was issued.")
    updated_at: UtcDateTime = Field(description="When it was last changed.")


class IssuedCredential(Credential):
    """A credential in the one answer that shows its secret."""

    client_secret: str | None = Field(
        description="Keep it now: only its hash is stored. Null with `private_key_jwt`, and in a repeated call.",
        examples=["ids_…"],
    )


class RecoveryRequest(Shape):
    """A recovery to be asked for."""

    label: Line = Field(description="The label of the credential that it leads to.", examples=["recovered by hub"])


class Recovery(Shape):
    """The way back for an agency whose administrators lost their credentials."""

    id: UUID = Field(description="The recovery's id.")
    agency: AgencyCode = Field(description="Whose administrators are locked out.")
    label: Line = Field(description="The label of the credential that it leads to.")
    state: RecoveryState = Field(description="How far it is.")
    requested_by: str = Field(description="The credential of the hub that asked for it.")
    requested_at: UtcDateTime = Field(description="When it was asked for.")
    effective_at: UtcDateTime = Field(description="When it can be completed: 24 hours after it was asked for.")
    decided_by: str | None = Field(description="The credential that cancelled or completed it.")
    decided_at: UtcDateTime | None = Field(description="When it was cancelled or completed.")
    completed_with: str | None = Field(description="Client id of the credential that was issued.")
    version: int = Field(description="1 while it is pending, 2 once it is decided; in quotes it is the ETag.")


def check_expiry(content: CredentialContent) -> list[Flaw]:
    """A credential is not issued, nor changed, to have expired already."""
    if content.expires_at is not None and content.expires_at <= clock.now():
        return [Flaw("/expires_at", "expires-in-the-past", "Send a moment that is still to come, or revoke it.")]
    return []
