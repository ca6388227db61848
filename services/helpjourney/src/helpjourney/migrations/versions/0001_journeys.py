"""Plumbing, offers and holders, journeys with who has seen them, appointments, the register copy, the rules of age."""

import sqlalchemy as sa
from alembic import op
from servicekit.migrations import create_plumbing, drop_plumbing
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0001"
down_revision = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_plumbing(op)
    _create_claims()
    _create_journeys()
    _create_border()
    _create_appointments()
    _create_units()


def downgrade() -> None:
    for table in (
        "age_rules", "units", "notices", "slots", "appointments", "releases", "claim_counts", "border_buckets", "views", "journeys",
        "tries", "holders", "spent_secrets", "withdrawn_early", "offers",
    ):  # fmt: skip
        op.drop_table(table)
    drop_plumbing(op)


def _create_claims() -> None:
    op.create_table(
        "offers",
        sa.Column("handoff_id", sa.Uuid, primary_key=True),
        sa.Column("lookup_hash", sa.Text, nullable=False, unique=True),
        sa.Column("need", sa.Text, nullable=False),
        sa.Column("urgency", sa.Text, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("locator", sa.Text),
        sa.Column("salt", sa.LargeBinary),
        sa.Column("sealed_summary", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("delete_after", _MOMENT, nullable=False),
    )
    op.create_index("offers_by_locator", "offers", ["locator"])
    op.create_index("offers_by_delete_after", "offers", ["delete_after"])
    op.create_table(
        "withdrawn_early",
        sa.Column("handoff_id", sa.Uuid, primary_key=True),
        sa.Column("delete_after", _MOMENT, nullable=False),
    )
    op.create_table(
        "spent_secrets",
        sa.Column("lookup_hash", sa.Text, primary_key=True),
        sa.Column("settled", sa.Boolean, nullable=False, server_default="false"),
    )
    op.create_table(
        "holders",
        sa.Column("id_hash", sa.LargeBinary, primary_key=True),
        sa.Column("lookup_hash", sa.Text, index=True),
        sa.Column("locator", sa.Text, index=True),
        sa.Column("tried", ARRAY(sa.Uuid), nullable=False, server_default="{}"),
        sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
        sa.Column("presented_at", _MOMENT, nullable=False),
        sa.Column("delete_after", _MOMENT, nullable=False, index=True),
    )
    op.create_table(
        "tries",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("wrong", sa.Integer, nullable=False),
        sa.Column("closed_until", _MOMENT),
        sa.Column("delete_after", _MOMENT, nullable=False),
    )


def _create_journeys() -> None:
    op.create_table(
        "journeys",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("subject", sa.Uuid, index=True),
        sa.Column("version", sa.Integer, nullable=False, server_default="0"),
        sa.Column("is_released", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("age_band", sa.Text, nullable=False),
        sa.Column("need", sa.Text),
        sa.Column("urgency", sa.Text),
        sa.Column("wrapped_key", sa.LargeBinary),
        sa.Column("sealed_summary", sa.LargeBinary),
        sa.Column("summary_delete_after", _MOMENT, index=True),
        sa.Column("summary_was_unreadable", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("service_id", sa.Uuid),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("care_started_at", _MOMENT),
        sa.Column("care_service_id", sa.Uuid),
        sa.Column("care_hpr_number", sa.Text),
        sa.Column("delete_after", _MOMENT, nullable=False, index=True),
    )
    op.create_table(
        "views",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("journey_id", sa.Uuid, sa.ForeignKey("journeys.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("service_id", sa.Uuid, nullable=False),
        sa.Column("hpr_number", sa.Text, nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.Column("with_summary", sa.Boolean, nullable=False),
    )


def _create_border() -> None:
    op.create_table(
        "border_buckets",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("starts_at", _MOMENT, nullable=False),
        sa.Column("seconds", sa.Integer, nullable=False),
        sa.UniqueConstraint("starts_at", "seconds"),
    )
    op.create_table(
        "claim_counts",
        sa.Column("bucket_id", sa.Uuid, sa.ForeignKey("border_buckets.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("need", sa.Text, primary_key=True),
        sa.Column("claimed", sa.Integer, nullable=False),
    )
    op.create_table(
        "releases",
        sa.Column("journey_id", sa.Uuid, primary_key=True),
        sa.Column("bucket_id", sa.Uuid, sa.ForeignKey("border_buckets.id", ondelete="CASCADE"), nullable=False, index=True),
    )


def _create_appointments() -> None:
    op.create_table(
        "appointments",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("journey_id", sa.Uuid, sa.ForeignKey("journeys.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("service_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("suits", ARRAY(sa.Text), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary),
        sa.Column("sealed_note", sa.LargeBinary),
        sa.Column("note_delete_after", _MOMENT, index=True),
        sa.Column("shares_summary", sa.Boolean, nullable=False),
        sa.Column("care_text", sa.Text, nullable=False),
        sa.Column("reminds", sa.Boolean, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("wished_at", _MOMENT, nullable=False),
        sa.Column("starts_at", _MOMENT),
        sa.Column("minutes", sa.Integer),
        sa.Column("ended_at", _MOMENT),
    )
    op.create_index("appointments_by_unit", "appointments", ["service_id", "state"])
    op.create_table(
        "slots",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("appointment_id", sa.Uuid, sa.ForeignKey("appointments.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("starts_at", _MOMENT, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("appointment_id", sa.Uuid, sa.ForeignKey("appointments.id", ondelete="CASCADE"), nullable=False, unique=True),
        sa.Column("subject", sa.Uuid, nullable=False),
        sa.Column("due", _MOMENT, nullable=False),
        sa.Column("sent_at", _MOMENT),
    )


def _create_units() -> None:
    op.create_table(
        "units",
        sa.Column("service_id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("owner_name", sa.Text, nullable=False),
        sa.Column("owner_number", sa.Text, nullable=False),
        sa.Column("municipality", sa.Text, index=True),
        sa.Column("phone", sa.Text),
        sa.Column("age_from", sa.Integer),
        sa.Column("age_to", sa.Integer),
        sa.Column("takes_drop_in", sa.Boolean, nullable=False),
        sa.Column("is_listed", sa.Boolean, nullable=False),
    )
    op.create_table(
        "age_rules",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("age_from", sa.Integer, nullable=False),
        sa.Column("age_to", sa.Integer),
        sa.Column("reception", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
    )
