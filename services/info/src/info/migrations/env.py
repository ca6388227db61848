"""Alembic's entry into info's tables."""

from info.store import metadata
from servicekit.migrations import run

run(metadata)
