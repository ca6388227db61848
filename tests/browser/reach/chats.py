"""Chats: what a youth sees from the choice to the end, and what a helper sees at the desk."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

from deploy.local.journey.browser import Page
from deploy.local.journey.cast import CHAT_HELPER
from deploy.local.journey.people import Youth, until
from tests.browser.scene import Scene
from tests.browser.visits import Reach, Visit, by_form, by_link

SUMMARY = "Jeg får ikke sove før prøver. Jeg vil snakke med helsesykepleier."
LONG = "Jeg vet ikke hvordan jeg skal si det. " * 200
MOST = 5
"""Chats that one helper may have at once."""


@dataclass
class Talk:
    """A youth and a helper who talk with each other."""

    youth: Youth
    desk: Page
    """The helper's page of it."""


@asynccontextmanager
async def on_duty(scene: Scene, capacity: int = MOST) -> AsyncIterator[None]:
    """The helper is at the desk."""
    await scene.helper.goes_on_duty(CHAT_HELPER, scene.cast.chat_service, capacity)
    try:
        yield
    finally:
        await scene.helper.ends_shift()


async def takes(scene: Scene, youth: Youth) -> Page:
    """The helper takes this youth's chat; whom an earlier page left in the queue is let go."""
    while True:
        desk = await scene.helper.takes_next()
        if (await youth.browser.get(scene.urls["dialog"] + "/chat/venter")).has_form("/chat/samtale"):
            return desk
        await scene.helper.browser.submit(desk.form("/avslutt"))


@asynccontextmanager
async def waiting_youth(scene: Scene) -> AsyncIterator[Youth]:
    """A youth in the queue, who leaves it afterwards if she is still there."""
    async with scene.youth() as youth:
        await youth.asks_to_chat(scene.cast.chat_service, "family", "16_17")
        try:
            yield youth
        finally:
            page = await youth.browser.get(scene.urls["dialog"] + "/chat/venter")
            if page.has_form("/chat/forlat"):
                await youth.leaves_queue()


@asynccontextmanager
async def talking(scene: Scene, *, offers: bool = False, says: bool = True) -> AsyncIterator[Talk]:
    """A chat that is going on, ended afterwards."""
    async with on_duty(scene), scene.youth() as youth:
        await youth.asks_to_chat(scene.cast.chat_service, "family", "16_17")
        desk = await takes(scene, youth)
        if says:
            await youth.says("De krangler hele tida, og jeg ligger våken om natta.")
            await scene.helper.answers(desk, "Så fint at du skriver. Jeg har god tid.")
        if offers:
            await scene.helper.offers_to_go_on(desk, "family", "soon", SUMMARY)
        try:
            yield Talk(youth, desk)
        finally:
            page = await youth.browser.get(scene.urls["dialog"] + "/chat/samtale")
            if page.has_form("/chat/avslutt"):
                await youth.ends_chat()


def chat_page(path: str, *, offers: bool = False, says: bool = True) -> Reach:
    """What the youth sees while she talks."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with talking(scene, offers=offers, says=says) as talk:
            yield by_link(talk.youth.browser, scene.urls["dialog"] + path)

    return reach


@asynccontextmanager
async def choose_open(scene: Scene) -> AsyncIterator[Visit]:
    """Somebody is there."""
    async with on_duty(scene):
        yield Visit(scene.urls["dialog"] + "/chat")


@asynccontextmanager
async def choose_full(scene: Scene) -> AsyncIterator[Visit]:
    """So many wait that nobody else is let in."""
    async with on_duty(scene, 1), waiting_youth(scene), waiting_youth(scene):
        yield Visit(scene.urls["dialog"] + "/chat")


def asks(**changed: str) -> Reach:
    """The form for a chat, with something wrong."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with on_duty(scene), scene.youth() as youth:
            page = await youth.opens("dialog", "/chat")
            yield by_form(youth.browser, page.form("/chat", field="topic"), {"topic": "family", "age": "16_17", **changed})

    return reach


@asynccontextmanager
async def just_closed(scene: Scene) -> AsyncIterator[Visit]:
    """The last helper left while she filled in the form."""
    async with scene.youth() as youth:
        async with on_duty(scene):
            form = (await youth.opens("dialog", "/chat")).form("/chat", field="topic")
        yield by_form(youth.browser, form, {"service": scene.cast.chat_service, "topic": "family", "age": "16_17"})


@asynccontextmanager
async def just_full(scene: Scene) -> AsyncIterator[Visit]:
    """The queue filled up while she filled in the form."""
    async with on_duty(scene, 1), scene.youth() as youth:
        form = (await youth.opens("dialog", "/chat")).form("/chat", field="topic")
        async with waiting_youth(scene), waiting_youth(scene):
            yield by_form(youth.browser, form, {"service": scene.cast.chat_service, "topic": "family", "age": "16_17"})


def waits(query: str = "") -> Reach:
    """In the queue."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with on_duty(scene), waiting_youth(scene) as youth:
            yield by_link(youth.browser, scene.urls["dialog"] + "/chat/venter" + query)

    return reach


@asynccontextmanager
async def left_queue(scene: Scene) -> AsyncIterator[Visit]:
    """She went out of the queue."""
    async with on_duty(scene), waiting_youth(scene) as youth:
        await youth.leaves_queue()
        yield by_link(youth.browser, scene.urls["dialog"] + "/chat/samtale")


def says(text: str) -> Reach:
    """A message that can't be sent as it is."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with talking(scene) as talk:
            page = await talk.youth.opens("dialog", "/chat/samtale")
            yield by_form(talk.youth.browser, page.form("/chat/samtale", field="text"), {"text": text})

    return reach


@asynccontextmanager
async def ended(scene: Scene) -> AsyncIterator[Visit]:
    """The chat is over, its text still there."""
    async with talking(scene) as talk:
        page = await talk.youth.ends_chat()
        yield by_link(talk.youth.browser, page.url)


@asynccontextmanager
async def says_too_late(scene: Scene) -> AsyncIterator[Visit]:
    """A message to a chat that is over."""
    async with talking(scene) as talk:
        form = (await talk.youth.opens("dialog", "/chat/samtale")).form("/chat/samtale", field="text")
        await talk.youth.ends_chat()
        yield by_form(talk.youth.browser, form, {"text": "Er du der ennå?"})


@asynccontextmanager
async def deleted(scene: Scene) -> AsyncIterator[Visit]:
    """She deleted the chat."""
    async with talking(scene) as talk:
        page = await talk.youth.ends_chat()
        yield by_form(talk.youth.browser, page.form("/chat/slett"))


# The border


def decides(values: Mapping[str, str] | None = None, *, button: str = "Ja") -> Reach:
    """Her answer on the page that shows what would travel."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with talking(scene, offers=True) as talk:
            form = (await talk.youth.opens("dialog", "/videre")).form("/videre", field="own")
            yield by_form(talk.youth.browser, form, {"include_1": "yes", "own": "", **(values or {})}, button=button)

    return reach


def takes_back(secret: str = "") -> Reach:
    """Her offer, taken back; `secret`: what she typed instead of the right one."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with talking(scene, offers=True) as talk:
            page = await talk.youth.goes_on()
            form = page.form("/videre/trekk")
            yield by_form(talk.youth.browser, form, {"secret": secret} if secret else None)

    return reach


# The helpers' desk


@asynccontextmanager
async def off_duty(scene: Scene) -> AsyncIterator[Visit]:
    """Before the shift."""
    await scene.at_desk()
    yield by_link(scene.helper.browser, scene.urls["dialog"] + "/ansatt/samtaler")


@asynccontextmanager
async def nobody_waits(scene: Scene) -> AsyncIterator[Visit]:
    """On duty, and it's quiet."""
    async with on_duty(scene):
        yield by_link(scene.helper.browser, scene.urls["dialog"] + "/ansatt/samtaler")


def desk_queue(query: str = "") -> Reach:
    """Somebody waits, and one talk goes on."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with talking(scene), waiting_youth(scene):
            yield by_link(scene.helper.browser, scene.urls["dialog"] + "/ansatt/samtaler" + query)

    return reach


@asynccontextmanager
async def taken_by_others(scene: Scene) -> AsyncIterator[Visit]:
    """She isn't there any more when the helper takes her."""
    async with on_duty(scene):
        async with waiting_youth(scene):
            queue = await scene.helper.opens("dialog", "/ansatt/samtaler")
        yield by_form(scene.helper.browser, queue.form("/ta"))


def at_talk(*, offers: bool = False, says: bool = True) -> Reach:
    """One talk at the desk."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with talking(scene, offers=offers, says=says) as talk:
            yield by_link(scene.helper.browser, talk.desk.url.partition("#")[0])

    return reach


def sends_at_desk(action: str, **values: str) -> Reach:
    """A form of the talk that can't be taken as it is."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with talking(scene) as talk:
            yield by_form(scene.helper.browser, talk.desk.form(action), values)

    return reach


@asynccontextmanager
async def not_your_talk(scene: Scene) -> AsyncIterator[Visit]:
    """A talk of somebody else looks like none."""
    await scene.at_desk()
    yield by_link(scene.helper.browser, f"{scene.urls['dialog']}/ansatt/samtaler/{uuid4()}")


@asynccontextmanager
async def nobody_came(scene: Scene) -> AsyncIterator[Visit]:
    """The last helper left, and the queue is told that nobody comes."""
    async with scene.youth() as youth:
        async with on_duty(scene):
            await youth.asks_to_chat(scene.cast.chat_service, "family", "16_17")
        async with scene.later("dialog", minutes=2):
            page = await until(
                lambda: youth.browser.get(scene.urls["dialog"] + "/chat/venter"), lambda page: "/samtale" in page.url, "the end"
            )
            yield by_link(youth.browser, page.url)
