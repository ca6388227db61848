"""What leaves the processes for operations, on the whole platform: log lines and spans."""

import asyncio
import json
from collections import defaultdict

import pytest
from contracts.catalogue import SERVICES, ZONES
from servicekit.logs import FIELDS
from servicekit.telemetry import ALLOWED

from deploy.local.journey.cast import synthetic_number
from deploy.local.journey.people import Youth
from deploy.testing import until
from tests.operations.collector import Collector

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
async def journey(platform, crew, collector) -> Collector:
    """One youth goes from an anonymous chat to a login, and out again. What came of it at the collector."""
    youth = Youth(crew.urls)
    talk = await crew.talk(youth)
    await crew.helper.offers_to_go_on(talk, "family", "soon", "")
    page = await youth.carries(await youth.goes_on())
    await youth.says_it_is_her(await youth.logs_in_here(page, synthetic_number(140)))
    page = await youth.takes_in()
    await youth.browser.submit(page.form("/logg-ut"))
    await youth.ends_chat()
    await youth.leaves()
    await until(lambda: _ended(collector), seconds=60)
    return collector


async def _ended(collector: Collector) -> bool:
    """Both services' parts of one trace are there: each process exports on its own, some seconds after the fact."""
    services = defaultdict(set)
    for service, span in await asyncio.to_thread(collector.spans):
        services[span.trace_id].add(service)
    return {"identity", "helpjourney"} in services.values() and set().union(*services.values()) == set(SERVICES)


async def test_spans_come_to_a_collector_one_trace_per_zone_and_cut_at_the_border(journey):
    """INVARIANT: traces of two zones share no id, no parent and no link; what a span says is on the list."""
    zones, traces, members = defaultdict(set), defaultdict(set), {}
    for service, span in journey.spans():
        zones[span.trace_id].add(ZONES[service])
        traces[span.trace_id].add(service)
        members[span.span_id] = span.trace_id
    assert all(len(crossed) == 1 for crossed in zones.values())
    for service, span in journey.spans():
        assert not span.links
        assert not span.events
        assert not span.trace_state
        assert {attribute.key for attribute in span.attributes} <= ALLOWED, (service, span.name)
        assert members.get(span.parent_span_id, span.trace_id) == span.trace_id
    assert {"identity", "helpjourney"} in traces.values(), "inside a zone a trace goes on over Kafka"
    assert journey.resources() == {"service.name", "service.version"}
    assert journey.paths == {"/v1/traces"}


async def test_every_log_line_is_json_with_known_fields(platform, journey):
    """INVARIANT: also what libraries log, and at the most talkative level."""
    for service in SERVICES:
        lines = platform.log(service).read_text().splitlines()
        assert lines, service
        for line in lines:
            assert json.loads(line).keys() <= FIELDS, line
