"""Alembic's entry into identity's tables."""

from identity.store import logins, metadata, people, tallies  # noqa: F401  tables register themselves
from servicekit.migrations import run

run(metadata)
