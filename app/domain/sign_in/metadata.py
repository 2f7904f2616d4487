"""What the hub says about itself to OAuth clients (RFC 8414, RFC 9728). All of it follows from the public URL."""

from pydantic import Field

from app.core.shapes import Shape
from app.domain.sign_in.granting import GRANT_TYPE
from app.identity.jwks import SUPPORTED_ALGORITHMS
from app.identity.roles import Permission

_METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
_ALGORITHMS = sorted(SUPPORTED_ALGORITHMS)
_SCOPES = sorted(permission.value for permission in Permission)
_PROOF = "How a client may prove itself there."
_SIGNED = "What its assertion may be signed with."


class AuthorizationServer(Shape):
    """Metadata of the authorization server (RFC 8414, section 2)."""

    issuer: str = Field(description="Who issues tokens; also the only audience of a client assertion.")
    token_endpoint: str = Field(description="Where a client signs in.")
    introspection_endpoint: str = Field(description="Where a client asks about its tokens.")
    revocation_endpoint: str = Field(description="Where a client gives a token back.")
    jwks_uri: str = Field(description="The keys that tokens are signed with.")
    scopes_supported: list[str] = Field(_SCOPES, description="Every permission there is.")
    response_types_supported: list[str] = Field(
        [], description="None: no authorization endpoint, no browser takes part."
    )
    grant_types_supported: list[str] = Field([GRANT_TYPE], description="The one way to a token.")
    token_endpoint_auth_methods_supported: list[str] = Field(_METHODS, description=_PROOF)
    token_endpoint_auth_signing_alg_values_supported: list[str] = Field(_ALGORITHMS, description=_SIGNED)
    introspection_endpoint_auth_methods_supported: list[str] = Field(_METHODS, description=_PROOF)
    introspection_endpoint_auth_signing_alg_values_supported: list[str] = Field(_ALGORITHMS, description=_SIGNED)
    revocation_endpoint_auth_methods_supported: list[str] = Field(_METHODS, description=_PROOF)
    revocation_endpoint_auth_signing_alg_values_supported: list[str] = Field(_ALGORITHMS, description=_SIGNED)
    service_documentation: str = Field(description="The documentation for people.")


class ProtectedResource(Shape):
    """Metadata of the API as a protected resource (RFC 9728, section 2)."""

    resource: str = Field(description="The API, and the audience of its tokens.")
    authorization_servers: list[str] = Field(description="Whose tokens it takes: the hub's own.")
    scopes_supported: list[str] = Field(_SCOPES, description="Every permission there is.")
    bearer_methods_supported: list[str] = Field(["header"], description="Where the token stands.")
    resource_name: str = Field("Interdesk", description="The API's name for people.")
    resource_documentation: str = Field(description="The documentation for people.")


class JsonWebKey(Shape):
    """A public key on P-256 (RFC 7517)."""

    kty: str = Field(description="Type of key: `EC`.")
    crv: str = Field(description="Its curve: `P-256`.")
    x: str = Field(description="First coordinate, base64url.")
    y: str = Field(description="Second coordinate, base64url.")
    kid: str = Field(description="Its name, as tokens' headers carry it.")
    alg: str = Field(description="What it signs with: `ES256`.")
    use: str = Field(description="What it is for: `sig`.")


class JsonWebKeySet(Shape):
    """The keys whose tokens the hub accepts at this moment, newest first."""

    keys: list[JsonWebKey] = Field(description="The keys.")


def authorization_server(public_url: str) -> AuthorizationServer:
    """The authorization server at the public URL."""
    return AuthorizationServer(
        issuer=public_url,
        token_endpoint=f"{public_url}/oauth/token",
        introspection_endpoint=f"{public_url}/oauth/introspect",
        revocation_endpoint=f"{public_url}/oauth/revoke",
        jwks_uri=f"{public_url}/.well-known/jwks.json",
        service_documentation=f"{public_url}/docs",
    )


def protected_resource(public_url: str) -> ProtectedResource:
    """The API at the public URL."""
    return ProtectedResource(
        resource=public_url, authorization_servers=[public_url], resource_documentation=f"{public_url}/docs"
    )
