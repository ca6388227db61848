"""The front pages, what every page of the service has in common, and that code and database agree."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import dialog
import pytest
from contracts.info import HelpService, ServiceListed
from dialog.consumers import HANDLERS
from dialog.handlers.availability import GoOnDuty, go_on_duty
from servicekit import migrations
from servicekit.delivery.inbox import apply
from webkit.catalogue_check import extract, missing_translations

from deploy.local.journey.browser import Browser
from deploy.testing import Database, record_of

HOME = "http://snakk.localhost:8080"
PACKAGE = Path(dialog.__file__).parent
Browse = Callable[..., Browser]
StaffBrowser = Callable[..., Awaitable[Browser]]


async def list_service(database: Database, **entry: object) -> HelpService:
    values = {"service_id": uuid4(), "owner_name": "Prøveetaten", "owner_number": "999999901"} | entry
    service = HelpService.model_validate(values)
    await apply(database.begin, "dialog", [record_of(ServiceListed(service=service), key=service.service_id, sequence=1)], HANDLERS)
    return service


async def test_the_front_page_says_what_is_open_now(browse: Browse, database: Database) -> None:
    youth = browse()
    closed = await youth.get(f"{HOME}/")
    assert "Stengt nå" in closed.text
    assert "Du kan skrive når som helst på døgnet." in closed.text
    chat = await list_service(database, name="Chatten", kind="chat_service")
    await list_service(database, name="Linja", kind="phone_line", phone="116 123", channels=["phone"], always_open=True)
    async with database.begin() as uow:
        await go_on_duty(GoOnDuty(uuid4(), "999999901", chat.service_id, 3), uow)
    page = await youth.get(f"{HOME}/")
    assert "1 tjeneste er åpen nå." in page.text
    assert "Linja, 116 123 (hele døgnet)" in page.text
    for address in ("/spor", "/chat", "/svar", "tel:116123"):
        assert f'href="{address}"' in page.html


DESKS = [(["panel"], "/ansatt/sporsmal"), (["editor"], "/ansatt/sporsmal"), (["helper"], "/ansatt/samtaler")]


@pytest.mark.parametrize(("roles", "desk"), DESKS)
async def test_staff_are_led_to_their_own_desk(staff_browser: StaffBrowser, roles: list[str], desk: str) -> None:
    page = await (await staff_browser(roles)).get(f"{HOME}/ansatt")
    assert (page.status, page.url) == (200, HOME + desk)


async def test_an_unknown_page_and_a_wrong_method_have_the_crisis_numbers(browse: Browse) -> None:
    """INVARIANT: no dead end."""
    for path in ("/finnes-ikke", "/ansatt/finnes-ikke"):
        page = await browse().get(HOME + path)
        assert page.status == 404
        assert "116 111" in page.text


async def test_the_tables_in_code_are_those_that_the_migrations_make(database: Database) -> None:
    await asyncio.to_thread(migrations.check, "dialog", database.dsn)


def test_every_text_has_its_nynorsk() -> None:
    """INVARIANT: both written forms at the same time (språklova § 15)."""
    assert len(extract(PACKAGE)) > 150
    assert missing_translations(PACKAGE, "nn")[1] == []
