"""The published catalogue: valid for the specification's own parser, and enough for a reader in another language."""

import asyncio
import json
import os
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from contracts.catalogue import EVENTS, SERVICES, TOPICS, topics_read_by
from contracts.page import page
from contracts.schemas import CATALOGUE

from deploy.local.node import install, node
from deploy.testing.golden import golden_examples

STRANGER = Path(__file__).with_name("stranger")
DOCUMENTS = sorted(CATALOGUE.glob("*.asyncapi.json"))
READER = "reporting"


@pytest.fixture(scope="module")
def npm():
    install(STRANGER)


def judged(*files: Path) -> list[dict]:
    done = subprocess.run([node(), STRANGER / "judge.mjs", *files], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_document_is_valid_asyncapi_3(npm):
    found = judged(*DOCUMENTS)
    assert {Path(one["file"]).name for one in found} == {f"{name}.asyncapi.json" for name in ("platform", *SERVICES)}
    assert [one["errors"] for one in found] == [[]] * len(DOCUMENTS)
    platform = next(one for one in found if "platform" in one["file"])
    assert platform["channels"] == len(TOPICS)
    assert platform["operations"] == len(TOPICS) + sum(len(topic.readers) for topic in TOPICS.values())


@pytest.mark.parametrize("broken", ["address", "payload"])
def test_an_invalid_document_is_noticed(npm, tmp_path, broken):
    text = (CATALOGUE / "info.asyncapi.json").read_text()
    document = json.loads(text)
    if broken == "address":
        next(iter(document["channels"].values()))["address"] = 7
    else:
        next(iter(document["components"]["messages"].values()))["payload"] = {"$ref": "#/components/schemas/Nowhere"}
    (tmp_path / "broken.json").write_text(json.dumps(document))
    assert judged(tmp_path / "broken.json")[0]["errors"]


def test_the_page_says_who_writes_who_reads_what_shape_since_when():
    text = page()
    assert all(f'id="{name}"' in text for name in (*TOPICS, *EVENTS, *SERVICES))
    assert text.count("since 0.1.0") >= len(TOPICS) + len(EVENTS)
    assert "helpjourney" in text
    assert "<script" not in text
    assert "style=" not in text


def test_the_page_says_what_stands_around_an_event_and_speaks_of_json():
    """INVARIANT: nobody has to know Python, or read our code, to know what a record looks like."""
    text, envelope = page(), json.loads((CATALOGUE / "platform.asyncapi.json").read_text())["components"]["schemas"]["Envelope"]
    assert all(f"<code>{header}</code>" in text for header in envelope["properties"])
    assert "always <code>application/json</code>" in text
    assert "whole number, from 0 to 120, or null" in text
    assert "text, like <code>^\\d{9}$</code>" in text
    assert "list of codes: " in text
    assert "<code>service.<wbr>opening_hours[].<wbr>weekday</code>" in text
    assert not re.search(r"`|\bNone\b|\bTrue\b|\bFalse\b", text)


async def produce(kafka, examples):
    """Each owner tells its own."""
    for owner in {TOPICS[example.topic].owner for example in examples}:
        async with AIOKafkaProducer(**kafka.access(owner).aiokafka) as producer:
            for example in (one for one in examples if TOPICS[one.topic].owner == owner):
                headers = [(name, value.encode()) for name, value in example.headers.items()]
                await producer.send_and_wait(example.topic, json.dumps(example.data).encode(), key=example.key.encode(), headers=headers)


def reads_as_a_stranger(kafka, count):
    environment = {"PATH": os.environ["PATH"], "KAFKA_BOOTSTRAP": kafka.admin.bootstrap, **kafka.access(READER).environment}
    command = [node(), STRANGER / "stranger.mjs", CATALOGUE / f"{READER}.asyncapi.json", READER, str(count)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


async def test_a_stranger_reads_its_topics_by_the_published_catalogue_alone(npm, kafka):
    """INVARIANT: an agency with another language needs one file of us, and no code."""
    examples = [example for example in golden_examples() if example.topic in topics_read_by(READER)]
    await produce(kafka, examples)
    understood = await asyncio.to_thread(reads_as_a_stranger, kafka, len(examples))
    assert Counter(one["type"] for one in understood) == Counter(example.type for example in examples)
    assert all(one["known"] and one["errors"] == [] for one in understood), [one for one in understood if one["errors"]]
    assert {(one["topic"], one["key"]) for one in understood} == {(example.topic, example.key) for example in examples}
