"""How sign-in refuses: the closed list of RFC 6749's error codes that this hub answers."""

from dataclasses import dataclass


@dataclass
class OAuthError(Exception):
    """A refusal in the shape of RFC 6749, section 5.2."""

    code: str
    description: str
    """For whoever integrates; of the characters that RFC 6749 allows there, and nothing the caller sent."""
    status: int = 400
    retry_after: int | None = None
    """Seconds to wait."""
    agency: str | None = None
    client_id: str | None = None
    """Who was recognised, for the audit."""
    recorded: bool = False
    """Whether the refusal stands in the audit already."""

    def __post_init__(self) -> None:
        """Give logs something readable."""
        super().__init__(f"{self.code}: {self.description}")


def invalid_request(description: str) -> OAuthError:
    """A request that is not formed as RFC 6749 wants it."""
    return OAuthError("invalid_request", description)


def invalid_client() -> OAuthError:
    """The one answer to an unknown client, a wrong proof, and a client that is not welcome now or from there."""
    return OAuthError(
        "invalid_client",
        "The client is unknown, its proof is wrong, or it may not sign in. Its agency's audit says why.",
        401,
        recorded=True,
    )


def slow_down(seconds: int) -> OAuthError:
    """Too many failures of this client from this network. The code is RFC 8628's; RFC 6749 has none for this."""
    return OAuthError("slow_down", "Too many failed sign-ins of this client from this network. Wait.", 429, seconds)
