"""What the hub says about itself to OAuth clients (RFC 8414, RFC 9728). All of it follows from the public URL."""

from pydantic import Field

from app.core.shapes import Shape
from app.domain.sign_in.granting import GRANT_TYPE
from app.identity.jwks import SUPPORTED_ALGORITHMS
from app.identity.roles import Permission

_METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
_ALGORITHMS = sorted(SUPPORTED_ALGORITHMS)
_SCOPES = sorted(permission.value for permission in Permission)


class AuthorizationServer(Shape):
    """Metadata of the authorization server (RFC 8414, section 2)."""

    issuer: str = Field(description="Who issues tokens; also the only audience of a client assertion.")
    token_endpoint: str = Field(description="Where a client signs in.")
    introspection_endpoint: str = Field(description="Where a client asks about its tokens.")
    revocation_endpoint: str = Field(description="Where a client gives a token back.")
    jwks_uri: str = Field(description="The keys that tokens are signed with.")
    scopes_supported: list[str] = _SCOPES
    response_types_supported: list[str] = Field(
        [], description="None: no authorization endpoint, no browser takes part."
    )
    grant_types_supported: list[str] = Field([GRANT_TYPE])
    token_endpoint_auth_methods_supported: list[str] = _METHODS
    token_endpoint_auth_signing_alg_values_supported: list[str] = _ALGORITHMS
    introspection_endpoint_auth_methods_supported: list[str] = _METHODS
    introspection_endpoint_auth_signing_alg_values_supported: list[str] = _ALGORITHMS
    revocation_endpoint_auth_methods_supported: list[str] = _METHODS
    revocation_endpoint_auth_signing_alg_values_supported: list[str] = _ALGORITHMS
    service_documentation: str = Field(description="The documentation for people.")


class ProtectedResource(Shape):
    """Metadata of the API as a protected resource (RFC 9728, section 2)."""

    resource: str = Field(description="The API, and the audience of its tokens.")
    authorization_servers: list[str] = Field(description="Whose tokens it takes: the hub's own.")
    scopes_supported: list[str] = _SCOPES
    bearer_methods_supported: list[str] = Field(["header"])
    resource_name: str = "Interdesk"
    resource_documentation: str = Field(description="The documentation for people.")


class JsonWebKey(Shape):
    """A public key on P-256 (RFC 7517)."""

    kty: str
    crv: str
    x: str
    y: str
    kid: str
    alg: str
    use: str


class JsonWebKeySet(Shape):
    """The keys whose tokens the hub accepts at this moment, newest first."""

    keys: list[JsonWebKey]


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
