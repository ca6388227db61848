"""The border: who gets an offer, when, and what is left behind. Real PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from contracts.dialog import HandoffWithdrawn
from helpjourney.consumers import HANDLERS
from helpjourney.domain.ages import NotForThisAgeError, Reception, day_in_oslo
from helpjourney.domain.claims import AlreadyClaimedError, LoginTooOldError, NotArrivedError, NotHeldError, OfferGoneError, Standing
from helpjourney.handlers.binding import BindOffer, bind_offer
from helpjourney.handlers.presenting import LookAgain, look_again
from helpjourney.store.claims import holders, offers, spent_secrets
from helpjourney.store.journeys import journeys
from helpjourney.store.units import age_rules
from helpjourney_givens import BUCKET, KEEPING, OPENER, SUMMARY, Given, a_typed_offer, an_offer, born, count, offered, presented
from servicekit.delivery.inbox import apply
from servicekit.delivery.outbox import Begin
from servicekit.delivery.record import Record
from sqlalchemy import func, select

from deploy.testing import Database, record_of


def withdrawal(given: Given) -> Record:
    return record_of(HandoffWithdrawn(handoff_id=given.key), key=given.key, sequence=2)


async def standing(begin: Begin, token: bytes) -> Standing:
    async with begin() as uow:
        return await look_again(LookAgain(token), uow)


async def bind(begin: Begin, token: bytes, *, auth_time: datetime | None = None, age: int = 15, subject: UUID | None = None) -> UUID:
    async with begin() as uow:
        command = BindOffer(token, subject or uuid4(), auth_time or await uow.now(), born(age), BUCKET, KEEPING)
        return await bind_offer(command, OPENER, uow)


async def test_the_yes_moves_need_urgency_and_summary_into_a_journey(database: Database) -> None:
    given = an_offer()
    await offered(database, given)
    token = await presented(database.begin, given)
    assert await standing(database.begin, token) is Standing.READY
    journey_id = await bind(database.begin, token)
    async with database.engine.connect() as connection:
        row = (await connection.execute(select(journeys).where(journeys.c.id == journey_id))).one()
    assert (row.need, row.urgency, row.entry, row.age_band) == ("mental_health", "soon", "handoff", "13_15")
    assert OPENER.vault.decrypt(row.wrapped_key, row.sealed_summary, journey_id.bytes) == SUMMARY


async def test_only_the_hash_of_a_spent_secret_is_left_at_the_border(database: Database) -> None:
    """INVARIANT: no row links an anonymous offer with a journey."""
    given = an_offer()
    await offered(database, given)
    await bind(database.begin, await presented(database.begin, given))
    assert await count(database, "offers") == 0
    assert await count(database, "holders") == 0
    assert {column.name for column in spent_secrets.c} == {"lookup_hash", "settled"}
    async with database.engine.connect() as connection:
        assert await connection.scalar(select(spent_secrets.c.lookup_hash)) == given.event.lookup_hash


async def test_of_fifty_parallel_claims_exactly_one_wins(database: Database) -> None:
    """INVARIANT: an offer becomes one journey."""
    given = an_offer()
    await offered(database, given)
    tokens = [await presented(database.begin, given) for _ in range(50)]
    outcomes = await asyncio.gather(*(bind(database.begin, token) for token in tokens), return_exceptions=True)
    assert sum(isinstance(outcome, UUID) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, AlreadyClaimedError) for outcome in outcomes) == 49
    assert await count(database, "journeys") == 1


async def test_a_secret_presented_before_its_offer_arrives_is_bound_later(database: Database) -> None:
    """INVARIANT: Kafka behind or dialog down loses no claim."""
    for given in (an_offer(), a_typed_offer()):
        token = await presented(database.begin, given)
        assert await standing(database.begin, token) is Standing.FETCHING
        with pytest.raises(NotArrivedError):
            await bind(database.begin, token)
        await offered(database, given)
        assert await standing(database.begin, token) is Standing.READY
        await bind(database.begin, token)


async def test_an_unknown_secret_looks_like_one_that_is_on_its_way(database: Database) -> None:
    token = await presented(database.begin, an_offer())
    assert await standing(database.begin, token) is Standing.FETCHING
    assert await standing(database.begin_at(timedelta(seconds=61)), token) is Standing.NOT_FOUND


async def test_a_login_from_before_the_presenting_opens_nothing(database: Database) -> None:
    """INVARIANT: a parent's or sibling's live session doesn't open the daughter's offer."""
    given = an_offer()
    await offered(database, given)
    token = await presented(database.begin, given)
    with pytest.raises(LoginTooOldError):
        await bind(database.begin, token, auth_time=datetime.now(UTC) - timedelta(minutes=5))
    assert await standing(database.begin, token) is Standing.READY
    assert await count(database, "journeys") == 0


async def test_a_withdrawal_that_came_first_wins_and_one_that_came_later_changes_nothing(database: Database) -> None:
    given = an_offer()
    await offered(database, given)
    token = await presented(database.begin, given)
    await apply(database.begin, "helpjourney", [withdrawal(given)], HANDLERS)
    assert await standing(database.begin, token) is Standing.WITHDRAWN
    with pytest.raises(OfferGoneError):
        await bind(database.begin, token)
    other = an_offer()
    await offered(database, other)
    await bind(database.begin, await presented(database.begin, other))
    await apply(database.begin, "helpjourney", [withdrawal(other)], HANDLERS)
    assert await count(database, "journeys") == 1


async def test_an_offer_that_was_withdrawn_before_it_arrived_stays_withdrawn(database: Database) -> None:
    given = an_offer()
    async with database.begin() as uow:
        await HANDLERS[HandoffWithdrawn](HandoffWithdrawn(handoff_id=given.key), uow)
        await HANDLERS[type(given.event)](given.event, uow)
    assert await count(database, "offers") == 0


async def test_a_withdrawn_offer_keeps_nothing_that_travelled(database: Database) -> None:
    given = an_offer()
    await offered(database, given, HandoffWithdrawn(handoff_id=given.key))
    async with database.engine.connect() as connection:
        assert await connection.scalar(select(func.count()).where(offers.c.sealed_summary.is_not(None))) == 0


async def test_a_spent_offer_that_comes_again_stays_spent(database: Database) -> None:
    """INVARIANT: a redelivery or a restored topic gives nobody a second claim."""
    given = an_offer()
    await offered(database, given)
    await bind(database.begin, await presented(database.begin, given))
    async with database.begin() as uow:
        await HANDLERS[type(given.event)](given.event, uow)
    late = await presented(database.begin, given)
    assert await standing(database.begin, late) is Standing.CLAIMED
    with pytest.raises(AlreadyClaimedError):
        await bind(database.begin, late)


async def test_presented_in_time_may_be_bound_after_expiry_and_presented_late_may_not(database: Database) -> None:
    """Expiry counts by the database's clock at the presenting."""
    given = an_offer(life=timedelta(minutes=30))
    await offered(database, given)
    in_time = await presented(database.begin, given)
    later = database.begin_at(timedelta(minutes=31))
    late = await presented(later, given)
    assert await standing(later, late) is Standing.EXPIRED
    with pytest.raises(OfferGoneError):
        await bind(later, late)
    assert await bind(later, in_time)


async def test_a_holder_is_forgotten_after_two_hours(database: Database) -> None:
    given = an_offer(life=timedelta(days=14))
    await offered(database, given)
    token = await presented(database.begin, given)
    with pytest.raises(NotHeldError):
        await bind(database.begin_at(timedelta(minutes=120, seconds=1)), token)
    assert await standing(database.begin_at(timedelta(minutes=121)), token) is Standing.NOTHING


@pytest.mark.parametrize(("age", "reception"), [(12, Reception.WITH_GUARDIANS), (21, Reception.HAND_OVER)])
async def test_who_is_too_young_or_too_old_leaves_the_offer_as_it_was(database: Database, age: int, reception: Reception) -> None:
    given = an_offer()
    await offered(database, given)
    token = await presented(database.begin, given)
    with pytest.raises(NotForThisAgeError) as refused:
        await bind(database.begin, token, age=age)
    assert refused.value.reception is reception
    assert await standing(database.begin, token) is Standing.READY


async def test_a_new_rule_of_age_is_a_row(database: Database) -> None:
    """The bounds are dated data: from its day on a new rule decides."""
    given = an_offer(life=timedelta(days=1))
    await offered(database, given)
    async with database.begin() as uow:
        today = day_in_oslo(await uow.now())
        ended = age_rules.update().where(age_rules.c.valid_to.is_(None)).values(valid_to=today - timedelta(days=1))
        await uow.connection.execute(ended)
        rule = {"id": uuid4(), "age_from": 0, "age_to": 15, "reception": "with_guardians", "level": "idporten-loa-substantial"}
        await uow.connection.execute(age_rules.insert().values(rule | {"valid_from": today, "owner": "test", "source": "test"}))
    with pytest.raises(NotForThisAgeError):
        await bind(database.begin, await presented(database.begin, given))


async def test_a_summary_that_cannot_be_opened_does_not_stop_her(database: Database) -> None:
    given = an_offer()
    broken = Given(given.event.model_copy(update={"sealed_summary": "x.y.z"}), given.secret)
    await offered(database, broken)
    journey_id = await bind(database.begin, await presented(database.begin, broken))
    async with database.engine.connect() as connection:
        row = (await connection.execute(select(journeys).where(journeys.c.id == journey_id))).one()
    assert row.summary_was_unreadable
    assert row.sealed_summary is None
    assert row.need == "mental_health"


async def test_a_holder_row_never_holds_the_secret(database: Database) -> None:
    """INVARIANT: the table alone doesn't open what a browser holds."""
    for given in (an_offer(), a_typed_offer()):
        await offered(database, given)
        await presented(database.begin, given)
        plain = [given.secret, *([given.code.secret.encode()] if given.code else [])]
        async with database.engine.connect() as connection:
            for row in await connection.execute(select(holders)):
                assert not any(secret in row.sealed_secret for secret in plain)
