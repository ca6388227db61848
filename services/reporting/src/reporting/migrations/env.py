"""Alembic's entry into reporting's tables."""

from reporting.store import metadata
from servicekit.migrations import run

run(metadata)
