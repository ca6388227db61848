"""The upstream providers, each with its own rules, and what a login there must show before anyone is let in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from contracts.codes import LoginOutcome

from identity.domain.ages import YOUNGEST, age_on, day_in_oslo
from identity.domain.clients import RANKS, LoginRequest, Scope
from identity.domain.numbers import InvalidNumberError, NationalNumber, read_number

FRESH_LEEWAY = 5
"""Seconds that the provider's clock may be behind ours when a fresh login is asked for."""


@dataclass(frozen=True, slots=True)
class ProviderPolicy:
    """The rules of one provider. Data, so that a third one (HelseID) is a row and not a new flow."""

    name: str
    title: str
    """What people call it."""
    scope: Scope
    levels: tuple[str, ...]
    """acr values that may be asked for, by rank."""
    gives_number: bool
    """Whether the national identity number comes with the login."""
    gives_organisation: bool
    source: str
    valid_from: date


IDPORTEN = ProviderPolicy(
    "idporten", "ID-porten", Scope.YOUTH, ("idporten-loa-substantial", "idporten-loa-high"), True, False,
    "docs.digdir.no, ID-porten, protocol: authorize, id_token, PAR", date(2026, 1, 1),
)  # fmt: skip
ANSATTPORTEN = ProviderPolicy(
    "ansattporten", "Ansattporten", Scope.STAFF, ("idporten-loa-substantial", "idporten-loa-high"), False, True,
    "docs.digdir.no, Ansattporten, guide for relying parties", date(2026, 1, 1),
)  # fmt: skip
POLICIES: Mapping[str, ProviderPolicy] = {policy.name: policy for policy in (IDPORTEN, ANSATTPORTEN)}


def provider_for(scope: Scope) -> ProviderPolicy:
    """Where a login on this behalf takes place."""
    return next(policy for policy in POLICIES.values() if policy.scope is scope)


class Refusal(StrEnum):
    """Why nobody was let in; each has a page with a next human option."""

    ABORTED = "aborted"
    LEVEL_TOO_LOW = "level_too_low"
    NO_NATIONAL_ID = "no_national_id"
    NUMBER_NOT_ALLOWED = "number_not_allowed"
    TOO_YOUNG = "too_young"
    NOT_FRESH = "not_fresh"
    NO_ORGANISATION = "no_organisation"
    FAILED = "failed"
    AWAY = "away"


OUTCOMES: Mapping[Refusal, LoginOutcome] = {
    Refusal.ABORTED: LoginOutcome.ABORTED,
    Refusal.LEVEL_TOO_LOW: LoginOutcome.LEVEL_TOO_LOW,
    Refusal.NO_NATIONAL_ID: LoginOutcome.NO_NATIONAL_ID,
    Refusal.NUMBER_NOT_ALLOWED: LoginOutcome.REFUSED,
    Refusal.TOO_YOUNG: LoginOutcome.REFUSED,
    Refusal.NOT_FRESH: LoginOutcome.REFUSED,
    Refusal.NO_ORGANISATION: LoginOutcome.REFUSED,
}
"""What the counts of logins call it; anything else failed."""
CLIENT_ERRORS: Mapping[Refusal, str] = {
    Refusal.ABORTED: "access_denied",
    Refusal.LEVEL_TOO_LOW: "unmet_authentication_requirements",
    Refusal.NOT_FRESH: "unmet_authentication_requirements",
    Refusal.FAILED: "server_error",
    Refusal.AWAY: "temporarily_unavailable",
}
"""What the client is told (RFC 6749, OpenID Connect); anything else is `login_refused`."""


@dataclass(frozen=True, slots=True)
class Staff:
    """On whose behalf someone at work logs in."""

    organisation: str
    organisation_name: str
    roles: tuple[str, ...]
    hpr_number: str | None
    unit: UUID | None


@dataclass(frozen=True, slots=True)
class Proof:
    """What a provider vouches for, after its signature and addresses were checked."""

    subject: str
    level: str
    auth_time: datetime
    session: str | None
    """The provider's name for its own session, for back-channel logout."""
    number: str | None
    staff: Staff | None

    def __repr__(self) -> str:
        return "Proof(...)"


@dataclass(frozen=True, slots=True)
class Accepted:
    """Someone who may come in."""

    proof: Proof
    number: NationalNumber | None


def judge(proof: Proof, request: LoginRequest, asked_at: datetime, *, synthetic: bool) -> Accepted | Refusal:
    """Whether a proof is what was asked for. `synthetic`: which numbers this installation takes, those or real ones, never both."""
    policy = provider_for(request.scope)
    if RANKS.get(proof.level, -1) < RANKS[request.level]:
        return Refusal.LEVEL_TOO_LOW
    if request.fresh and (asked_at - proof.auth_time).total_seconds() > FRESH_LEEWAY:
        return Refusal.NOT_FRESH
    if policy.gives_organisation:
        return Accepted(proof, None) if proof.staff else Refusal.NO_ORGANISATION
    return _judge_number(proof, day_in_oslo(asked_at), synthetic=synthetic)


def _judge_number(proof: Proof, today: date, *, synthetic: bool) -> Accepted | Refusal:
    if proof.number is None:
        return Refusal.NO_NATIONAL_ID
    try:
        number = read_number(proof.number, today)
    except InvalidNumberError:
        return Refusal.NUMBER_NOT_ALLOWED
    if number.synthetic is not synthetic:
        return Refusal.NUMBER_NOT_ALLOWED
    if number.born is not None and age_on(number.born, today) < YOUNGEST:
        return Refusal.TOO_YOUNG
    return Accepted(proof, number)
