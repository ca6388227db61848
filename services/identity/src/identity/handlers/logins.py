"""Someone comes back from a provider: let in with a code for the service, or not let in; both are counted for youths."""

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from contracts.codes import AgeBand, LoginOutcome
from servicekit.crypto import b64
from servicekit.delivery.outbox import UnitOfWork

from identity.domain.ages import band_of
from identity.domain.clients import LoginRequest, Scope
from identity.domain.providers import OUTCOMES, Accepted, Refusal, provider_for
from identity.handlers.endings import end_login
from identity.store import logins, people, tallies
from identity.store.logins import LOGIN_LIFE, Claims, CodeTerms
from identity.store.people import PersonKeys


@dataclass(frozen=True, slots=True)
class LetIn:
    """Someone whose proof holds is let in to the service that asked."""

    request: LoginRequest
    accepted: Accepted
    browser: UUID
    """Random, kept in identity's own session: which logins share a browser."""
    bucket_seconds: int


@dataclass(frozen=True, slots=True)
class Welcome:
    """What the door needs to go on."""

    login_id: UUID
    person_id: UUID
    code: str
    """256 random bits for the service, good once and for 60 s."""


async def let_in(command: LetIn, uow: UnitOfWork, keys: PersonKeys) -> Welcome:
    """Person, pairwise subject, login and code in one transaction. An older login at the same service in this browser ends."""
    request, proof, now = command.request, command.accepted.proof, await uow.now()
    provider, reader = provider_for(request.scope).name, request.client.name
    person_id = await _person(command.accepted, provider, uow, keys)
    for older in await logins.live_logins(uow.connection, now, browser=command.browser, reader=reader):
        await end_login(uow, older)
    login_id, code = uuid4(), b64(secrets.token_bytes(32))
    row = {
        "id": login_id,
        "person_id": person_id,
        "provider": provider,
        "upstream": logins.upstream_name(provider, proof.session) if proof.session else None,
        "reader": reader,
        "sid": uuid4(),
        "subject": await people.subject_of(uow.connection, person_id, reader),
        "scope": request.scope.value,
        "level": proof.level,
        "auth_time": proof.auth_time,
        "claims": logins.seal_claims(keys.vault.wrapping_key, login_id, _claims(command.accepted)),
        "browser": command.browser,
        "created_at": now,
        "expires_at": now + LOGIN_LIFE,
    }
    await logins.add_login(uow.connection, row)
    terms = CodeTerms(request.client.redirect_uri, request.challenge, request.nonce)
    await logins.add_code(uow.connection, code, login_id, terms, now)
    band = band_of(_born(command.accepted), now)
    await _count(uow, request.scope, LoginOutcome.COMPLETED, proof.level, band, command.bucket_seconds)
    return Welcome(login_id, person_id, code)


@dataclass(frozen=True, slots=True)
class TurnAway:
    """A login ended without anyone being let in."""

    request: LoginRequest
    reason: Refusal
    bucket_seconds: int


async def turn_away(command: TurnAway, uow: UnitOfWork) -> None:
    """Counted by reason; nothing about a person is kept."""
    outcome = OUTCOMES.get(command.reason, LoginOutcome.FAILED)
    await _count(uow, command.request.scope, outcome, command.request.level.value, AgeBand.UNKNOWN, command.bucket_seconds)


async def _person(accepted: Accepted, provider: str, uow: UnitOfWork, keys: PersonKeys) -> UUID:
    kind, name = ("number", accepted.number.digits) if accepted.number else (provider, accepted.proof.subject)
    return await people.find_or_add(uow.connection, keys, kind, name, await uow.now())


def _born(accepted: Accepted) -> date | None:
    return accepted.number.born if accepted.number else None


def _claims(accepted: Accepted) -> Claims:
    claims, staff = Claims(birthdate=_born(accepted)), accepted.proof.staff
    if staff is None:
        return claims
    return replace(
        claims,
        organisation=staff.organisation,
        organisation_name=staff.organisation_name,
        roles=staff.roles,
        hpr_number=staff.hpr_number,
        unit=staff.unit,
    )


async def _count(uow: UnitOfWork, scope: Scope, outcome: LoginOutcome, level: str, band: AgeBand, seconds: int) -> None:
    if scope is Scope.YOUTH:
        await tallies.count(uow.connection, bucket_start(await uow.now(), seconds), outcome.value, level, band.value)


def bucket_start(moment: datetime, seconds: int) -> datetime:
    """The beginning of the bucket that an instant lies in."""
    return datetime.fromtimestamp(moment.timestamp() // seconds * seconds, UTC)
