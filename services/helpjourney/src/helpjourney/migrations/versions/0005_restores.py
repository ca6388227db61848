"""The store knows how far Kafka knows it, and notices that it was restored."""

from alembic import op
from servicekit.migrations import forget_restores, survive_restores

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    survive_restores(op)


def downgrade() -> None:
    forget_restores(op)
