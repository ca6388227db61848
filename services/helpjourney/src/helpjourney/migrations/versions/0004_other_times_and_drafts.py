"""How she is reminded and reached, another time asked for, drafts of wishes, referrals and ended cases. Expands only."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("appointments", sa.Column("reminder", sa.Text))
    op.add_column("appointments", sa.Column("contact", sa.Text))
    op.add_column("appointments", sa.Column("wants_other_time_at", _MOMENT))
    op.create_table(
        "drafts",
        sa.Column("id_hash", sa.LargeBinary, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("delete_after", _MOMENT, nullable=False, index=True),
    )
    op.create_table(
        "referrals",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("journey_id", sa.Uuid, sa.ForeignKey("journeys.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("service_id", sa.Uuid, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("sent_at", _MOMENT, nullable=False),
    )
    op.create_table(
        "closings",
        sa.Column("journey_id", sa.Uuid, sa.ForeignKey("journeys.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("service_id", sa.Uuid, primary_key=True),
        sa.Column("closed_at", _MOMENT, nullable=False),
    )


def downgrade() -> None:
    for table in ("closings", "referrals", "drafts"):
        op.drop_table(table)
    for column in ("wants_other_time_at", "contact", "reminder"):
        op.drop_column("appointments", column)
