"""Alembic's entry into dialog's tables."""

from dialog.store import (  # noqa: F401  tables register themselves
    availability,
    chats,
    directory,
    handoffs,
    metadata,
    publications,
    questions,
    tries,
)
from servicekit.migrations import run

run(metadata)
