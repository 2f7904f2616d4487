"""The settings of an installation, read once from the environment or a `.env` file and handed to what needs them."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Network = IPv4Network | IPv6Network


class Settings(BaseSettings):
    """Every setting has a sentence; `interdesk doctor` says which of them a set-up lacks."""

    model_config = SettingsConfigDict(
        env_prefix="INTERDESK_", env_file=".env", extra="ignore", populate_by_name=True, frozen=True
    )

    data: Path = Field(Path("var"), description="Folder of the embedded database and of the master key made there.")
    database_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("DATABASE_URL", "database_url"),
        description="PostgreSQL 15 or later, as the role interdesk_api. Without it the embedded database serves.",
    )
    owner_database_url: SecretStr | None = Field(
        None, description="The same database as the role interdesk_owner; used by `interdesk db upgrade` alone."
    )
    worker_database_url: SecretStr | None = Field(
        None, description="The same database as the role interdesk_worker; used by the worker and the command line."
    )
    backup_database_url: SecretStr | None = Field(
        None, description="The same database as the role interdesk_backup; used by `interdesk backup` alone."
    )
    backup_passphrase: SecretStr | None = Field(
        None, description="Opens and closes backups where no file or age key is named. Better kept off this host."
    )
    master_key: SecretStr | None = Field(
        None, description="32 bytes in base64 or hex that protect signing keys and cursors. Required with DATABASE_URL."
    )
    master_key_file: Path | None = Field(
        None, description="A file with the master key, readable by its owner alone; instead of the master key itself."
    )
    public_url: str = Field(
        "http://127.0.0.1:8000",
        description="The address partners use. Issuer, audience and metadata come from it, never from a Host header.",
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = Field(
        (), description="Networks, separated by commas, whose X-Forwarded-For is believed."
    )
    legal_basis: Literal["recorded", "required"] = Field(
        "recorded",
        description="Whether what is neither GREEN nor CLEAR may be shared on no agreement: `recorded` allows it and "
        "says so wherever the sharing is shown, `required` refuses it.",
    )
    repatriation_acknowledge_hours: int = Field(
        4,
        ge=1,
        le=720,
        description="Hours after which both sides are told that a repatriation request with a life at risk was not "
        "acknowledged.",
    )
    body_limit: int = Field(1_048_576, ge=1024, description="Bytes a request body may have; more is answered with 413.")
    attachment_limit: int = Field(
        26_214_400, ge=1024, le=2**40, description="Bytes that an attachment may have; more is answered with 413."
    )
    attachment_store: str = Field(
        "disk",
        description="Where attachments are kept, encrypted: `disk`, in the data folder, or `s3://bucket/prefix`, with "
        "address and credentials in the environment as S3's tools read them.",
    )
    rate_limit: int = Field(6000, ge=1, description="Requests a client may make in a minute, in each server process.")
    sign_in_rate_limit: int = Field(
        600, ge=1, description="Calls without a valid token a source network may make in a minute, per process."
    )
    database_connections: int = Field(
        6, ge=2, le=50, description="Connections a server process keeps to the database at most."
    )
    metrics_token: SecretStr | None = Field(
        None, description="Bearer token for /metrics; without one /metrics is not there."
    )
    log_level: str = Field("info", description="debug, info, warning or error.")

    @property
    def session(self) -> dict[str, str]:
        """The settings that the database goes by, on every connection that writes records."""
        return {"interdesk.legal_basis": self.legal_basis}

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("public_url")
    @classmethod
    def _plain_origin(cls, value: str) -> str:
        url = urlsplit(value)
        if url.scheme not in ("http", "https") or not url.netloc or url.query or url.fragment:
            message = "INTERDESK_PUBLIC_URL must be an http or https address without query or fragment"
            raise ValueError(message)
        return value.rstrip("/")
