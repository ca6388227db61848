"""The offer to go on: what travels, who can read it, and that nothing leads back to the chat."""

import re
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from contracts.codes import TopicCode, Urgency
from dialog.domain.chats import ChatClosedError, ChatNotFoundError
from dialog.domain.handoffs import Device, HandoffNotFoundError, Life, SummaryTooLongError
from dialog.handlers.chats import EndChat, end_chat
from dialog.handlers.handoffs import (
    ClaimSecret,
    GoAndLogIn,
    OfferHandoff,
    ProposeHandoff,
    WithdrawHandoff,
    count_handoffs,
    drop_expired,
    go_and_log_in,
    make_secret,
    offer_handoff,
    propose_handoff,
    shown_secret,
    withdraw_handoff,
)
from dialog.queries.chats import proposal_of
from joserfc.jwk import ECKey, KeySet
from servicekit.claim_secret import MalformedSecretError, TypedCode, lookup_hash, open_summary, seal_summary, write_secret
from servicekit.crypto import CannotOpenError, hkdf, open_sealed
from sqlalchemy import text

SERVICE_KEY = bytes(range(32))
RECEIVER = ECKey.generate_key("P-256", {"kid": "helpjourney-enc", "use": "enc"})
SENTENCE = "Jeg vil snakke med en helsesykepleier."
BUCKET = 3600


def seal(summary: str, secret: bytes) -> str:
    return seal_summary(summary, secret, KeySet([RECEIVER]))


async def offer(database: Any, secret: ClaimSecret, life: Life = Life.MINUTES_30, sentences: tuple[str, ...] = ()) -> Any:
    async with database.begin() as uow:
        return await offer_handoff(OfferHandoff(secret, TopicCode.SCHOOL, Urgency.SOON, life, sentences), uow, seal, BUCKET)


async def propose(centre: Any, chat: Any, helper: Any, summary: str) -> None:
    async with centre.database.begin() as uow:
        await propose_handoff(ProposeHandoff(chat.id, helper, TopicCode.SCHOOL, Urgency.SOON, summary), uow, centre.vault)


async def test_a_proposal_is_kept_sentence_by_sentence_and_the_newest_counts(centre: Any, database: Any) -> None:
    chat, helper = await centre.talk()
    await propose(centre, chat, helper, "Gammelt.")
    await propose(centre, chat, helper, "Sover dårlig. Vil ha time.")
    async with database.engine.connect() as connection:
        proposal = await proposal_of(connection, chat.id, centre.vault)
        raw = await connection.execute(text("select sealed from proposed_sentences"))
        assert all(b"Sover" not in bytes(row.sealed) for row in raw)
    assert proposal is not None
    assert proposal.sentences == ("Sover dårlig.", "Vil ha time.")
    assert await centre.told("handoff.offered") == []


async def test_only_the_helper_of_an_open_chat_proposes(centre: Any, database: Any) -> None:
    chat, helper = await centre.talk()
    with pytest.raises(ChatNotFoundError):
        await propose(centre, chat, uuid4(), "")
    with pytest.raises(SummaryTooLongError):
        await propose(centre, chat, helper, "\n".join(["a"] * 13))
    async with database.begin() as uow:
        await end_chat(EndChat(chat.id, helper), uow)
    with pytest.raises(ChatClosedError):
        await propose(centre, chat, helper, "")


async def test_an_offer_says_need_and_urgency_and_nothing_else_by_default(database: Any, centre: Any) -> None:
    secret = await make_secret(SERVICE_KEY, b"a" * 32, Device.SAME)
    handoff = await offer(database, secret)
    (fact,) = await centre.told("handoff.offered")
    assert (fact.key, fact.sequence) == (handoff.id, 1)
    assert fact.data["need"] == "school"
    assert fact.data["sealed_summary"] is None
    assert fact.data["lookup_hash"] == lookup_hash(secret.secret)
    assert "ce_causationid" not in fact.headers
    assert "traceparent" not in fact.headers
    assert handoff.expires_at.timestamp() % 300 == 0 == handoff.agreed_at.timestamp() % 300 == fact.time.timestamp() % 300


async def test_the_same_form_makes_the_same_secret_and_another_form_another() -> None:
    """INVARIANT: what is shown once is derived, so that a repeat shows the same and nothing readable is kept."""
    for device in Device:
        first, again = [await make_secret(SERVICE_KEY, b"a" * 32, device) for _ in range(2)]
        other = await make_secret(SERVICE_KEY, b"b" * 32, device)
        assert first == again
        assert first.secret != other.secret
        assert shown_secret(SERVICE_KEY, b"a" * 32, device) != shown_secret(SERVICE_KEY, b"b" * 32, device)
    shown = shown_secret(SERVICE_KEY, b"a" * 32, Device.OTHER)
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", shown)
    assert TypedCode.read(shown).stretched(first.salt or b"") == first.secret


async def test_a_summary_is_read_with_the_secret_and_the_receivers_key_and_not_with_one_of_them(database: Any, centre: Any) -> None:
    """INVARIANT: with the receiver's private key in hand an unclaimed summary can't be read."""
    secret = await make_secret(SERVICE_KEY, b"a" * 32, Device.OTHER)
    await offer(database, secret, sentences=(SENTENCE, "Helst snart."))
    (fact,) = await centre.told("handoff.offered")
    sealed = fact.data["sealed_summary"]
    assert open_summary(sealed, secret.secret, RECEIVER) == f"{SENTENCE}\nHelst snart."
    assert SENTENCE.encode() not in open_sealed(sealed, RECEIVER)
    for wrong in (hkdf(b"x" * 32, "x"), bytes.fromhex(fact.data["lookup_hash"])):
        with pytest.raises(CannotOpenError):
            open_summary(sealed, wrong, RECEIVER)
    with pytest.raises(CannotOpenError):
        open_summary(sealed, secret.secret, ECKey.generate_key("P-256"))


async def test_sealed_summaries_have_one_length(database: Any, centre: Any) -> None:
    """INVARIANT: the length of what travels says nothing."""
    for key, sentences in ((b"a" * 32, ("a",)), (b"b" * 32, ("b" * 300,) * 12)):
        await offer(database, await make_secret(SERVICE_KEY, key, Device.SAME), sentences=sentences)
    lengths = {len(fact.data["sealed_summary"]) for fact in await centre.told("handoff.offered")}
    assert len(lengths) == 1


async def test_the_helper_sees_that_she_tries_to_log_in_and_the_chat_stays_open(centre: Any, database: Any) -> None:
    chat, _ = await centre.talk()
    async with database.begin() as uow:
        await go_and_log_in(GoAndLogIn(chat.id), uow)
    assert (await centre.read(chat.id)).logging_in
    assert not (await centre.say(chat, "det gikk ikke")).logging_in


@pytest.mark.parametrize("device", list(Device))
async def test_whoever_has_the_secret_takes_the_offer_back(centre: Any, database: Any, device: Device) -> None:
    secret = await make_secret(SERVICE_KEY, b"a" * 32, device)
    handoff = await offer(database, secret, Life.DAYS_14)
    shown = shown_secret(SERVICE_KEY, b"a" * 32, device)
    typed = shown if device is Device.SAME else shown.lower().replace("-", " ")
    async with database.begin() as uow:
        await withdraw_handoff(WithdrawHandoff(typed), uow, BUCKET)
    (fact,) = await centre.told("handoff.withdrawn")
    assert (fact.key, fact.sequence) == (handoff.id, 2)
    async with database.engine.connect() as connection:
        assert await connection.scalar(text("select count(*) from handoffs")) == 0
    with pytest.raises(HandoffNotFoundError):
        async with database.begin() as uow:
            await withdraw_handoff(WithdrawHandoff(typed), uow, BUCKET)


async def test_a_wrong_secret_takes_nothing_back(database: Any, centre: Any) -> None:
    code = await make_secret(SERVICE_KEY, b"a" * 32, Device.OTHER)
    await offer(database, code)
    same_locator = TypedCode(code.locator or "", "0" * 12)
    other = shown_secret(SERVICE_KEY, b"b" * 32, Device.SAME)
    for shown, error in (("", MalformedSecretError), ("æ" * 43, MalformedSecretError), (str(same_locator), HandoffNotFoundError)):
        with pytest.raises(error):
            async with database.begin() as uow:
                await withdraw_handoff(WithdrawHandoff(shown), uow, BUCKET)
    with pytest.raises(HandoffNotFoundError):
        async with database.begin() as uow:
            await withdraw_handoff(WithdrawHandoff(other), uow, BUCKET)
    assert await centre.told("handoff.withdrawn") == []


async def test_an_expired_offer_is_forgotten_without_a_word(centre: Any, database: Any) -> None:
    secret = await make_secret(SERVICE_KEY, b"a" * 32, Device.SAME)
    await offer(database, secret)
    with pytest.raises(HandoffNotFoundError):
        async with database.begin_at(timedelta(minutes=36))() as uow:
            await withdraw_handoff(WithdrawHandoff(write_secret(secret.secret)), uow, BUCKET)
    await centre.later(drop_expired, minutes=29)
    async with database.engine.connect() as connection:
        assert await connection.scalar(text("select count(*) from handoffs")) == 1
    await centre.later(drop_expired, minutes=36)
    async with database.engine.connect() as connection:
        assert await connection.scalar(text("select count(*) from handoffs")) == 0
    assert [fact.type for fact in await centre.told()] == ["dialog.handoff.offered.v1"]


async def test_handoffs_are_counted_once_a_bucket_also_after_downtime(centre: Any, database: Any) -> None:
    """INVARIANT: each offer is counted in one bucket, under an id that nothing else has."""
    centre.database = database = database.moved(-timedelta(seconds=time.time() % BUCKET))  # in one bucket, also a minute to twelve
    secrets = [await make_secret(SERVICE_KEY, bytes([number]) * 32, Device.SAME) for number in range(3)]
    for secret in secrets:
        await offer(database, secret)
    async with database.begin() as uow:
        await withdraw_handoff(WithdrawHandoff(write_secret(secrets[0].secret)), uow, BUCKET)
    await centre.later(count_handoffs)
    assert await centre.told("handoffs.counted") == []
    for days in (3, 3, 4):
        await centre.later(count_handoffs, days=days)
    counted = await centre.told("handoffs.counted")
    rows = [row for fact in counted for row in fact.data["counts"]]
    assert (sum(row["offered"] for row in rows), sum(row["withdrawn"] for row in rows)) == (3, 1)
    assert {row["need"] for row in rows} == {"school"}
    assert all(str(fact.key) == fact.data["bucket_id"] and fact.data["bucket_seconds"] == BUCKET for fact in counted)
