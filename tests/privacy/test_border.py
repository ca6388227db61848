"""The border between anonymous and known, seen from outside: topics, databases, traces and times of everything that was walked."""

import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import ConsumerRecord
from contracts.catalogue import PUBLIC_ID_FIELDS, SERVICES, TOPICS, ZONES
from contracts.codes import Zone
from contracts.dialog import HandoffOffered, HandoffsCounted
from contracts.event import Envelope
from contracts.helpjourney import ClaimsCounted
from servicekit.claim_secret import TypedCode, lookup_hash, read_secret

from tests.privacy.ids import ids_in, ids_of_record, ids_of_records, ids_of_tables
from tests.privacy.sinks import Sinks
from tests.privacy.walk import Walk

HEADERS = {
    "ce_specversion",
    "ce_id",
    "ce_type",
    "ce_source",
    "ce_time",
    "ce_dataschema",
    "ce_sequence",
    "content-type",
}
IN_ZONE_HEADERS = {"traceparent", "ce_causationid"}
TRACE_HEADERS = {"traceparent", "tracestate", "baggage", "x-request-id", "x-correlation-id", "x-trace-id", "server-timing"}
LEVEL_3 = ("helpjourney", "identity")


def owner_of(record: ConsumerRecord) -> str:
    return TOPICS[record.topic].owner


def records_of(sinks: Sinks, *owners: str) -> list[ConsumerRecord]:
    return [record for record in sinks.records if owner_of(record) in owners]


def events(sinks: Sinks, event_type: str) -> list[dict[str, Any]]:
    return [json.loads(record.value) for record in sinks.records if Envelope.of(record.headers).type == event_type]


def public_ids(records: Iterable[ConsumerRecord]) -> set[str]:
    """Ids of public things as info, their owner, tells them: the fields that the catalogue lists, and the events about them."""
    told = [record for record in records if owner_of(record) == "info" and TOPICS[record.topic].key in PUBLIC_ID_FIELDS]
    return ids_of_records(told)


def common_ids(one: Iterable[ConsumerRecord], other: Iterable[ConsumerRecord], public: set[str]) -> set[str]:
    return (ids_of_records(one) & ids_of_records(other)) - public


def test_no_id_is_common_to_topics_of_levels_2_and_3(sinks: Sinks) -> None:
    """INVARIANT: nothing on Kafka leads from an anonymous conversation to a person."""
    anonymous, known, public = records_of(sinks, "dialog"), records_of(sinks, *LEVEL_3), public_ids(sinks.records)
    assert {TOPICS[record.topic].name for record in anonymous + known} >= {"dialog.handoffs.v1", "dialog.chats.v1", "helpjourney.claims.v1"}
    assert common_ids(anonymous, known, public) == set()


def test_a_common_id_is_noticed(sinks: Sinks) -> None:
    """The check above, seen to fail: one id carried over, with and without hyphens, in data, key or header."""
    anonymous, known, public = records_of(sinks, "dialog"), records_of(sinks, *LEVEL_3), public_ids(sinks.records)
    chat = next(record for record in anonymous if record.topic == "dialog.chats.v1").key
    for changed in (
        _like(known[0], value=b'{"note": "' + chat.replace(b"-", b"") + b'"}'),
        _like(known[0], key=chat.upper()),
        _like(known[0], headers=(("ce_causationid", chat),)),
    ):
        assert common_ids(anonymous, [*known, changed], public) == ids_in(chat.decode())


def _like(record: ConsumerRecord, **changed: Any) -> ConsumerRecord:
    fields = {name: getattr(record, name) for name in record.__dataclass_fields__}
    return ConsumerRecord(**{**fields, **changed})


def allowed_in_both(sinks: Sinks) -> set[str]:
    """What the databases on both sides of the border may hold: public things, staff's own logins at dialog, offers that still wait.

    And the number of their cluster: here all were copied from one pattern.
    """
    level_3, identity = sinks.databases["helpjourney"], sinks.databases["identity"]
    waiting = ids_of_tables({"offers": level_3["offers"]}).keys()
    spent = ids_in(str([row["lookup_hash"] for row in level_3["spent_secrets"]]))
    own = [row for row in identity["logins"] if row["reader"] == "dialog"]
    assert {row["scope"] for row in own} <= {"staff"}, "no youth logs in at dialog"
    staff = ids_in(str([[row["sid"], row["subject"]] for row in own]))
    clusters = ids_in(str([row["lineage"] for row in sinks.databases["dialog"]["lineages"]]))
    return public_ids(sinks.records) | waiting | spent | staff | clusters


def test_no_id_is_common_to_the_databases_of_levels_2_and_3(sinks: Sinks) -> None:
    """INVARIANT: with both sides' databases in hand nothing joins them, except offers that wait and hashes that are spent."""
    anonymous, allowed = ids_of_tables(sinks.databases["dialog"]), allowed_in_both(sinks)
    for service in LEVEL_3:
        known = ids_of_tables(sinks.databases[service])
        assert len(anonymous) > 50
        assert len(known) > 20
        both = (anonymous.keys() & known.keys()) - allowed
        assert {one: (anonymous[one], known[one]) for one in both} == {}


def test_topics_of_one_side_name_no_row_of_the_other(sinks: Sinks) -> None:
    """INVARIANT: nothing that level 3 tells is known to dialog, and nothing but waiting offers the other way."""
    allowed = public_ids(sinks.records)
    assert ids_of_records(records_of(sinks, *LEVEL_3)) & ids_of_tables(sinks.databases["dialog"]).keys() - allowed == set()
    told = ids_of_records(records_of(sinks, "dialog")) - ids_of_records(record for record in sinks.records if "handoffs" in record.topic)
    for service in LEVEL_3:
        assert told & ids_of_tables(sinks.databases[service]).keys() - allowed == set()


def test_a_claimed_offer_has_left_no_id_at_level_3(walk: Walk, sinks: Sinks) -> None:
    """INVARIANT: after the yes not even the offer's own id is left there; before, it is."""
    at_dialog = {row["lookup_hash"]: row for row in sinks.databases["dialog"]["handoffs"]}
    known = {service: ids_of_tables(sinks.databases[service]) for service in LEVEL_3}
    claimed = [handoff_of(shown, at_dialog) for shown in walk.claimed]
    assert len(claimed) == 3
    assert [one for one in claimed for service in LEVEL_3 if one in known[service]] == []
    waiting = [handoff_of(unclaimed.shown, at_dialog) for unclaimed in walk.unclaimed]
    assert all(one in known["helpjourney"] for one in waiting)


def handoff_of(shown: str, rows: dict[Any, dict[str, Any]]) -> str:
    """The id of the offer that a secret or code stands for, as dialog knows it until it expires."""
    if len(shown) > 40:
        return ids_in(str(rows[lookup_hash(read_secret(shown))]["id"])).pop()
    code = TypedCode.read(shown)
    near = [row for row in rows.values() if row["locator"] == code.locator]
    (row,) = (row for row in near if row["lookup_hash"] == lookup_hash(code.stretched(row["salt"])))
    return ids_in(str(row["id"])).pop()


def traces(sinks: Sinks) -> dict[Zone, set[str]]:
    """Trace ids by zone, of spans and of log lines."""
    found: dict[Zone, set[str]] = {}
    for service in SERVICES:
        spans = [json.loads(line) for line in sinks.by_place[f"spans:{service}"].decode().splitlines()]
        assert not any(span["links"] for span in spans)
        logged = re.findall(r'"trace_id": "([0-9a-f]{32})"', sinks.by_place[f"log:{service}"].decode())
        found.setdefault(ZONES[service], set()).update(logged, (span["context"]["trace_id"].removeprefix("0x") for span in spans))
    return found


def test_no_trace_crosses_a_zone_whatever_the_client_sends(walk: Walk, sinks: Sinks) -> None:
    """INVARIANT: trace ids of different zones are disjoint, and none is taken over from outside, past the gateway neither."""
    by_zone = traces(sinks)
    assert all(len(ids) > 20 for ids in by_zone.values())
    everything = [one for ids in by_zone.values() for one in ids]
    assert len(everything) == len(set(everything))
    sent = walk.canaries.planted["trace id of the client"].text
    assert walk.noise["traceparent"].split("-")[1] == sent
    assert sent not in everything


def test_no_trace_reaches_a_browser(walk: Walk, sinks: Sinks) -> None:
    """INVARIANT: no answer carries what two agencies' logs could be joined by."""
    ids = {one for found in traces(sinks).values() for one in found}
    assert not any(TRACE_HEADERS & set(seen.headers) for seen in walk.seen)
    shown = {one for seen in walk.seen for one in ids_in(f"{seen.headers.multi_items()} {seen.html}")}
    assert shown & ids == set()


def test_records_carry_a_trace_or_a_cause_only_inside_a_zone(sinks: Sinks) -> None:
    """INVARIANT: no traceparent, baggage, correlation, request or causation id passes a border on Kafka."""
    for record in sinks.records:
        names = {name for name, _ in record.headers}
        extra = IN_ZONE_HEADERS if TOPICS[record.topic].stays_in_zone else set()
        assert HEADERS <= names <= HEADERS | extra, record.topic
    inside = [record for record in sinks.records if TOPICS[record.topic].stays_in_zone]
    assert any(name == "traceparent" for record in inside for name, _ in record.headers), "the way to carry one works"
    by_id = {str(Envelope.of(record.headers).id): owner_of(record) for record in sinks.records}
    for record in sinks.records:
        cause = Envelope.of(record.headers).causation_id
        assert cause is None or ZONES[by_id[str(cause)]] is ZONES[owner_of(record)]


def test_times_are_as_coarse_as_the_topic_asks(sinks: Sinks) -> None:
    """INVARIANT: ce_time and the record's own timestamp are equal and rounded: neither says more than the other."""
    for record in sinks.records:
        seconds = TOPICS[record.topic].precision
        told = Envelope.of(record.headers).time
        assert record.timestamp_type == 0, "the producer's time, not the broker's"
        assert record.timestamp == told.timestamp() * 1000, record.topic
        assert told.timestamp() % seconds == 0, record.topic


def test_an_offer_expires_on_a_round_time(sinks: Sinks) -> None:
    """INVARIANT: the end of an offer doesn't tell its beginning to the second."""
    offered = events(sinks, HandoffOffered.type)
    assert len(offered) >= 7
    for data in offered:
        assert datetime.fromisoformat(data["expires_at"]).timestamp() % 300 == 0
        assert ids_in(str(data)) - ids_in(data.get("sealed_summary") or "") == ids_in(
            f"{data['handoff_id']} {data['lookup_hash']} {data['salt']}"
        )


@pytest.mark.parametrize("event_type", [HandoffsCounted.type, ClaimsCounted.type])
def test_counts_hold_no_id_but_their_buckets(sinks: Sinks, event_type: str) -> None:
    """INVARIANT: what reporting learns of the border are numbers."""
    counted = [record for record in sinks.records if Envelope.of(record.headers).type == event_type]
    assert counted
    for record in counted:
        data = json.loads(record.value)
        assert set(data) == {"bucket_id", "bucket_start", "bucket_seconds", "counts"}
        assert ids_of_record(record) == ids_in(f"{data['bucket_id']} {Envelope.of(record.headers).id}")
        others = (other for other in sinks.records if other is not record)
        assert ids_in(data["bucket_id"]) & ids_of_records(others) == set()


def test_ids_are_seen_in_every_spelling() -> None:
    one = uuid4()
    assert ids_in(f'"{one}"') == ids_in(one.hex) == ids_in(str(one).upper()) == ids_in(f"x {one.hex}|") == {one.hex}
    assert ids_in("ordinary words, 0301, 300000085, 2026-11-24T03:00:00Z") == set()
