"""What people do about parked events leaves a row."""

from alembic import op
from servicekit.migrations import audit_parking

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    audit_parking(op)


def downgrade() -> None:
    op.drop_table("parked_audit")
