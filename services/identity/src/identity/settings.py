"""Environment of identity; production refuses a provider that isn't the real one."""

from typing import Self

from pydantic import Field, field_validator, model_validator
from servicekit import addresses
from servicekit.settings import ServiceSettings, UnsafeSettingsError

REAL_ISSUERS = {"idporten": "https://idporten.no", "ansattporten": "https://ansattporten.no"}
"""docs.digdir.no, metadata of the production environments."""


class Settings(ServiceSettings):
    """Read from the environment, without a prefix."""

    idporten_issuer: str = Field(description="Issuer of the provider for youths, exactly as in its metadata")
    idporten_client_id: str = Field(min_length=1, description="Identity's client there")
    ansattporten_issuer: str = Field(description="Issuer of the provider for staff")
    ansattporten_client_id: str = Field(min_length=1, description="Identity's client there")

    logins_burst: int = Field(default=2000, gt=0, description="Logins that one service may begin at once, per process of identity")
    logins_per_second: float = Field(default=50, gt=0, description="Logins per second that it may begin for good")
    tokens_burst: int = Field(default=2000, gt=0, description="Token requests that one service may send at once, per process of identity")
    tokens_per_second: float = Field(default=100, gt=0, description="Token requests per second that it may send for good")

    def issuer_of(self, provider: str) -> str:
        """The issuer of a provider of `domain.providers`."""
        return str(getattr(self, f"{provider}_issuer")).rstrip("/")

    def client_id_at(self, provider: str) -> str:
        """Identity's client id at a provider."""
        return str(getattr(self, f"{provider}_client_id"))

    @field_validator("idporten_issuer", "ansattporten_issuer")
    @classmethod
    def _an_issuer(cls, setting: str) -> str:
        return addresses.base(setting)

    @model_validator(mode="after")
    def _real_providers_in_production(self) -> Self:
        for provider, real in REAL_ISSUERS.items():
            if not self.is_demo and self.issuer_of(provider) != real:
                raise UnsafeSettingsError(f"{provider.upper()}_ISSUER must be {real} in production")
        return self
