"""Plumbing, questions, publications, tries and the copy of the register."""

import sqlalchemy as sa
from alembic import op
from servicekit.migrations import create_plumbing, drop_plumbing
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_plumbing(op)
    op.create_table(
        "questions",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("told", sa.Integer, nullable=False),
        sa.Column("receipt_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("topic_code", sa.Text, nullable=False),
        sa.Column("age_band", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("may_publish", sa.Boolean, nullable=False),
        sa.Column("acute", sa.Boolean, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation", sa.Text),
        sa.Column("drafted_by", sa.Uuid),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        sa.Column("answered_by", sa.Text),
        sa.Column("helpful", sa.Boolean),
        sa.Column("publication_id", sa.Uuid),
        sa.Column("data_key", sa.LargeBinary, nullable=False),
        sa.Column("text", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.LargeBinary),
        sa.Column("note", sa.LargeBinary),
        sa.Column("delete_after", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_questions_queue", "questions", ["acute", "asked_at"], postgresql_where=sa.text("status <> 'answered'"))
    op.create_index("ix_questions_delete_after", "questions", ["delete_after"])
    op.create_table(
        "publications",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("told", sa.Integer, nullable=False),
        sa.Column("receipt_hash", sa.LargeBinary, nullable=False, index=True),
    )
    op.create_table(
        "tries",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("browser", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_tries_browser_kind", "tries", ["browser", "kind"])
    op.create_index("ix_tries_kind_at", "tries", ["kind", "at"])
    op.create_table(
        "help_services",
        sa.Column("service_id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("owner_number", sa.Text, nullable=False, index=True),
        sa.Column("entry", JSONB, nullable=False),
    )


def downgrade() -> None:
    for table in ("help_services", "tries", "publications", "questions"):
        op.drop_table(table)
    drop_plumbing(op)
