"""The border page: what would travel, to whom, and her yes or no; then the secret, shown once; and the way to take it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from contracts.codes import TopicCode, Urgency
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from servicekit.claim_secret import MalformedSecretError
from servicekit.delivery.outbox import UnitOfWork
from servicekit.idempotency import KeyReusedError, once
from servicekit.problems import Problem
from servicekit.web.form import new_form
from servicekit.web.sessions import BrowserSession, SessionNow
from servicekit.web.submission import Fields, Submission, Submitted
from servicekit.web.transaction import Transaction
from webkit.i18n import Translation, mark

from dialog.domain.chats import Chat, ChatClosedError, ChatNotFoundError
from dialog.domain.handoffs import (
    LONGEST_SENTENCE,
    MOST_SENTENCES,
    TEXT_VERSION,
    Device,
    HandoffNotFoundError,
    Life,
    SummaryTooLongError,
    checked_summary,
)
from dialog.handlers.handoffs import (
    GoAndLogIn,
    OfferHandoff,
    WithdrawHandoff,
    go_and_log_in,
    make_secret,
    offer_handoff,
    shown_secret,
    withdraw_handoff,
)
from dialog.handlers.presence import note_presence
from dialog.handlers.receipts import browser_hash
from dialog.pages.chat_desk import LIVES, URGENCIES, ChatDesk, Chats, OwnChat, RequiredChat
from dialog.pages.question_desk import Look
from dialog.pages.words import TOPICS, named
from dialog.queries.chats import Proposal, proposal_of
from dialog.store.tries import add_try, count_tries, hold_tries

router = APIRouter(default_response_class=HTMLResponse)

TOO_LONG = mark("Setningen er for lang. Den kan ha %(most)s tegn.")
TOO_MUCH = mark("Det er for mye tekst til sammen. Ta bort eller kort ned noe.")
CHOOSE = mark("Velg ett av svarene.")
CODE_WRONG = mark("Koden ser ikke riktig ut. Den har 16 tegn i grupper på fire.")
WITHDRAWAL = "withdrawal"
MOST_TRIES = 10
"""Codes without an offer that a browser may try: each costs argon2id."""
TRIES_COUNT_FOR = timedelta(hours=1)
KEPT = 60
"""Characters of a mistyped code that stay in the field."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What she said yes to."""

    need: TopicCode
    urgency: Urgency
    device: Device
    life: Life
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a yes would send, in the reader's words."""

    need: str
    urgency: str
    sentences: tuple[str, ...]


@router.get("/videre")
async def show(request: Request, begin: Transaction, desk: Chats, look: Look, session: SessionNow, chat: RequiredChat) -> Response:
    """Exactly what would travel. Nothing is chosen beforehand besides need and urgency."""
    async with begin() as uow:
        proposal = await _proposal(uow, desk, chat)
        await note_presence(chat.id, uow)
    values: dict[str, str] = {"need": proposal.need, "urgency": proposal.urgency, "device": Device.SAME, "life": Life.MINUTES_30}
    values |= {f"sentence_{number}": sentence for number, sentence in enumerate(proposal.sentences, 1)}
    return _border(request, look, session, values, {})


@router.post("/videre")
async def decide(request: Request, begin: Transaction, desk: Chats, look: Look, submitted: Submitted, chat: OwnChat) -> Response:
    """Her yes sends; her no changes nothing and leads back to the talk; a preview shows what a yes would send."""
    answer = submitted.fields.get("answer")
    if answer not in ("yes", "preview"):
        return RedirectResponse("/chat/samtale#ikke-sendt", 303)
    say = look.translation(request)
    errors = wrong_choices(submitted, say)
    sentences: tuple[str, ...] = ()
    try:
        sentences = checked_summary(chosen_sentences(submitted))
    except SummaryTooLongError:
        errors = {**errors, **too_long_sentences(submitted, say)}
    if errors:
        return _border(request, look, submitted.session, dict(submitted.fields), errors, ticked(submitted), 422)
    if answer == "preview":
        preview = Preview(say(TOPICS[submitted.fields["need"]]), say(URGENCIES[submitted.fields["urgency"]]), sentences)
        return _border(request, look, submitted.session, dict(submitted.fields), {}, ticked(submitted), preview=preview)
    device, life = Device(submitted.fields["device"]), Life(submitted.fields["life"])
    if device is Device.SAME:
        life = Life.MINUTES_30
    choice = Choice(TopicCode(submitted.fields["need"]), Urgency(submitted.fields["urgency"]), device, life, sentences)
    expires_at = await _offer(begin, desk, submitted, choice, chat)
    return _carry(request, look, desk, submitted, device, expires_at)


@router.get("/videre/trekk")
async def show_withdrawal(request: Request, look: Look, session: SessionNow) -> HTMLResponse:
    return look.render(request, "handoffs/withdraw.html", values={"secret": ""}, errors={}, form=new_form(session))


@router.post("/videre/trekk")
async def withdraw(request: Request, begin: Transaction, desk: Chats, look: Look, submitted: Submitted) -> HTMLResponse:
    """Whoever has the secret takes the offer back; whether one was there is not told to those who only guess."""
    shown = submitted.fields.get("secret", "")
    browser = browser_hash(desk.service_key, submitted.session.id_hash)
    try:
        async with begin() as uow:
            await hold_tries(uow.connection, browser, WITHDRAWAL)
            if await count_tries(uow.connection, WITHDRAWAL, await uow.now() - TRIES_COUNT_FOR, browser) >= MOST_TRIES:
                raise Problem(429)

            async def act() -> dict[str, str]:
                await withdraw_handoff(WithdrawHandoff(shown), uow, desk.border_bucket_seconds)
                return {}

            await once(uow, submitted.key, submitted.fingerprint(), act)
    except (MalformedSecretError, KeyReusedError):
        values = {"secret": shown[:KEPT]}
        errors = {"secret": look.translation(request)(CODE_WRONG)}
        return look.render(request, "handoffs/withdraw.html", 422, values=values, errors=errors, form=new_form(submitted.session))
    except HandoffNotFoundError:
        # never made, expired, or taken back before: nothing of hers lies there, which is what she asked for
        async with begin() as uow:
            await add_try(uow.connection, browser, WITHDRAWAL, await uow.now())
    return look.render(request, "handoffs/withdrawn.html")


def chosen_sentences(fields: Fields) -> list[str]:
    """The sentences that she ticked, as she edited them, and what she added."""
    return [*(fields.fields.get(f"sentence_{number}", "") for number in ticked(fields)), *fields.fields.get("own", "").splitlines()]


def ticked(fields: Fields) -> list[int]:
    """The numbers of the sentences that she wants to send."""
    return [number for number in range(1, MOST_SENTENCES + 1) if fields.flag(f"include_{number}")]


def wrong_choices(fields: Fields, say: Translation) -> dict[str, str]:
    offered: dict[str, Any] = {"need": TOPICS, "urgency": URGENCIES, "device": tuple(Device), "life": LIVES}
    return {name: say(CHOOSE) for name, options in offered.items() if fields.fields.get(name) not in options}


def too_long_sentences(fields: Fields, say: Translation) -> dict[str, str]:
    """By field; the whole where no single one is to blame."""
    names = [*(f"sentence_{number}" for number in ticked(fields)), "own"]
    long = {
        name: say(TOO_LONG, most=LONGEST_SENTENCE)
        for name in names
        if any(len(line) > LONGEST_SENTENCE for line in fields.fields.get(name, "").splitlines())
    }
    return long or {"own": say(TOO_MUCH)}


async def _offer(begin: Transaction, desk: ChatDesk, submitted: Submission, choice: Choice, chat: Chat | None) -> datetime:
    """The offer in one transaction, the chat in another: what is written together can be joined. A repeat finds the first outcome."""
    try:
        async with begin() as uow:

            async def act() -> dict[str, str]:
                await _proposal(uow, desk, chat)
                secret = await make_secret(desk.service_key, submitted.key, choice.device)
                command = OfferHandoff(secret, choice.need, choice.urgency, choice.life, choice.sentences)
                handoff = await offer_handoff(command, uow, desk.seal, desk.border_bucket_seconds)
                return {"expires_at": handoff.expires_at.isoformat()}

            outcome = await once(uow, submitted.key, submitted.fingerprint(), act)
    except KeyReusedError as error:
        raise Problem(409) from error
    if chat is not None:
        await _show_helper(begin, chat)
    return datetime.fromisoformat(outcome["expires_at"])


async def _show_helper(begin: Transaction, chat: Chat) -> None:
    try:
        async with begin() as uow:
            await go_and_log_in(GoAndLogIn(chat.id), uow)
    except (ChatNotFoundError, ChatClosedError):
        pass  # ended in the same moment: there is nobody to show it to


async def _proposal(uow: UnitOfWork, desk: ChatDesk, chat: Chat | None) -> Proposal:
    """The helper's offer to go on; without one there is nothing to say yes to. Only reads: a lock would leave a trace."""
    proposal = await proposal_of(uow.connection, chat.id, desk.vault) if chat is not None else None
    if proposal is None:
        raise Problem(404, "gone")
    return proposal


def _border(
    request: Request,
    look: Look,
    session: BrowserSession,
    values: dict[str, str],
    errors: dict[str, str],
    included: Sequence[int] = (),
    status: int = 200,
    preview: Preview | None = None,
) -> HTMLResponse:
    say = look.translation(request)
    return look.render(
        request,
        "handoffs/onwards.html",
        status,
        preview=preview,
        values={"own": "", **values},
        numbers=[number for number in range(1, MOST_SENTENCES + 1) if f"sentence_{number}" in values],
        included=included,
        errors=errors,
        needs=named(TOPICS, say),
        urgencies=named(URGENCIES, say),
        lives=named(LIVES, say),
        text_version=TEXT_VERSION,
        form=new_form(session),
    )


def _carry(request: Request, look: Look, desk: ChatDesk, submitted: Submission, device: Device, expires_at: datetime) -> HTMLResponse:
    """The secret, on this page only: in the body of a form to the other host, or as a code to type on another device."""
    return look.render(
        request,
        "handoffs/carry.html",
        form_action=[desk.helpjourney_url] if device is Device.SAME else [],
        shown=shown_secret(desk.service_key, submitted.key, device),
        same_device=device is Device.SAME,
        expires_at=expires_at,
        claim_url=f"{desk.helpjourney_url}/inn",
        claim_place=f"{desk.helpjourney_url}/inn".split("://", 1)[-1],
        form=new_form(submitted.session),
    )
