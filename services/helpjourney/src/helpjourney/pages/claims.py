"""In from the anonymous level: presenting a secret or a code, what became of it, and the yes that binds."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from servicekit.claim_secret import MalformedSecretError, TypedCode, read_secret
from servicekit.delivery.outbox import Begin
from servicekit.idempotency import once
from servicekit.web.sessions import BrowserSession, SessionNow, YouthSession, fresh_session, save
from servicekit.web.submission import Fields, PresentedByOtherSite, Submission, Submitted
from servicekit.web.transaction import Transaction

from helpjourney.domain.ages import NotForThisAgeError
from helpjourney.domain.claims import (
    AlreadyClaimedError,
    LoginTooOldError,
    NotArrivedError,
    NotHeldError,
    OfferGoneError,
    Standing,
    TooManyCodesError,
)
from helpjourney.handlers.binding import BindOffer, bind_offer
from helpjourney.handlers.journeys import EnterDirectly, enter_directly
from helpjourney.handlers.presenting import (
    LetGo,
    LookAgain,
    PresentCode,
    PresentSecret,
    let_go,
    look_again,
    present_code,
    present_secret,
)
from helpjourney.pages.visit import (
    CONFIRMED,
    RENEW_SECONDS,
    Confirmed,
    Youth,
    as_youth,
    confirmation,
    hold,
    holder_of,
    let_go_of,
    new_holder,
    opener_of,
    problems,
    render,
    see_other,
    settings_of,
    vault_of,
)

router = APIRouter(include_in_schema=False)
MOST_TYPED = 60


@router.post("/inn")
async def present(request: Request, presented: PresentedByOtherSite, begin: Transaction) -> Response:
    """The door for dialog's form. No cookie is read: whoever was logged in here before isn't any more, in this browser."""
    session = fresh_session(request)
    return await _present(request, presented, session, None, begin)


@router.post("/inn/kode")
async def type_code(request: Request, submitted: Submitted, begin: Transaction) -> Response:
    """The own form for a typed code; wrong ones count for the login too, if there is one."""
    login = str(submitted.session.subject) if submitted.session.subject else None
    return await _present(request, submitted, submitted.session, login, begin)


async def _present(request: Request, sent: Fields, session: BrowserSession, login: str | None, begin: Begin) -> Response:
    token, secret, typed = new_holder(), sent.fields.get("secret", ""), sent.fields.get("code", "")
    try:
        command = PresentSecret(token, read_secret(secret)) if secret else PresentCode(token, TypedCode.read(typed[:MOST_TYPED]), login)
    except MalformedSecretError:
        return _ask_for_code(request, session, "wrong_form" if typed or secret else "missing", typed[:MOST_TYPED])
    try:
        async with begin() as uow:
            await (present_secret(command, uow) if isinstance(command, PresentSecret) else present_code(command, uow))
    except TooManyCodesError:
        return _ask_for_code(request, session, "closed")
    session.csrf  # noqa: B018 - the browser gets a session of its own with this answer
    return hold(see_other("/inn"), token)


def _ask_for_code(request: Request, session: BrowserSession, error: str | None, typed: str = "") -> Response:
    """`typed`: a code with a slip in it, which opens nothing, stays in the field to be looked over. One that may be right is on no page."""
    status = {None: 200, "closed": 429}.get(error, 422)
    return render(request, session, "code.html", status, error=error, typed=typed)


@router.get("/inn")
async def show_standing(request: Request, session: SessionNow, begin: Transaction) -> Response:
    """What became of what this browser presented; renews itself while it isn't here yet. Who has logged in sees it on her page."""
    token, youth = holder_of(request), session.login is not None and session.organisation is None
    if token is None:
        return _ask_for_code(request, session, None)
    try:
        async with begin() as uow:
            standing = await look_again(LookAgain(token, auth_time=session.auth_time if youth else None), uow)
    except TooManyCodesError:
        return _ask_for_code(request, session, "closed")
    if standing is Standing.NOTHING:
        return let_go_of(_ask_for_code(request, session, None))
    if youth and standing in (Standing.READY, Standing.FETCHING, Standing.NOT_FOUND):
        return see_other("/")
    return _show(request, session, standing)


def _show(request: Request, session: BrowserSession, standing: Standing, status: int = 200) -> Response:
    return render(
        request,
        session,
        "standing.html",
        status,
        refresh=RENEW_SECONDS if standing is Standing.FETCHING else None,
        standing=standing.value,
        logged_in=session.login is not None,
        bucket_seconds=settings_of(request).border_bucket_seconds,
    )


@router.post("/inn/ikke-mitt")
async def not_mine(request: Request, submitted: Submitted, begin: Transaction) -> Response:
    """This browser holds nothing more; the offer stays as it is, for whoever it belongs to."""
    if token := holder_of(request):
        async with begin() as uow:
            await let_go(LetGo(token), uow)
    return let_go_of(see_other("/inn" if submitted.session.login is None else "/"))


@router.get("/er-det-deg")
async def ask_who(request: Request, session: YouthSession) -> Response:
    """Whose login this is. Nothing is opened or bound before the yes."""
    born = as_youth(session).born
    holds = holder_of(request) is not None
    return render(request, session, "is_it_you.html", born=born, holds=holds)


@router.post("/er-det-deg")
async def say_yes(request: Request, submitted: Submitted, session: YouthSession, begin: Transaction) -> Response:
    """The yes: confirms the login, and binds what the browser holds if it is here. The no is `POST /logg-ut`."""
    youth = as_youth(session)
    session.state[CONFIRMED] = confirmation(session)
    with problems():
        async with begin() as uow:
            await save(uow, session)
    token = holder_of(request)
    if token is not None:
        return await _bind(request, submitted, youth, token, begin)
    return await _enter(request, submitted, youth, begin)


@router.post("/inn/hent")
async def fetch_now(request: Request, submitted: Submitted, youth: Confirmed, begin: Transaction) -> Response:
    """Bind later: the offer came after the login."""
    token = holder_of(request)
    return await _bind(request, submitted, youth, token, begin) if token else see_other("/")


@router.post("/begynn")
async def begin_without(request: Request, submitted: Submitted, youth: Confirmed, begin: Transaction) -> Response:
    """Go on without waiting for what she brought."""
    return await _enter(request, submitted, youth, begin)


async def _bind(request: Request, submitted: Submission, youth: Youth, token: bytes, begin: Begin) -> Response:
    settings = settings_of(request)
    command = BindOffer(token, youth.subject, youth.auth_time, youth.born, settings.border_bucket_seconds, settings.keeping)
    try:
        async with begin() as uow:
            await look_again(LookAgain(token, youth.login), uow)  # a typed code may meet its offer first now
        with problems():
            outcome = await _bind_once(request, submitted, command, begin)
    except (NotArrivedError, NotForThisAgeError):
        return see_other("/")
    except LoginTooOldError:
        return see_other("/inn")
    except AlreadyClaimedError:
        return _show(request, youth.session, Standing.CLAIMED, 409)
    except OfferGoneError as gone:
        return _show(request, youth.session, Standing(gone.state.value), 410)
    except NotHeldError:
        return let_go_of(await _enter(request, submitted, youth, begin))
    except TooManyCodesError:
        return _ask_for_code(request, youth.session, "closed")
    return let_go_of(see_other(f"/reise/{outcome['journey']}"))


async def _bind_once(request: Request, submitted: Submission, command: BindOffer, begin: Begin) -> dict[str, str]:
    async with begin() as uow:

        async def act() -> dict[str, str]:
            return {"journey": str(await bind_offer(command, opener_of(request), uow))}

        return await once(uow, submitted.key, submitted.fingerprint(), act)


async def _enter(request: Request, submitted: Submission, youth: Youth, begin: Begin) -> Response:
    settings = settings_of(request)
    command = EnterDirectly(youth.subject, youth.born, settings.border_bucket_seconds, settings.keeping)
    try:
        with problems():
            async with begin() as uow:

                async def act() -> dict[str, str]:
                    return {"journey": str(await enter_directly(command, vault_of(request), uow))}

                await once(uow, submitted.key, submitted.fingerprint(), act)
    except NotForThisAgeError:
        pass  # the overview says who helps instead
    return see_other("/")
