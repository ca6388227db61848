"""Whether Prometheus, in its profile, gets an answer from every process of the services."""

import time

import httpx
from contracts.catalogue import SERVICES

from deploy.containers.stack import ROLES, Stack

PORT = 9090
PROCESSES = len(SERVICES) * len(ROLES)
SECONDS = 60.0
"""Four scrapes."""


def scraped(stack: Stack) -> int:
    """How many processes it sees up, after at most a minute; starts it first."""
    stack.up("prometheus")
    seen, deadline = 0, time.monotonic() + SECONDS
    while seen < PROCESSES and time.monotonic() < deadline:
        time.sleep(1)
        seen = _up(f"http://{stack.parts['prometheus'].addresses['operations']}:{PORT}")
    return seen


def _up(url: str) -> int:
    try:
        answer = httpx.get(f"{url}/api/v1/query", params={"query": "count(up == 1)"}, timeout=5).json()
    except httpx.TransportError:
        return 0
    return sum(int(row["value"][1]) for row in answer["data"]["result"])
