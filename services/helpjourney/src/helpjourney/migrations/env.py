"""Alembic's entry into helpjourney's tables."""

from helpjourney.store import appointments, claims, journeys, metadata, units  # noqa: F401  tables register themselves
from servicekit.migrations import run

run(metadata)
