"""What the tests begin with: offers, secrets, units and the people who act, all synthetic and new for each test."""

import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

from contracts.codes import Channel, ServiceKind, TopicCode, Urgency
from contracts.dialog import HandoffOffered, HandoffWithdrawn
from contracts.info import HelpService, ServiceListed
from helpjourney.consumers import HANDLERS
from helpjourney.domain.ages import day_in_oslo
from helpjourney.domain.journeys import Keeping
from helpjourney.handlers.binding import Opener
from helpjourney.handlers.presenting import PresentCode, PresentSecret, present_code, present_secret
from joserfc.jwk import ECKey, KeySet
from servicekit.claim_secret import TypedCode, lookup_hash, seal_summary
from servicekit.crypto import Vault
from servicekit.delivery.inbox import apply
from servicekit.delivery.outbox import Begin
from servicekit.web.browser_session import Login
from sqlalchemy import text

from deploy.testing import Database, record_of

OWN_KEY = ECKey.generate_key("P-256", {"use": "enc", "kid": "test"}, private=True)
OPENER = Opener((OWN_KEY,), Vault(secrets.token_bytes(32)))
KEEPING = Keeping(
    empty=timedelta(days=30), journey=timedelta(days=365), summary=timedelta(days=90), note=timedelta(days=90), note_after=timedelta(days=7)
)
BUCKET = 3600
SUMMARY = "Jeg sover ikke, og jeg orker ikke skolen. Kanarifugl-7391."


def public_key() -> KeySet:
    """What dialog encrypts to."""
    return KeySet.import_key_set({"keys": [OWN_KEY.as_dict(private=False)]})


@dataclass(frozen=True, slots=True)
class Given:
    """An offer as dialog makes it, and the secret that only the youth has."""

    event: HandoffOffered
    secret: bytes
    code: TypedCode | None = None

    @property
    def key(self) -> UUID:
        return self.event.handoff_id


def an_offer(*, summary: str | None = SUMMARY, life: timedelta = timedelta(minutes=30), need: str = TopicCode.MENTAL_HEALTH) -> Given:
    """An offer that is carried on the same device."""
    secret = secrets.token_bytes(32)
    return Given(_event(secret, summary, life, need), secret)


def a_typed_offer(*, code: TypedCode | None = None, summary: str | None = SUMMARY, life: timedelta = timedelta(minutes=30)) -> Given:
    """An offer with a code to type on another device."""
    typed = code or TypedCode.from_random(secrets.token_bytes(10))
    salt = secrets.token_bytes(16)
    secret = typed.stretched(salt)
    return Given(_event(secret, summary, life, TopicCode.SCHOOL, typed.locator, salt.hex()), secret, typed)


def _event(
    secret: bytes, summary: str | None, life: timedelta, need: str, locator: str | None = None, salt: str | None = None
) -> HandoffOffered:
    return HandoffOffered(
        handoff_id=uuid4(),
        need=need,
        urgency=Urgency.SOON,
        expires_at=datetime.now(UTC) + life,
        lookup_hash=lookup_hash(secret),
        locator=locator,
        salt=salt,
        sealed_summary=None if summary is None else seal_summary(summary, secret, public_key()),
    )


def born(age: int) -> date:
    """A birth date that makes somebody this old for the whole year around now."""
    return date(day_in_oslo(datetime.now(UTC)).year - age, 1, 1)


def a_unit(service_id: UUID | None = None, **changes: object) -> ServiceListed:
    """A youth clinic that takes appointments."""
    entry = {
        "service_id": service_id or uuid4(),
        "name": "Helsestasjon for ungdom Prøvebyen",
        "kind": ServiceKind.YOUTH_CLINIC,
        "owner_name": "Prøvebyen kommune",
        "owner_number": "300000999",
        "channels": (Channel.APPOINTMENT, Channel.DROP_IN),
        "municipality": "0301",
        "phone": "00 00 00 99",
        "age_from": 13,
        "age_to": 20,
    }
    return ServiceListed(service=HelpService.model_validate(entry | changes))


async def offered(database: Database, given: Given, *later: HandoffWithdrawn) -> None:
    """The offer has come through Kafka."""
    records = [record_of(event, key=given.key, sequence=n) for n, event in enumerate((given.event, *later), 1)]
    await apply(database.begin, "helpjourney", records, HANDLERS)


def youth_login(age: int, *, auth_time: datetime | None = None, subject: UUID | None = None) -> Login:
    """A youth as identity vouches for her, logged in just now."""
    return Login(
        subject=subject or uuid4(),
        sid=uuid4(),
        level="idporten-loa-substantial",
        auth_time=auth_time or datetime.now(UTC),
        birthdate=born(age),
    )


def clinician_login(unit: UUID, *, hpr_number: str | None = "1234567", roles: frozenset[str] = frozenset({"clinician"})) -> Login:
    """A clinician at a unit."""
    return Login(
        subject=uuid4(),
        sid=uuid4(),
        level="idporten-loa-high",
        auth_time=datetime.now(UTC),
        organisation="300000999",
        organisation_name="Prøvebyen kommune",
        roles=roles,
        hpr_number=hpr_number,
        unit=unit,
    )


async def count(database: Database, table: str) -> int:
    """Rows of a table."""
    async with database.engine.connect() as connection:
        return await connection.scalar(text(f"select count(*) from {table}")) or 0


async def presented(begin: Begin, given: Given) -> bytes:
    """A browser holds the offer's secret; its holder key."""
    token = secrets.token_bytes(32)
    async with begin() as uow:
        if given.code:
            await present_code(PresentCode(token, given.code), uow)
        else:
            await present_secret(PresentSecret(token, given.secret), uow)
    return token


async def listed(database: Database, *units: ServiceListed) -> None:
    """The register has told of these units."""
    for unit in units:
        record = record_of(unit, key=unit.service.service_id, sequence=1)
        await apply(database.begin, "helpjourney", [record], HANDLERS)
