"""`python -m tests.drill.mutant SERVICE VERB...`: a service whose restore forgets to park. The drill must notice."""

import runpy
import sys
from pathlib import Path

from servicekit import restored
from servicekit.delivery.behind import Told, Unknown
from servicekit.delivery.outbox import UnitOfWork


async def parks_nothing(_uow: UnitOfWork, _told: Told) -> list[Unknown]:
    return []


def command(service: str) -> list[str | Path]:
    """As `deploy.local.services.run_command`."""
    return [sys.executable, "-m", "tests.drill.mutant", service, "run", "--migrate"]


if __name__ == "__main__":
    vars(restored)["park_unknown"] = parks_nothing
    service = sys.argv[1]
    sys.argv = sys.argv[1:]
    runpy.run_module(service, run_name="__main__", alter_sys=True)
