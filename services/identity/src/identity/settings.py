"""Environment of identity; production refuses a provider that isn't the real one."""

from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from servicekit.settings import ServiceSettings, UnsafeSettingsError

REAL_ISSUERS = {"idporten": "https://idporten.no", "ansattporten": "https://ansattporten.no"}
"""docs.digdir.no, metadata of the production environments."""


class Settings(ServiceSettings):
    """Read from the environment, without a prefix."""

    idporten_issuer: str = Field(description="Issuer of the provider for youths, exactly as in its metadata")
    idporten_client_id: str = Field(description="Identity's client there")
    ansattporten_issuer: str = Field(description="Issuer of the provider for staff")
    ansattporten_client_id: str = Field(description="Identity's client there")

    def issuer_of(self, provider: str) -> str:
        """The issuer of a provider of `domain.providers`."""
        return str(getattr(self, f"{provider}_issuer")).rstrip("/")

    def client_id_at(self, provider: str) -> str:
        """Identity's client id at a provider."""
        return str(getattr(self, f"{provider}_client_id"))

    @model_validator(mode="after")
    def _real_providers_in_production(self) -> Self:
        for provider, real in REAL_ISSUERS.items():
            if urlsplit(self.issuer_of(provider)).scheme not in ("http", "https"):
                raise UnsafeSettingsError(f"{provider.upper()}_ISSUER must be an address")
            if not self.is_demo and self.issuer_of(provider) != real:
                raise UnsafeSettingsError(f"{provider.upper()}_ISSUER must be {real} in production")
        return self
