"""Plumbing, people, logins and their counts."""

import sqlalchemy as sa
from alembic import op
from servicekit.migrations import create_plumbing

revision = "0001"
down_revision = None
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_plumbing(op)
    op.create_table(
        "people",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("lookup", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("data_key", sa.LargeBinary, nullable=False),
        sa.Column("known_as", sa.LargeBinary, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_table(
        "subjects",
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("reader", sa.Text, primary_key=True),
        sa.Column("subject", sa.Uuid, nullable=False, unique=True),
    )
    _create_logins()
    op.create_table(
        "login_tallies",
        sa.Column("bucket_start", MOMENT, primary_key=True),
        sa.Column("outcome", sa.Text, primary_key=True),
        sa.Column("level", sa.Text, primary_key=True),
        sa.Column("age_band", sa.Text, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )


def _create_logins() -> None:
    op.create_table(
        "logins",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("upstream", sa.LargeBinary, index=True),
        sa.Column("reader", sa.Text, nullable=False),
        sa.Column("sid", sa.Uuid, nullable=False, unique=True),
        sa.Column("subject", sa.Uuid, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("auth_time", MOMENT, nullable=False),
        sa.Column("claims", sa.LargeBinary, nullable=False),
        sa.Column("browser", sa.Uuid, nullable=False, index=True),
        sa.Column("told", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False, index=True),
        sa.Column("ended_at", MOMENT),
    )
    op.create_table(
        "codes",
        sa.Column("code_hash", sa.LargeBinary, primary_key=True),
        sa.Column("login_id", sa.Uuid, sa.ForeignKey("logins.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("challenge", sa.Text, nullable=False),
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT),
    )
    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.LargeBinary, primary_key=True),
        sa.Column("login_id", sa.Uuid, sa.ForeignKey("logins.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("used_at", MOMENT),
    )
    op.create_table(
        "used_assertions",
        sa.Column("jti_hash", sa.LargeBinary, primary_key=True),
        sa.Column("expires_at", MOMENT, nullable=False, index=True),
    )
