"""How each alert is made to fire on a running platform, and what mends it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaProducer
from contracts.dialog import QuestionAsked

from deploy.local.journey.browser import Browser
from deploy.local.journey.cast import CHAT_HELPER, CLINICIAN, EDITOR, MUNICIPALITY, PANEL
from deploy.local.journey.people import Clinician, Editor, Expert, Youth
from tests.operations.books import blocks, follow
from tests.operations.stage import DISK_MEGABYTES, LOOKS_AT_TLS, SMALL_DISK, Stage, mounting

QUESTIONS = str(QuestionAsked.topic)
OTHERS_GO = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
"""What a database is set to is read by new connections."""
HELD = "housekeeping.outcomes"
"""A timer that every service has."""
Scene = Callable[[Stage], AbstractAsyncContextManager[None]]
"""Inside it the alert must come to fire; afterwards it must go."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One scene and the alerts that belong to it, with the labels they must carry."""

    scene: Scene
    alerts: Mapping[str, Mapping[str, str]]
    impossible: Callable[[], str] = lambda: ""
    """Why it can't be played on this machine; empty: it can."""


async def _asks(stage: Stage, text: str) -> None:
    youth = Youth(stage.platform.urls)
    await youth.asks(text, "school", "13_15", publish=False)
    await youth.leaves()


async def _panel_answers(stage: Stage, times: int) -> None:
    panel = Expert(stage.platform.urls)
    for _ in range(times):
        await panel.answers_next(PANEL, "Takk for at du spør. Her er det noen som kan hjelpe.")
    await panel.leaves()


async def prelude(stage: Stage) -> None:
    """What isn't about an alert, so that every diagram has something to show: a question is asked, answered and published."""
    youth, panel, editor = Youth(stage.platform.urls), Expert(stage.platform.urls), Editor(stage.platform.urls)
    await youth.asks("Hvordan sier jeg det til mamma?", "family", "13_15", publish=True)
    address = await panel.answers_next(PANEL, "Mange synes det er vanskelig. Begynn med én setning.")
    await editor.publishes(EDITOR, address, "Å si det til mamma")
    for person in (youth, panel, editor):
        await person.leaves()


async def passes_by(stage: Stage) -> None:
    """Between two scenes somebody looks something up and sees the figures: a diagram over time needs something to happen more than once."""
    youth = Youth(stage.platform.urls)
    await youth.searches("krangler")
    await youth.opens("reporting", "/")
    await youth.leaves()


@asynccontextmanager
async def broker_away(stage: Stage) -> AsyncIterator[None]:
    """Kafka dies; people go on asking."""
    await asyncio.to_thread(stage.platform.kill_broker)
    await _asks(stage, "Hvordan slutter jeg å grue meg til prøver?")
    try:
        yield
    finally:
        await asyncio.to_thread(stage.platform.restart_broker)
        await _panel_answers(stage, 1)


@asynccontextmanager
async def unreadable_event(stage: Stage) -> AsyncIterator[None]:
    """An owner sends what isn't in the contract; the runbook's commands take it out of the way."""
    key = str(uuid4())
    producer = AIOKafkaProducer(**stage.platform.kafka_admin.aiokafka)
    await producer.start()
    await producer.send_and_wait(QUESTIONS, b"?", key=key.encode(), headers=[("ce_type", b"?")])
    await producer.stop()
    try:
        yield
    finally:
        environment = stage.environment("reporting", KEY=key)
        _, retry, skip, *_ = blocks("key-parked.md")
        told = json.loads(await asyncio.to_thread(follow, retry, environment))
        assert told["left"] == 1, told
        told = json.loads(await asyncio.to_thread(follow, skip, environment))
        assert told["left"] == 0, told


@asynccontextmanager
async def locked_table(stage: Stage) -> AsyncIterator[None]:
    """Somebody holds a lock in reporting's database while events come."""
    connection = await asyncpg.connect(stage.platform.dsn("reporting"))
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("lock table inbox in access exclusive mode")
    await _asks(stage, "Er det vanlig å ha det sånn?")
    try:
        yield
    finally:
        await transaction.rollback()
        await connection.close()
        await _panel_answers(stage, 1)


@asynccontextmanager
async def held_timer(stage: Stage) -> AsyncIterator[None]:
    """Somebody holds the claim of due work, as one does who began it and hangs."""
    connection = await asyncpg.connect(stage.platform.dsn("info"))
    await connection.execute(f"select pg_advisory_lock(hashtextextended('timer/{HELD}/', 0))")
    await connection.execute("update timers set due_at = now() where kind = $1", HELD)
    try:
        yield
    finally:
        await connection.close()


@asynccontextmanager
async def acute_question(stage: Stage) -> AsyncIterator[None]:
    """A text that the list of words puts first; then the panel takes it."""
    await _asks(stage, "Jeg tenker på å ta livet mitt.")
    yield
    await _panel_answers(stage, 1)


@asynccontextmanager
async def acute_wish(stage: Stage) -> AsyncIterator[None]:
    """Somebody goes on from a chat, needs help today and wishes an appointment; then a clinician offers a time."""
    crew, youth, clinician = stage.crew, Youth(stage.platform.urls), Clinician(stage.platform.urls)
    await crew.helper.goes_on_duty(CHAT_HELPER, crew.cast.chat_service, 3)
    await youth.asks_to_chat(crew.cast.chat_service, "mental_health", "16_17")
    talk = await crew.helper.takes_next()
    await youth.waits_for_helper()
    await crew.helper.offers_to_go_on(talk, "mental_health", "today", "")
    page = await youth.carries(await youth.goes_on())
    await youth.says_it_is_her(await youth.logs_in_here(page, crew.cast.youths[0]))
    await youth.takes_in()
    await youth.wishes(MUNICIPALITY, crew.cast.unit)
    yield
    await clinician.offers_time(CLINICIAN)
    await youth.accepts_time()
    await youth.ends_chat()
    await clinician.leaves()
    await youth.leaves()


@asynccontextmanager
async def provider_away(stage: Stage) -> AsyncIterator[None]:
    """The provider of logins dies; youths keep trying, and at last give up."""
    assert stage.platform.oidc is not None
    await asyncio.to_thread(stage.platform.oidc.stop)
    trying = asyncio.create_task(_keeps_trying(stage))
    try:
        yield
    finally:
        trying.cancel()
        await asyncio.to_thread(stage.platform.oidc.start)


async def _keeps_trying(stage: Stage) -> None:
    while True:
        async with Browser() as browser:
            page = await browser.get(stage.platform.urls["helpjourney"] + "/")
            page = await browser.get(page.link("/logg-inn"))
            await browser.get(page.link("/logg-inn/start"))
        await asyncio.sleep(0.2)


@asynccontextmanager
async def old_key(stage: Stage) -> AsyncIterator[None]:
    """An agency's published keys come to their last hours; then it publishes new dates."""
    file = stage.platform.folder / "trust" / "info.json"
    before = file.read_text()
    published = json.loads(before)
    for jwk in published["keys"]:
        jwk["exp"] = int(time.time()) + 3600
    _replace(file, json.dumps(published))
    try:
        yield
    finally:
        _replace(file, before)


def _replace(file, text: str) -> None:
    half = file.with_suffix(".half")
    half.write_text(text)
    half.replace(file)


@asynccontextmanager
async def moved_clock(stage: Stage) -> AsyncIterator[None]:
    """A database's clock goes 20 s ahead while everything runs; then it is put right."""
    connection = await asyncpg.connect(stage.platform.dsn("info"))
    moved = "$$ select pg_catalog.clock_timestamp() + interval '20 s' $$"
    await connection.execute(f"create function public.clock_timestamp() returns timestamptz language sql as {moved}")
    await connection.execute("alter database info set search_path = public, pg_catalog")
    await connection.execute(OTHERS_GO)
    try:
        yield
    finally:
        await connection.execute("alter database info reset search_path; drop function public.clock_timestamp()")
        await connection.execute(OTHERS_GO)
        await connection.close()


@asynccontextmanager
async def full_disk(stage: Stage) -> AsyncIterator[None]:
    """Something grows on the disk of one service, and is removed."""
    ballast = stage.disk() / "ballast"
    ballast.write_bytes(bytes(int(DISK_MEGABYTES * 0.95 * 1024 * 1024)))
    try:
        yield
    finally:
        ballast.unlink()


@asynccontextmanager
async def process_killed(stage: Stage) -> AsyncIterator[None]:
    """A service dies, and is started again."""
    await asyncio.to_thread(stage.platform.kill, LOOKS_AT_TLS)
    try:
        yield
    finally:
        await asyncio.to_thread(stage.platform.restart, LOOKS_AT_TLS)


@asynccontextmanager
async def database_away(stage: Stage) -> AsyncIterator[None]:
    """A service's database is stopped, and comes back."""
    cluster = stage.platform.databases[LOOKS_AT_TLS]
    await asyncio.to_thread(cluster.halt)
    try:
        yield
    finally:
        await asyncio.to_thread(cluster.start)


@asynccontextmanager
async def old_certificate(stage: Stage) -> AsyncIterator[None]:
    """A server that a service looks at shows a certificate for five hours; then a new one. The service looks when it is started."""
    stage.tls.renew(days=5 / 24)
    await asyncio.to_thread(stage.platform.restart, LOOKS_AT_TLS)
    try:
        yield
    finally:
        stage.tls.renew(days=90)
        await asyncio.to_thread(stage.platform.restart, LOOKS_AT_TLS)


DIALOG = {"service": "dialog", "topic": QUESTIONS}
TRIALS = (
    Trial(acute_question, {"AcuteQuestionUnattended": DIALOG}),
    Trial(acute_wish, {"AcuteWishUnattended": {"service": "helpjourney"}}),
    Trial(unreadable_event, {"KeyParked": {"service": "reporting", "topic": QUESTIONS}}),
    Trial(locked_table, {"ConsumerStalled": {"service": "reporting", "topic": QUESTIONS}}),
    Trial(held_timer, {"TimerStuck": {"service": "info", "kind": HELD}}),
    Trial(broker_away, {"OutboxWaits": DIALOG, "RelayIdle": DIALOG, "OutboxStuck": DIALOG}),
    Trial(provider_away, {"LoginsFail": {"service": "identity", "provider": "idporten"}}),
    Trial(old_key, {"KeyExpires": {"service": "info", "use": "sig"}}),
    Trial(moved_clock, {"ClockDrifts": {"service": "info"}}),
    Trial(full_disk, {"DiskFills": {"service": SMALL_DISK}}, lambda: "" if mounting() else "no disk may be mounted here"),
    Trial(process_killed, {"ProcessGone": {"service": LOOKS_AT_TLS}}),
    Trial(database_away, {"ProcessUnready": {"service": LOOKS_AT_TLS}}),
    Trial(old_certificate, {"CertificateExpires": {"service": LOOKS_AT_TLS}}),
)
