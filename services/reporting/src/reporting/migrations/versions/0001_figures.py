"""Plumbing, counts by hour, waits by band, and the help services as they are now."""

import sqlalchemy as sa
from alembic import op
from servicekit.migrations import create_plumbing, drop_plumbing

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_plumbing(op)
    op.create_table(
        "counts",
        sa.Column("step", sa.Text, primary_key=True),
        sa.Column("hour", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )
    op.create_table(
        "waits",
        sa.Column("wait", sa.Text, primary_key=True),
        sa.Column("hour", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("band", sa.Integer, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )
    op.create_table(
        "help_services",
        sa.Column("service_id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text),
        sa.Column("owner_name", sa.Text),
        sa.Column("is_open", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("queue_length", sa.Integer),
        sa.Column("wait_minutes", sa.Integer),
    )


def downgrade() -> None:
    for table in ("help_services", "waits", "counts"):
        op.drop_table(table)
    drop_plumbing(op)
