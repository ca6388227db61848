"""Those whose data the drill destroys: what they do before the time to which it is restored, after it, and again when it is back."""

from collections.abc import Awaitable
from dataclasses import dataclass, field

from deploy.local.journey.browser import Page
from deploy.local.journey.cast import CHAT_HELPER, CLINICIAN, MUNICIPALITY
from deploy.local.journey.people import Clinician, StuckError, Youth, fine
from deploy.local.journey.stories import Crew
from deploy.local.platform import Platform
from tests.faults.ledger import Ledger
from tests.faults.load import LedgerBrowser
from tests.faults.survey import rows

OWN_WORDS = "Jeg vil helst snakke med noen på skolen."


@dataclass
class Scene:
    """One youth who goes on, one who deletes her chat, one who deletes her question, one with a journey at level 3."""

    platform: Platform
    crew: Crew
    number: str
    """Synthetic national identity number of the one with the journey."""
    ledger: Ledger = field(default_factory=Ledger)
    deleted: dict[str, set[str]] = field(default_factory=dict)
    """Table -> ids of what is deleted after the chosen time."""

    def __post_init__(self) -> None:
        self.goes_on, self.deletes_chat, self.asks, self.at_level_3 = (
            Youth(self.platform.urls, LedgerBrowser(self.ledger)) for _ in range(4)
        )
        self.clinician = Clinician(self.platform.urls, LedgerBrowser(self.ledger))

    async def before(self) -> None:
        """Two chats, a question, and a journey with a text and a wish. Nobody else is there yet."""
        helper = self.crew.helper
        await helper.goes_on_duty(CHAT_HELPER, self.crew.cast.chat_service, 5)
        await self._talks(self.goes_on)
        self.deleted["chats"] = await self._new("dialog", "chats", self._talks(self.deletes_chat))
        self.deleted["questions"] = await self._new("dialog", "questions", self._asks())
        talk = await self._talks(self.at_level_3)
        await helper.offers_to_go_on(talk, "family", "soon", "")
        page = await self.at_level_3.carries(await self.at_level_3.goes_on(own=OWN_WORDS))
        asked = await self.at_level_3.logs_in_here(page, self.number)
        self.deleted["journeys"] = await self._new("helpjourney", "journeys", self.at_level_3.says_it_is_her(asked))
        await self.at_level_3.takes_in()
        self.journey = f"{self.platform.urls['helpjourney']}/reise/{next(iter(self.deleted['journeys']))}"
        await self.at_level_3.wishes(MUNICIPALITY, self.crew.cast.unit)

    async def after(self) -> None:
        """What the restore will take away: a chat ends, a chat, a question and a text are deleted, a time is offered."""
        await self.goes_on.ends_chat()
        page = await self.deletes_chat.opens("dialog", "/chat/samtale")
        fine(await self.deletes_chat.browser.submit(page.form("/chat/slett")))
        page = await self.asks.looks_for_answer(self.code)
        fine(await self.asks.browser.submit(page.form("/svar/slett")))
        page = fine(await self.at_level_3.browser.get(self.journey))
        fine(await self.at_level_3.browser.submit(page.form("/slett-tekst")))
        await self._is_offered_a_time()

    async def again(self) -> None:
        """The database is back as it was before: she ends her chat once more, the clinician offers a time once more."""
        await self.goes_on.ends_chat()
        await self._is_offered_a_time()

    async def leaves(self) -> None:
        for youth in (self.goes_on, self.deletes_chat, self.asks, self.at_level_3):
            await youth.leaves()
        await self.clinician.leaves()

    async def _talks(self, youth: Youth) -> Page:
        await youth.asks_to_chat(self.crew.cast.chat_service, "family", "16_17")
        talk = await self.crew.helper.takes_next()
        await youth.waits_for_helper()
        await youth.says("De krangler hele tida.")
        return talk

    async def _is_offered_a_time(self) -> None:
        """Others may wait for one as well: they are offered theirs on the way."""
        for _ in range(20):
            await self.clinician.offers_time(CLINICIAN)
            page = await self.at_level_3.opens("helpjourney", "/")
            for address in dict.fromkeys(link for link in page.links if "/time/" in link):
                if fine(await self.at_level_3.browser.get(address)).has_form("/velg"):
                    return
        raise StuckError("she wasn't offered a time")

    async def _asks(self) -> None:
        self.code = await self.asks.asks("Er det vanlig å ha det sånn?", "body", "13_15", publish=False)

    async def _new(self, service: str, table: str, act: Awaitable[object]) -> set[str]:
        """The ids that a table has after an act and hadn't before."""
        before = await self._ids(service, table)
        await act
        return await self._ids(service, table) - before

    async def _ids(self, service: str, table: str) -> set[str]:
        return {row["id"] for row in await rows(self.platform, service, f"select id::text as id from {table}")}
