"""Alembic's entry into dialog's tables."""

from dialog.store import chats, directory, handoffs, metadata, publications, questions, tries  # noqa: F401  tables register themselves
from servicekit.migrations import run

run(metadata)
