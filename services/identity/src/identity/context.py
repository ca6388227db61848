"""What the doors of identity share: made once in `main`, found on the application."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from identity.clients import Upstream
from identity.domain.clients import Client
from identity.domain.limits import Limits
from identity.store.people import PersonKeys
from identity.tokens import Issuer


@dataclass(frozen=True, slots=True)
class Identity:
    """The clients, the providers, and the keys that find people and sign tokens."""

    issuer: Issuer
    clients: Mapping[str, Client]
    upstreams: Mapping[str, Upstream]
    people: PersonKeys
    limits: Limits
    bucket_seconds: int
    synthetic: bool
    """Whether this installation takes synthetic numbers (a demonstration) or real ones."""


def identity_of(request: Request) -> Identity:
    found: Identity = request.app.state.identity
    return found


Here = Annotated[Identity, Depends(identity_of)]
