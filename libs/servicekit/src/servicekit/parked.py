"""`python -m <service> parked list | show | retry | skip`: what people see of parked events, and do about them. All of it is audited."""

import argparse
import getpass
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import Any

from contracts.catalogue import topics_owned_by

from servicekit.database import create_engine, is_transient
from servicekit.delivery.behind import release
from servicekit.delivery.inbox import TopicKey
from servicekit.delivery.outbox import Begin, UnitOfWork, beginner
from servicekit.delivery.parking import (
    TOLD,
    Decision,
    ParkedKey,
    audit,
    parked_events,
    parked_keys,
    payloads,
    topics_parked,
)
from servicekit.delivery.replay import UNFINISHED, NothingParkedError, Outcome, retry
from servicekit.service import Service


class RefusedError(Exception):
    """What was asked for can't be done; the text says why, in one line."""


def parse(service: str, words: Sequence[str]) -> argparse.Namespace:
    """What stands behind `parked`. Exits with 2 where it makes no sense."""
    parser = argparse.ArgumentParser(prog=f"python -m {service} parked", description=__doc__)
    parser.add_argument("action", nargs="?", default="list", choices=("list", "show", "retry", "skip"))
    parser.add_argument("key", nargs="?", help="the key (aggregate id) that waits; without it, retry and skip take all keys of --topic")
    parser.add_argument("--topic", help="where the key waits on more than one")
    parser.add_argument("--payload", action="store_true", help="show: also what the events say; needs --reason")
    parser.add_argument("--reason", help="why; it is kept. skip and --payload need one")
    parser.add_argument("--by", default=_user(), help="who decides; it is kept (default: the account)")
    asked = parser.parse_args(words)
    if asked.action != "list" and not asked.key and not (asked.topic and asked.action in {"retry", "skip"}):
        parser.error(f"{asked.action} needs a key{'' if asked.action == 'show' else ', or --topic for all of its keys'}")
    if (asked.action == "skip" or asked.payload) and not (asked.reason or "").strip():
        parser.error(f"{'--payload' if asked.payload else 'skip'} needs --reason")
    return asked


async def parked(service: Service, asked: argparse.Namespace) -> None:
    """Do what was asked for and print one JSON object per line. Raises SystemExit: 1 and one line where it can't be done."""
    engine = create_engine(service.settings.dsn, f"{service.name} parked", pool_size=1)
    begin = beginner(engine, service.name, service.settings.clock_offset, service.settings.ledger)
    done = False
    try:
        async for line in _do(service, begin, asked):
            sys.stdout.write(json.dumps(line, default=str) + "\n")
            done = True
    except (RefusedError, NothingParkedError) as error:
        raise SystemExit(f"{service.name}: {error}") from None
    except Exception as error:
        if not is_transient(error):
            raise
        so_far = "what is said above is done, nothing else was changed" if done else "nothing was changed"
        raise SystemExit(f"{service.name}: {so_far}, try again ({type(error).__name__})") from None
    finally:
        await engine.dispose()


async def _do(service: Service, begin: Begin, asked: argparse.Namespace) -> AsyncIterator[dict[str, Any]]:
    decision = Decision(asked.by, "show payload" if asked.payload else asked.action, asked.reason)
    if asked.action == "list":
        async with begin() as uow:
            keys = await _every_key(uow, service.name)
            await audit(uow, decision, service.name, left=sum(key.events for key in keys))
        for key in keys:
            yield asdict(key)
    elif asked.action == "show":
        topic = await _topic(service.name, begin, asked, decision)
        for event in await _show(_side(service.name, topic), begin, topic, asked, decision):
            yield event
    else:
        places = await _places(service.name, begin, asked, decision)
        for place in places:
            async for outcome in _decide(service, begin, place, decision, skip=asked.action == "skip"):
                yield asdict(outcome)


def _side(service: str, topic: str) -> str:
    """As whom a service parks events of a topic: what it reads as itself, what it told (and no longer knows) as TOLD."""
    return TOLD if topic in topics_owned_by(service) else service


async def _every_key(uow: UnitOfWork, service: str) -> list[ParkedKey]:
    return [*await parked_keys(uow.connection, service), *await parked_keys(uow.connection, TOLD)]


async def _places(service: str, begin: Begin, asked: argparse.Namespace, decision: Decision) -> list[TopicKey]:
    if asked.key:
        return [(await _topic(service, begin, asked, decision), asked.key)]
    async with begin() as uow:
        places = [(key.topic, key.key) for key in await _every_key(uow, service) if key.topic == asked.topic]
        if not places:
            await audit(uow, decision, service, topic=asked.topic)
    if not places:
        raise RefusedError(f"no key of {asked.topic} is parked")
    return places


async def _decide(service: Service, begin: Begin, place: TopicKey, decision: Decision, *, skip: bool) -> AsyncIterator[Outcome]:
    if _side(service.name, place[0]) == TOLD:
        yield await release(begin, place, decision, skip=skip)
        return
    yield (outcome := await retry(begin, service.name, place, service.handlers, decision, skip=skip))
    while outcome.stops_at == UNFINISHED:
        yield (outcome := await retry(begin, service.name, place, service.handlers, decision))


async def _show(consumer: str, begin: Begin, topic: str, asked: argparse.Namespace, decision: Decision) -> list[dict[str, Any]]:
    async with begin() as uow:
        events = [asdict(event) for event in await parked_events(uow.connection, consumer, asked.key) if event.topic == topic]
        if not asked.payload:
            await audit(uow, decision, consumer, topic=topic, key=asked.key, left=len(events))
            return events
        found = await payloads(uow, consumer, topic, asked.key, decision)
    said = {event_id: {"headers": headers, "data": value.decode(errors="replace")} for event_id, headers, value in found}
    return [event | said[event["event_id"]] for event in events]


async def _topic(consumer: str, begin: Begin, asked: argparse.Namespace, decision: Decision) -> str:
    """The topic that is meant. Who asked for a key that doesn't wait, or for one of several, has acted too: that leaves its row."""
    async with begin() as uow:
        topics = await topics_parked(uow.connection, [consumer, TOLD], asked.key)
        meant = [asked.topic] if asked.topic in topics else [] if asked.topic else topics
        if len(meant) != 1:
            await audit(uow, decision, consumer, topic=asked.topic, key=asked.key)
    if not meant:
        raise NothingParkedError
    if len(meant) > 1:
        raise RefusedError(f"the key waits on several topics; say which with --topic: {', '.join(topics)}")
    return str(meant[0])


def _user() -> str:
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
