"""The one way in which a service reads Kafka: a batch is applied, then its offsets are committed.

FastStream's own policies acknowledge first or skip on error, hence MANUAL; what fails before the handler (its parser, its decoder)
would be skipped for good, hence an own parser and decoder and no body parameter.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, groupby
from operator import attrgetter
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from contracts.catalogue import topics_read_by
from contracts.event import Event
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.annotations import KafkaMessage
from faststream.message import StreamMessage
from faststream.security import BaseSecurity, SASLScram256, SASLScram512

from servicekit import crash
from servicekit.crash import Place
from servicekit.database import answers, is_away, says_unwritable
from servicekit.delivery import metrics
from servicekit.delivery.inbox import Handlers, apply
from servicekit.delivery.kafka_access import tls_context
from servicekit.delivery.outbox import Begin, UnitOfWork
from servicekit.delivery.parking import count_parked
from servicekit.delivery.patience import FIRST_BACK_OFF, MOST_WHOLE, Failed, Patience, jittered
from servicekit.delivery.reassigned import Reassigned
from servicekit.delivery.record import Record
from servicekit.delivery.unpacking import guard
from servicekit.settings import ServiceSettings
from servicekit.stopping import unless

BATCH = 500
"""Records applied in one transaction at most."""
FETCH_BYTES = 8 * 1024 * 1024
"""Packed bytes that one fetch brings at most, over all partitions."""
POLL_MS = 100
"""How long one poll waits for records; it ends when some come."""
COMMIT_SECONDS = 5.0
"""How long a commit of offsets may take: while Kafka is away it would wait for ever, and look as if nothing went on."""
SESSION_TIMEOUT_MS = 6_000
"""A consumer that is silent for this long loses its partitions to another."""
GRACE_SECONDS = 5.0
"""How long the batch in hand may take after SIGTERM."""
WATCH_SECONDS = 5.0
STALLED_SECONDS = 60.0
UNPOLLED_SECONDS = 30.0
"""A consumer that hasn't asked for records for so long isn't reading any more."""

log = structlog.get_logger("consumer")


class TransactionBrokenError(Exception):
    """Why an event is parked that ended its own transaction each time."""


Partition = tuple[TopicPartition, list[ConsumerRecord]]


@dataclass(slots=True)
class _Progress:
    done: int
    since: float
    """When it last went on, or was paused on purpose."""
    waits_since: float | None
    """When it last went on, or Kafka last said anything of it; None: nothing waits."""


class Consumer:
    """The consumer of one service: one subscriber over all topics that the catalogue lists for it."""

    def __init__(self, service: str, settings: ServiceSettings, begin: Begin, handlers: Handlers, *, group: str | None = None) -> None:
        self._service, self._settings = service, settings
        self._begin, self._handlers = begin, handlers
        self._group = group or service
        self._topics = topics_read_by(service)
        self._broker: KafkaBroker | None = None
        self._patience = Patience()
        self._uncommitted: dict[TopicPartition, int] = {}
        """Offsets behind what was applied that Kafka doesn't know yet."""
        self._in_hand: dict[TopicPartition, int] = {}
        """The first offset of each partition in the batch that is being applied: aiokafka's position is behind it already.

        Without those that were taken away meanwhile: they come, here or elsewhere, from where the group has got to.
        """
        self._progress: dict[TopicPartition, _Progress] = {}
        self._shown: set[TopicPartition] = set()
        """Partitions whose lag is shown."""
        self._watched = self._heard = time.monotonic()
        for topic in self._topics:
            metrics.consumer_stalled_seconds.labels(topic).set_function(partial(self.stalled_seconds, topic))
        guard()

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop` is set, then finish the batch in hand. Kafka may be down when this begins."""
        if not self._topics:
            await stop.wait()
            return
        watch = asyncio.create_task(self._watch())
        try:
            await self._start(stop)
            await stop.wait()
        finally:
            watch.cancel()
            if self._broker is not None:
                await self._broker.stop()

    async def is_live(self) -> bool:
        """The reading task is alive, polled lately, and no partition has records waiting without progress, unless paused on purpose."""
        if not self._topics:
            return True
        now = time.monotonic()
        stalled = any(now - progress.since > STALLED_SECONDS for progress in self._progress.values())
        return now - self._watched < UNPOLLED_SECONDS and self._reads() and not stalled

    def stalled_seconds(self, topic: str) -> float:
        """For how long records of a topic have waited here without one being applied; also while nothing is read at all. 0: all is well."""
        now = time.monotonic()
        behind = [progress.waits_since for partition, progress in self._progress.items() if partition.topic == topic]
        silent = now - self._heard
        return max([0.0, *(now - since for since in behind if since), silent if silent > UNPOLLED_SECONDS else 0.0])

    def _reads(self) -> bool:
        """Also true while Kafka hasn't been reached yet: then the starting goes on."""
        if self._broker is None:
            return True
        [subscriber] = self._broker.subscribers
        alive = any(not task.done() for task in getattr(subscriber, "tasks", ()))
        consumer = getattr(subscriber, "consumer", None)
        return alive and consumer is not None and consumer._subscription.fetcher_idle_time < UNPOLLED_SECONDS

    async def _start(self, stop: asyncio.Event) -> None:
        delay = FIRST_BACK_OFF
        while not stop.is_set():
            broker = self._create_broker()
            try:
                await unless(stop, broker.start())
            except Exception as error:
                log.warning("Kafka can't be reached", reason=type(error).__name__, seconds=round(delay, 1))
                with suppress(Exception):
                    await broker.stop()
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), jittered(delay))
                delay = min(delay * 2, WATCH_SECONDS)
            else:
                self._broker = broker  # also where it was given up: `run` stops it
                return

    def _create_broker(self) -> KafkaBroker:
        broker = KafkaBroker(
            self._settings.kafka_bootstrap_servers.split(","),
            security=broker_security(self._settings),
            client_id=self._group,
            consumer_only=True,
            allow_auto_create_topics=False,
            metadata_max_age_ms=30_000,
            graceful_timeout=GRACE_SECONDS,
            logger=None,
        )

        subscriber = broker.subscriber(
            *self._topics,
            group_id=self._group,
            batch=True,
            max_records=BATCH,
            batch_timeout_ms=POLL_MS,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            fetch_max_bytes=FETCH_BYTES,
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=SESSION_TIMEOUT_MS // 3,
            listener=Reassigned(lambda: subscriber.consumer, self._forget),
            parser=_as_it_came,
            decoder=_as_it_is,
        )
        subscriber.get_msg = _poll  # type: ignore[method-assign]

        @subscriber
        async def consume(message: KafkaMessage) -> None:
            await self._consume(message.consumer, message.raw_message)

        return broker

    async def _consume(self, consumer: AIOKafkaConsumer, batch: Sequence[ConsumerRecord]) -> None:
        """Apply a batch over all its partitions at once; if that fails, partition by partition. Never raises: that would skip it."""
        crash.reach(Place.CONSUMER_FETCHED)
        partitions = list(_by_partition(batch).items())
        self._in_hand = {partition: records[0].offset for partition, records in partitions}
        try:
            await self._apply(consumer, batch, partitions)
        finally:
            self._in_hand = {}

    async def _apply(self, consumer: AIOKafkaConsumer, batch: Sequence[ConsumerRecord], partitions: list[Partition]) -> None:
        if not any(self._patience.failures(partition) for partition, _ in partitions):
            error = await self._try(batch)
            if error is None:
                await self._commit(consumer, partitions)
                return
            if await self._is_absent(error):
                self._come_again(consumer, partitions, error)
                return
            for partition, records in partitions:
                self._patience.failed(partition, records[0].offset, Failed(1))
        for partition, records in partitions:
            await self._apply_one(consumer, partition, records)

    async def _apply_one(self, consumer: AIOKafkaConsumer, partition: TopicPartition, records: list[ConsumerRecord]) -> None:
        """A partition once more as a whole, then record by record: patience ends for the one that fails, and for none behind it."""
        whole = self._patience.failures(partition) < MOST_WHOLE
        done = 0
        for step in [records] if whole else [[raw] for raw in records]:
            failed = self._patience.of(partition, step[0].offset)
            error = await self._try(step, failed)
            if error is not None:
                break
            done += len(step)
        else:
            await self._commit(consumer, [(partition, records)])
            return
        absent = await self._is_absent(error)
        if done:
            await self._commit(consumer, [(partition, records[:done])])
        if not absent:
            self._patience.failed(partition, records[done].offset, failed.once_more(broken=is_away(error)))
        self._come_again(consumer, [(partition, records[done:])], error)

    async def _try(self, records: Sequence[ConsumerRecord], failed: Failed = Failed()) -> Exception | None:
        handlers = dict.fromkeys(self._handlers, _lost_its_connection) if failed.is_hopeless else self._handlers
        try:
            await apply(self._begin, self._group, [Record.of(raw) for raw in records], handlers, patient=failed.may_wait)
        except Exception as error:
            return error
        return None

    async def _is_absent(self, error: Exception) -> bool:
        """Whether the database is at fault, whichever event it is: it takes nothing, or doesn't answer."""
        return says_unwritable(error) or (is_away(error) and not await self._answers())

    async def _answers(self) -> bool:
        try:
            async with self._begin() as uow:
                return await answers(uow.connection)
        except Exception:
            return False

    async def _commit(self, consumer: AIOKafkaConsumer, partitions: Iterable[Partition]) -> None:
        for partition, records in partitions:
            self._patience.went_on(partition)
            self._progress.pop(partition, None)
            if partition in self._in_hand:
                self._uncommitted[partition] = records[-1].offset + 1
        await self._commit_offsets(consumer)

    async def _commit_offsets(self, consumer: AIOKafkaConsumer) -> None:
        assigned = consumer.assignment()  # a batch may span partitions, some gone since
        offsets = {partition: offset for partition, offset in self._uncommitted.items() if partition in assigned}
        self._uncommitted = dict(offsets)
        if not offsets:
            return
        try:
            await asyncio.wait_for(consumer.commit(offsets), COMMIT_SECONDS)
        except (KafkaError, IllegalStateError, TimeoutError) as error:  # it comes again, and is ignored then
            log.warning("offsets not committed", reason=type(error).__name__)
            return
        self._uncommitted = {partition: offset for partition, offset in self._uncommitted.items() if offsets.get(partition) != offset}
        crash.reach(Place.CONSUMER_DONE)

    def _forget(self) -> None:
        """Partitions are shared out anew. What another one commits of them since must stand, though they may come back."""
        self._uncommitted.clear()
        self._in_hand.clear()

    def _come_again(self, consumer: AIOKafkaConsumer, partitions: Iterable[Partition], error: Exception) -> None:
        """Pause what failed and go back to its first record; polling goes on, other partitions flow."""
        for partition, records in partitions:
            if partition not in self._in_hand or partition not in consumer.assignment():
                continue
            times, delay = self._patience.wait(partition)
            topic, number, offset = partition.topic, partition.partition, records[0].offset
            log.warning(
                "events wait", topic=topic, partition=number, offset=offset, attempts=times, seconds=round(delay, 1), exc_info=error
            )
            consumer.pause(partition)
            consumer.seek(partition, offset)
            asyncio.get_running_loop().call_later(delay, _resume, consumer, partition)

    async def _watch(self) -> None:
        """Measure lag, progress and what is parked."""
        while True:
            self._watched = time.monotonic()
            if self._broker is not None and self._reads():
                self._heard = self._watched
            try:
                for subscriber in self._broker.subscribers if self._broker else ():
                    if consumer := getattr(subscriber, "consumer", None):
                        await self._measure(consumer)
                        if not self._in_hand:
                            await self._commit_offsets(consumer)
                await self._count_parked()
            except Exception as error:
                log.warning("consumer can't be looked at", reason=type(error).__name__)
            await asyncio.sleep(WATCH_SECONDS)

    async def _count_parked(self) -> None:
        async with self._begin() as uow:
            parked = await count_parked(uow.connection, self._group)
        for topic in {*self._topics, *parked}:
            metrics.parked_events.labels(topic).set(parked.get(topic, 0))

    async def _measure(self, consumer: AIOKafkaConsumer) -> None:
        paused, now = consumer.paused(), time.monotonic()
        metrics.paused_partitions.set(len(paused))
        assigned = consumer.assignment()
        self._forget_lag(assigned)
        self._progress = {partition: progress for partition, progress in self._progress.items() if partition in assigned}
        self._patience.keep(assigned)
        for partition in assigned:
            end, answered = consumer.highwater(partition), consumer.last_poll_timestamp(partition)
            if end is None or answered is None:
                self._progress.setdefault(partition, _Progress(-1, now, now)).since = now
                continue
            position = await asyncio.wait_for(consumer.position(partition), WATCH_SECONDS)
            done = self._in_hand.get(partition, position)
            metrics.consumer_lag.labels(partition.topic, partition.partition).set(max(end - done, 0))
            self._shown.add(partition)
            before = self._progress.get(partition)
            if done >= end:
                silent = time.time() - answered / 1000  # whoever leads the partition no longer says what waits there
                self._progress[partition] = _Progress(done, now, now - silent if silent > UNPOLLED_SECONDS else None)
            elif before is None or done != before.done:
                self._progress[partition] = _Progress(done, now, now)
            else:
                before.waits_since = before.waits_since or now  # it may have had nothing to do until now
                if partition in paused:
                    before.since = now

    def _forget_lag(self, assigned: Collection[TopicPartition]) -> None:
        """Who reads a partition now shows its lag; what was last seen here would count beside it for ever."""
        for partition in self._shown.difference(assigned):
            self._shown.discard(partition)
            metrics.consumer_lag.remove(partition.topic, str(partition.partition))


def broker_security(settings: ServiceSettings) -> BaseSecurity | None:
    """As `client_options`, in FastStream's words; None = plain."""
    context = tls_context(settings) if settings.kafka_security_protocol.endswith("SSL") else None
    if settings.kafka_username and settings.kafka_password:
        scram = {"SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}[settings.kafka_sasl_mechanism]
        return scram(settings.kafka_username, settings.kafka_password.get_secret_value(), ssl_context=context, use_ssl=bool(context))
    return BaseSecurity(ssl_context=context, use_ssl=True) if context else None


def _by_partition(batch: Iterable[ConsumerRecord]) -> dict[TopicPartition, list[ConsumerRecord]]:
    partitions: dict[TopicPartition, list[ConsumerRecord]] = {}
    for place, records in groupby(batch, attrgetter("topic", "partition")):
        partitions.setdefault(TopicPartition(*place), []).extend(records)
    return partitions


async def _lost_its_connection(_event: Event, _uow: UnitOfWork) -> None:
    raise TransactionBrokenError


def _resume(consumer: AIOKafkaConsumer, partition: TopicPartition) -> None:
    if partition in consumer.assignment():
        consumer.resume(partition)


async def _poll(consumer: AIOKafkaConsumer) -> tuple[ConsumerRecord, ...]:
    """FastStream's own sleeps after an empty poll as long as that took: who comes meanwhile waits."""
    return tuple(chain.from_iterable((await consumer.getmany(timeout_ms=POLL_MS, max_records=BATCH)).values()))


async def _as_it_came(batch: tuple[ConsumerRecord, ...], parse: Callable[[Any], Awaitable[StreamMessage[Any]]]) -> StreamMessage[Any]:
    message = await parse((replace(batch[0], headers=()),))  # FastStream's parser fails on a header that isn't text
    message.raw_message = batch
    return message


async def _as_it_is(message: StreamMessage[Any]) -> object:
    return message.body
