"""A chat service with helpers, and what one does with it, for the tests of chats and handoffs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from contracts.codes import AgeBand, Language, ServiceKind, TopicCode, Urgency
from contracts.info import HelpService
from dialog.domain.chats import Chat
from dialog.handlers.availability import GoOnDuty, go_on_duty
from dialog.handlers.chats import RequestChat, SayInChat, TakeChat, request_chat, say_in_chat, take_chat
from dialog.queries.chats import find_chat
from dialog.store.directory import put_help_service
from servicekit.crypto import Vault
from servicekit.delivery.outbox import Begin

from deploy.testing import Database, Told, told

HOME = "http://snakk.localhost:8080"
PROPOSED = "Jeg sover nesten ikke. Broren min vet det. Jeg vil snakke med en helsesykepleier."
RED, BLUE = "999999901", "999999902"


@dataclass
class Centre:
    """Two organisations with a chat service each, on one database."""

    database: Database
    vault: Vault
    service_id: UUID = field(default_factory=uuid4)
    other_service_id: UUID = field(default_factory=uuid4)

    async def list_services(self) -> None:
        async with self.database.begin() as uow:
            for service_id, name, owner in ((self.service_id, "Rød chat", RED), (self.other_service_id, "Blå chat", BLUE)):
                entry = HelpService(service_id=service_id, name=name, kind=ServiceKind.CHAT_SERVICE, owner_name=name, owner_number=owner)
                await put_help_service(uow.connection, service_id, entry.model_dump(mode="json"))

    async def open_with(self, helper: UUID | None = None, capacity: int = 5, begin: Begin | None = None) -> UUID:
        """A helper of RED on duty."""
        helper = helper or uuid4()
        async with (begin or self.database.begin)() as uow:
            await go_on_duty(GoOnDuty(helper, RED, self.service_id, capacity), uow)
        return helper

    async def ask(self, browser: bytes | None = None, begin: Begin | None = None, **changes: Any) -> Chat:
        values: dict[str, Any] = {
            "service_id": self.service_id,
            "topic_code": TopicCode.MENTAL_HEALTH,
            "age_band": AgeBand.FROM_13_TO_15,
            "language": Language.NYNORSK,
            "urgency": Urgency.ROUTINE,
        } | changes
        async with (begin or self.database.begin)() as uow:
            return await request_chat(RequestChat(browser or uuid4().bytes, **values), uow, self.vault)

    async def take(self, chat: Chat, helper: UUID, organisation: str = RED) -> None:
        async with self.database.begin() as uow:
            await take_chat(TakeChat(chat.id, helper, organisation), uow)

    async def talk(self) -> tuple[Chat, UUID]:
        """A chat that a helper has taken."""
        helper = await self.open_with()
        chat = await self.ask()
        await self.take(chat, helper)
        return await self.read(chat.id), helper

    async def say(self, chat: Chat, text: str, helper: UUID | None = None) -> Chat:
        async with self.database.begin() as uow:
            return await say_in_chat(SayInChat(chat.id, text, helper), uow, self.vault)

    async def read(self, chat_id: UUID) -> Chat:
        async with self.database.engine.connect() as connection:
            return await find_chat(connection, chat_id)

    async def told(self, *types: str) -> list[Told]:
        """The facts told so far, those of some types or all."""
        async with self.database.engine.connect() as connection:
            return [fact for fact in await told(connection) if not types or fact.type.split(".", 1)[1].rsplit(".", 1)[0] in types]

    async def later(self, work: Callable[..., Any], **delay: float) -> None:
        """Run a timer's work with the clock moved."""
        async with self.database.begin_at(timedelta(**delay))() as uow:
            await work(uow)


@pytest.fixture
async def centre(database: Database) -> Centre:
    made = Centre(database, Vault(bytes(range(32))))
    await made.list_services()
    return made


class BorderTalk:
    """A youth and a helper who talk, and the helper's offer to go on."""

    def __init__(self, youth: Any, helper: Any, desk: Any) -> None:
        self.youth, self.helper, self.desk = youth, helper, desk

    async def border(self) -> Any:
        return await self.youth.get(f"{HOME}/videre")

    async def accept(self, **values: str) -> Any:
        page = await self.border()
        return await self.youth.submit(page.form("/videre"), values, button="Ja, send dette")


@pytest.fixture
async def border_talk(browse: Any, staff_browser: Any, centre: Any) -> BorderTalk:
    helper, youth = await staff_browser(roles=("helper",)), browse()
    page = await helper.get(f"{HOME}/ansatt/samtaler")
    await helper.submit(page.form("/ansatt/vakt"))
    page = await youth.get(f"{HOME}/chat")
    await youth.submit(page.form("/chat"), {"service": str(centre.service_id)})
    desk = await helper.submit((await helper.get(f"{HOME}/ansatt/samtaler")).form("/ta"))
    desk = await helper.submit(desk.form("/videre"), {"need": "mental_health", "urgency": "soon", "summary": PROPOSED})
    return BorderTalk(youth, helper, desk)
