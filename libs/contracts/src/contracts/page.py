"""The catalogue as one static page for people: who writes, who reads, what shape, since when, until when."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib import metadata
from typing import Any

from contracts.asyncapi import envelope, examples_of
from contracts.catalogue import EVENTS, OWNERS, SERVICES, TOPICS, topics_of
from contracts.event import Event
from contracts.topic import Topic

SHAPES = {"uuid": "id (UUID)", "date-time": "instant, UTC", "date": "day", "time": "time of day"}
ZONE_WORDS = {"open": "open", "anonymous": "anonymous", "known": "known (logged in)", "reporting": "counts only"}


def page() -> str:
    """The whole page. Works without script; its style lies beside it."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Stegvis: the catalogue of events</title>
<link rel="stylesheet" href="catalogue.css">
</head>
<body>
<a class="skip" href="#main">Skip to the catalogue</a>
<header>
<p class="mark">Stegvis</p>
<h1>What the services tell each other</h1>
<p>{len(SERVICES)} services, {len(TOPICS)} topics and {len(EVENTS)} types of events.
Version {escape(metadata.version("contracts"))} of the contracts. Events carry ids, codes and bands. No event says who somebody is.</p>
<p>For programs: <a href="platform.asyncapi.json">the whole platform as AsyncAPI 3</a>, or one service:
{", ".join(f'<a href="{name}.asyncapi.json">{name}</a>' for name in SERVICES)}.</p>
</header>
<main id="main">
<h2>Who writes, who reads</h2>
{_overview()}
{_envelope()}
{"".join(_owner(name) for name in SERVICES)}</main>
<footer><p>Made from the catalogue by <code>make schemas</code>.
A reader ignores fields it doesn't know and keeps codes it doesn't know.</p></footer>
</body>
</html>
"""


def _overview() -> str:
    rows = [
        (
            f'<a href="#{topic.name}">{topic.name}</a>',
            f'<a href="#{topic.owner}">{topic.owner}</a>',
            _readers(topic),
            str(len(_told_on(topic))),
            _life(topic),
        )
        for topic in TOPICS.values()
    ]
    return _table("All topics", ("Topic", "Written by", "Read by", "Types", "In use"), rows)


def _envelope() -> str:
    said = envelope()
    return (
        f'<section aria-labelledby="envelope">\n<h2 id="envelope">What every record has</h2>\n<p>{_marked(said["description"])}</p>\n'
        f"{_fields('Headers of every record', said)}</section>\n"
    )


def _fields(caption: str, schema: dict[str, Any]) -> str:
    rows = [
        (f"<code>{escape(path).replace('.', '.<wbr>')}</code>", _marked(shape), "yes" if always else "no", _marked(meaning))
        for path, shape, always, meaning in fields(schema, schema.get("$defs", {}))
    ]
    return _table(caption, ("Field", "Shape", "Always there", "Meaning"), rows, "fields")


def _marked(text: str) -> str:
    """As markup: what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _table(caption: str, heads: Sequence[str], cells: Iterable[Sequence[str]], kind: str = "all") -> str:
    """Cells are markup. Each names its column, so that a narrow screen can show a row as a card."""
    columns = "".join(f'<th scope="col">{head}</th>' for head in heads)
    rows = "".join(
        f'<tr><th scope="row">{first}</th>'
        + "".join(f'<td data-column="{head}">{cell}</td>' for head, cell in zip(heads[1:], rest, strict=True))
        + "</tr>\n"
        for first, *rest in cells
    )
    head = f'<table class="{kind}"><caption>{escape(caption)}</caption>\n<thead><tr>{columns}</tr></thead>'
    return f"{head}\n<tbody>\n{rows}</tbody></table>\n"


def _readers(topic: Topic) -> str:
    return ", ".join(name for name in SERVICES if name in topic.readers)


def _life(card: Topic | type[Event]) -> str:
    return f"since {card.since}" + (f", until {card.until.isoformat()}" if card.until else "")


def _told_on(topic: Topic) -> list[type[Event]]:
    return [event for event in EVENTS.values() if topic in topics_of(event)]


def _owner(name: str) -> str:
    owner = OWNERS[name]
    topics = [topic for topic in TOPICS.values() if topic.owner == name]
    told: dict[tuple[str, ...], list[Topic]] = {}
    for topic in topics:  # topics with the same events, one for each reader, are one family
        told.setdefault(tuple(event.type for event in _told_on(topic)), []).append(topic)
    families = "".join(_family(family) for family in told.values())
    return (
        f'<section aria-labelledby="{name}">\n<h2 id="{name}">{name}</h2>\n'
        f'<p>Owner: {escape(owner.agency)}. Zone: <span class="zone zone-{owner.zone}">{ZONE_WORDS[owner.zone]}</span></p>\n'
        f"{families or '<p>Tells nothing yet.</p>'}</section>\n"
    )


def _family(topics: list[Topic]) -> str:
    cards = "".join(_card(topic) for topic in topics)
    return f"<article>\n{cards}{''.join(_event(event) for event in _told_on(topics[0]))}</article>\n"


def _card(topic: Topic) -> str:
    facts = {
        "Written by": f"{topic.owner}, {OWNERS[topic.owner].agency}",
        "Read by": _readers(topic),
        "Key": f"{topic.key}, random",
        "Times": "exact to the second" if topic.precision == 1 else f"rounded down to {int(topic.precision) // 60} min",
        "Sensitivity": topic.sensitivity,
        "Kept": f"{topic.retention_days} days",
        "Partitions": str(topic.partitions),
        "In use": _life(topic),
    }
    said = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in facts.items())
    return f'<h3 id="{topic.name}">{topic.name}</h3>\n<dl>{said}</dl>\n'


def _event(event: type[Event]) -> str:
    shown = "".join(
        f"<details><summary>Example: {escape(name.replace('_', ' '))}</summary>"
        f"<pre><code>{escape(json.dumps(golden['data'], indent=2, ensure_ascii=False))}</code></pre></details>\n"
        for name, golden in examples_of(event)
    )
    return (
        f'<section class="event" aria-labelledby="{event.type}">\n<h4 id="{event.type}">{event.type}</h4>\n'
        f"<p>{_marked(event.__doc__ or '')} <small>{_life(event)}</small></p>\n"
        f"{_fields(f'Fields of {event.type}', event.model_json_schema())}{shown}</section>\n"
    )


def fields(node: dict[str, Any], defs: dict[str, Any], inside: str = "") -> Iterator[tuple[str, str, bool, str]]:
    """Path, shape, whether it's always there, and meaning, of every field of a schema."""
    for name, given in node.get("properties", {}).items():
        options = [_found(option, defs) for option in given.get("anyOf", [given])]
        kinds = [option for option in options if option.get("type") != "null"]
        nullable = len(kinds) < len(options)
        kind = kinds[0]
        item = _found(kind["items"], defs) if "items" in kind else kind
        path = f"{inside}{name}{'[]' if 'items' in kind else ''}"
        shape = (f"list of {_many(_shape(item))}" if "items" in kind else _shape(item)) + (", or null" if nullable else "")
        yield path, shape, name in node.get("required", ()), given.get("description", "") or kind.get("description", "")
        yield from fields(item, defs, f"{path}.")


def _found(node: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        found: dict[str, Any] = defs[node["$ref"].rpartition("/")[2]]
        return found
    return node


def _many(shape: str) -> str:
    return re.sub(r"^(code|object|id|day|instant|whole number|text)\b", r"\1s", shape)


def _shape(node: dict[str, Any]) -> str:
    if "const" in node:
        return f"always `{node['const']}`"
    if "x-known-codes" in node:
        return "code: " + ", ".join(node["x-known-codes"]) + ", or a newer one"
    if "format" in node:
        return SHAPES.get(node["format"], str(node["format"]))
    kind = str(node.get("type", "anything"))
    words = {"integer": "whole number", "boolean": "true or false", "string": "text"}.get(kind, kind)
    low = node.get("minimum", node.get("exclusiveMinimum", -1) + 1 if "exclusiveMinimum" in node else None)
    bounds = [" ".join([*([f"from {low}"] if low is not None else []), *([f"to {node['maximum']}"] if "maximum" in node else [])])]
    bounds += [f"at most {node['maxLength']} characters" if "maxLength" in node else ""]
    bounds += [f"like `{node['pattern']}`" if "pattern" in node else ""]
    return ", ".join([words, *filter(None, bounds)])
