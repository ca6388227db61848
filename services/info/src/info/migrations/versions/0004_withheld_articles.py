"""Articles that an editor took away, which the files must not bring back."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    comment = "an editor withdrew it: only an editor brings it back"
    op.add_column("articles", sa.Column("withheld", sa.Boolean, nullable=False, server_default=sa.false(), comment=comment))


def downgrade() -> None:
    op.drop_column("articles", "withheld")
