"""Chats with their messages, availability of the chat services, and handoffs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_MOMENT = sa.DateTime(timezone=True)
_IS_OPEN = sa.text("state in ('waiting', 'active')")


def upgrade() -> None:
    _create_chats()
    _create_proposals()
    _create_availability()
    _create_handoffs()


def downgrade() -> None:
    tables = ("handoff_counts", "handoffs", "duties", "providers", "proposed_sentences", "proposals", "chat_messages", "chats")
    for table in tables:
        op.drop_table(table)


def _create_chats() -> None:
    op.create_table(
        "chats",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("service_id", sa.Uuid, nullable=False),
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("topic_code", sa.Text, nullable=False),
        sa.Column("age_band", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("urgency", sa.Text, nullable=False),
        sa.Column("retention", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("messages", sa.Integer, nullable=False),
        sa.Column("helper", sa.Uuid),
        sa.Column("logging_in", sa.Boolean, nullable=False),
        sa.Column("requested_at", _MOMENT, nullable=False),
        sa.Column("accepted_at", _MOMENT),
        sa.Column("ended_at", _MOMENT),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.Column("delete_after", _MOMENT, nullable=False),
        sa.Column("browser", sa.LargeBinary, comment="Hash of the browser session while the chat is open: one open chat each"),
        sa.Column("data_key", sa.LargeBinary, nullable=False, comment="Wrapped key of all text of this chat; gone with the row"),
    )
    op.create_index("ix_chats_delete_after", "chats", ["delete_after"])
    op.create_index("uq_chats_browser_open", "chats", ["browser"], unique=True, postgresql_where=_IS_OPEN)
    op.create_index("ix_chats_open", "chats", ["service_id", "state"], postgresql_where=_IS_OPEN)
    op.create_table(
        "chat_messages",
        sa.Column("chat_id", sa.Uuid, sa.ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, comment="1, 2, 3 ... in the order written"),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("written_at", _MOMENT, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False, comment="Text under the chat's data key"),
    )


def _create_proposals() -> None:
    op.create_table(
        "proposals",
        sa.Column("chat_id", sa.Uuid, sa.ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("need", sa.Text, nullable=False),
        sa.Column("urgency", sa.Text, nullable=False),
    )
    op.create_table(
        "proposed_sentences",
        sa.Column("chat_id", sa.Uuid, sa.ForeignKey("proposals.chat_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False, comment="Text under the chat's data key"),
    )


def _create_availability() -> None:
    op.create_table(
        "providers",
        sa.Column("service_id", sa.Uuid, primary_key=True),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("changed_at", _MOMENT),
        sa.Column("retention", sa.Text, nullable=False),
        sa.Column("average_minutes", sa.Float, nullable=False),
        sa.Column("told_length", sa.Integer),
        sa.Column("told_wait", sa.Integer),
    )
    op.create_table(
        "duties",
        sa.Column("helper", sa.Uuid, primary_key=True),
        sa.Column("service_id", sa.Uuid, nullable=False, index=True),
        sa.Column("capacity", sa.Integer, nullable=False, comment="Chats at once"),
        sa.Column("seen_at", _MOMENT, nullable=False),
    )


def _create_handoffs() -> None:
    op.create_table(
        "handoffs",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("need", sa.Text, nullable=False),
        sa.Column("urgency", sa.Text, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False, index=True),
        sa.Column("lookup_hash", sa.Text, nullable=False, unique=True),
        sa.Column("text_version", sa.Text, nullable=False),
        sa.Column("agreed_at", _MOMENT, nullable=False, comment="Rounded down to 5 minutes"),
        sa.Column("locator", sa.Text, index=True),
        sa.Column("salt", sa.LargeBinary),
        sa.Column("sequence", sa.Integer, nullable=False),
    )
    op.create_table(
        "handoff_counts",
        sa.Column("bucket_start", _MOMENT, primary_key=True),
        sa.Column("bucket_seconds", sa.Integer, primary_key=True),
        sa.Column("need", sa.Text, primary_key=True),
        sa.Column("offered", sa.Integer, nullable=False),
        sa.Column("withdrawn", sa.Integer, nullable=False),
    )
