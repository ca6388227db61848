"""Composition root of identity: the only file that knows every room."""

from pathlib import Path

from contracts.identity import READERS
from servicekit.crypto import Vault
from servicekit.keys import Keys
from servicekit.service import Service
from webkit import Pages

from identity import timers
from identity.api import back_channel, provider
from identity.clients import Upstream
from identity.context import Identity
from identity.domain.clients import registered
from identity.domain.limits import Allowance, Limits
from identity.domain.providers import POLICIES
from identity.pages import front, login, logout, mine
from identity.settings import Settings
from identity.store.people import PersonKeys
from identity.tokens import Issuer

HERE = Path(__file__).parent


def create_service(settings: Settings) -> Service:
    """Everything that an identity process is made of. Raises MissingKeyError."""
    keys, own_url = Keys(settings.keys_dir), settings.public_url("identity")
    upstreams = {
        name: Upstream(policy, settings.issuer_of(name), settings.client_id_at(name), own_url, keys) for name, policy in POLICIES.items()
    }
    identity = Identity(
        issuer=Issuer(own_url, keys),
        clients=registered({reader: settings.public_url(reader) for reader in READERS}),
        upstreams=upstreams,
        people=PersonKeys(keys.service, Vault(keys.vault)),
        limits=Limits(
            logins=Allowance(settings.logins_burst, settings.logins_per_second),
            tokens=Allowance(settings.tokens_burst, settings.tokens_per_second),
        ),
        bucket_seconds=settings.border_bucket_seconds,
        synthetic=settings.is_demo,
    )
    return Service(
        name="identity",
        settings=settings,
        routers=[front.router, login.router, logout.router, mine.router, provider.router, back_channel.router],
        keys=("sig.jwk", "service.key", "vault.key"),
        pages=Pages(service="identity", level="known", templates_dir=HERE / "templates", locale_dir=HERE / "locale"),
        timers=timers.timers(settings.border_bucket_seconds),
        state={"identity": identity},
    )
