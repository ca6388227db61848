"""Typed codes: wrong ones close a locator or a login for a while, never for good."""

import asyncio
import secrets
from datetime import timedelta

import pytest
from helpjourney.domain.claims import Standing, TooManyCodesError
from helpjourney.handlers.presenting import LookAgain, PresentCode, look_again, present_code
from helpjourney_givens import Given, a_typed_offer, offered
from servicekit.claim_secret import MalformedSecretError, TypedCode
from servicekit.delivery.outbox import Begin

from deploy.testing import Database


def a_wrong_code(given: Given) -> TypedCode:
    """Another code with the same locator."""
    assert given.code
    return TypedCode(given.code.locator, TypedCode.from_random(secrets.token_bytes(10)).secret)


async def present(begin: Begin, code: TypedCode, login: str | None = None) -> Standing:
    token = secrets.token_bytes(32)
    async with begin() as uow:
        await present_code(PresentCode(token, code, login), uow)
    async with begin() as uow:
        return await look_again(LookAgain(token), uow)


async def test_five_wrong_codes_close_a_locator_for_fifteen_minutes(database: Database) -> None:
    given = a_typed_offer()
    assert given.code
    await offered(database, given)
    for _ in range(5):
        assert await present(database.begin, a_wrong_code(given)) is Standing.FETCHING
    with pytest.raises(TooManyCodesError):
        await present(database.begin, given.code)
    assert await present(database.begin_at(timedelta(minutes=15, seconds=1)), given.code) is Standing.READY


async def test_parallel_wrong_codes_get_no_more_than_five_tries(database: Database) -> None:
    """INVARIANT: the limit holds under a race."""
    given = a_typed_offer()
    await offered(database, given)
    outcomes = await asyncio.gather(*(present(database.begin, a_wrong_code(given)) for _ in range(12)), return_exceptions=True)
    assert sum(outcome is Standing.FETCHING for outcome in outcomes) == 5
    assert sum(isinstance(outcome, TooManyCodesError) for outcome in outcomes) == 7


async def test_wrong_codes_count_for_the_login_too(database: Database) -> None:
    for _ in range(5):
        given = a_typed_offer()
        await offered(database, given)
        await present(database.begin, a_wrong_code(given), "somebody")
    last = a_typed_offer()
    assert last.code
    await offered(database, last)
    with pytest.raises(TooManyCodesError):
        await present(database.begin, last.code, "somebody")
    assert await present(database.begin, last.code, "somebody else") is Standing.READY


async def test_a_wrong_code_that_waits_for_an_offer_is_tried_on_it_once(database: Database) -> None:
    """INVARIANT: codes that were presented beforehand are no free tries."""
    given = a_typed_offer()
    tokens = [secrets.token_bytes(32) for _ in range(6)]
    for token in tokens:
        async with database.begin() as uow:
            await present_code(PresentCode(token, a_wrong_code(given)), uow)
    await offered(database, given)
    for token in tokens[:5]:
        for _ in range(2):
            async with database.begin() as uow:
                assert await look_again(LookAgain(token), uow) is Standing.FETCHING
    with pytest.raises(TooManyCodesError):
        async with database.begin() as uow:
            await look_again(LookAgain(tokens[5]), uow)


async def test_two_offers_may_share_a_locator(database: Database) -> None:
    first, second = TypedCode.from_random(secrets.token_bytes(10)), TypedCode.from_random(secrets.token_bytes(10))
    for code in (first, TypedCode(first.locator, second.secret)):
        await offered(database, a_typed_offer(code=code))
        assert await present(database.begin, code) is Standing.READY


def test_a_mistyped_code_is_seen_at_once_and_costs_no_try() -> None:
    typed = str(TypedCode.from_random(secrets.token_bytes(10)))
    changed = ("2" if typed[0] != "2" else "3") + typed[1:]
    with pytest.raises(MalformedSecretError):
        TypedCode.read(changed)
