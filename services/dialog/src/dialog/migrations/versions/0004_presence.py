"""Who has a chat before them now, how a chat ended, and whether talking helped: added, nothing changed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("chats", sa.Column("outcome", sa.Text))
    op.add_column("chats", sa.Column("rated", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "presences",
        sa.Column("chat_id", sa.Uuid, sa.ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("side", sa.Text, primary_key=True),
        sa.Column("present_until", _MOMENT, nullable=False),
        sa.Column("typing_until", _MOMENT),
        sa.Column("read_to", sa.Integer, nullable=False, comment="Number of the last message that this side has before them"),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "chat_ratings",
        sa.Column("service_id", sa.Uuid, primary_key=True),
        sa.Column("helpful", sa.Boolean, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("chat_ratings")
    op.drop_table("presences")
    op.drop_column("chats", "rated")
    op.drop_column("chats", "outcome")
