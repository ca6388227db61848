"""Prometheus beside the running platform: it sees every process, answers every diagram, and what the runbooks look at is there."""

import asyncio
import time

import pytest
from contracts.catalogue import SERVICES

from deploy.observability.alerts import ALERTS, Times
from deploy.observability.local import LocalPrometheus
from deploy.observability.panels import BOARDS, INTERVAL
from deploy.testing import until
from tests.operations.books import Block, BookError, blocks, follow, place

pytestmark = pytest.mark.timeout(240)
WHOSE = {"AcuteWishUnattended": "helpjourney", "LoginsFail": "identity"}
"""Whose process the page looks at, where that isn't dialog's."""
LOOKED_AT = [alert for alert in ALERTS if alert.name != "CertificateExpires"]
"""That one needs a TLS server to look at: `make alerts` has one."""


@pytest.fixture(scope="module")
def prometheus(platform, tmp_path_factory):
    running = LocalPrometheus(tmp_path_factory.mktemp("prometheus"), platform.addresses, Times(scrape_seconds=1))
    running.start()
    yield running
    running.stop()


def now(prometheus, expression):
    return prometheus.over_time(expression, time.time(), 5, step=1)


async def test_it_sees_every_process(prometheus):
    async def all_up() -> bool:
        found = await asyncio.to_thread(now, prometheus, 'up{job="stegvis"} == 1')
        return {line["metric"]["service"] for line in found} == set(SERVICES)

    await until(all_up, seconds=30)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_it_answers_every_query_of_a_dashboard(prometheus, board):
    for panel in board.panels:
        for query in panel.queries:
            now(prometheus, query.expr.replace(INTERVAL, "10s"))


def test_a_query_that_is_none_is_noticed(prometheus):
    with pytest.raises(ValueError, match="parse error"):
        now(prometheus, "max by (service (up)")


@pytest.mark.parametrize("alert", LOOKED_AT, ids=lambda alert: alert.name)
def test_what_a_page_looks_at_is_there(prometheus, platform, alert):
    here = place(platform, WHOSE.get(alert.name, "dialog"), prometheus.url)
    looks = [block for block in blocks(alert.runbook) if block.kind == "sh"]
    assert looks
    for block in looks:
        follow(Block("\n".join(line for line in block.lines.splitlines() if "$KEY" not in line), block.kind), here)


def test_what_is_not_there_is_noticed(prometheus, platform):
    with pytest.raises(BookError):
        follow(Block("curl -sS $INTERNAL/metrics | grep ^stegvis_nothing", "sh"), place(platform, "dialog", prometheus.url))
