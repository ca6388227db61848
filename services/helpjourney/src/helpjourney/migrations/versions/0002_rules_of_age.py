"""The rules of age as they stand in 2026. Later rules are rows with a later `valid_from`; these are then ended, not changed."""

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_HEALTH_SERVICE = "The municipal health service (helsestasjon for ungdom, skolehelsetjeneste)"
_LAW = "pasient- og brukerrettighetsloven § 3-4 and § 4-3; Helsenorge, bruke Helsenorge på vegne av barn"
_MINID = "norge.no, MinID: from the year one turns 13, level substantial; pasient- og brukerrettighetsloven § 3-4"
_CLINIC = "forskrift om helsestasjons- og skolehelsetjenesten § 3: youth clinics up to 20 years"
_SUBSTANTIAL = "idporten-loa-substantial"
_FROM = date(2026, 1, 1)

_RULES = (
    ("8c2c4c1e-4d0f-4f0e-9f3e-1f1c0b7a0001", 0, 12, "with_guardians", _LAW),
    ("8c2c4c1e-4d0f-4f0e-9f3e-1f1c0b7a0002", 13, 15, "welcome", _MINID),
    ("8c2c4c1e-4d0f-4f0e-9f3e-1f1c0b7a0003", 16, 20, "welcome", _CLINIC),
    ("8c2c4c1e-4d0f-4f0e-9f3e-1f1c0b7a0004", 21, None, "hand_over", _CLINIC),
)


def upgrade() -> None:
    rules = sa.table(
        "age_rules",
        sa.column("id", sa.Uuid),
        sa.column("age_from", sa.Integer),
        sa.column("age_to", sa.Integer),
        sa.column("reception", sa.Text),
        sa.column("level", sa.Text),
        sa.column("valid_from", sa.Date),
        sa.column("owner", sa.Text),
        sa.column("source", sa.Text),
    )
    rows = [
        {
            "id": UUID(id_), "age_from": lowest, "age_to": highest, "reception": reception, "level": _SUBSTANTIAL,
            "valid_from": _FROM, "owner": _HEALTH_SERVICE, "source": source,
        }
        for id_, lowest, highest, reception, source in _RULES
    ]  # fmt: skip
    op.bulk_insert(rules, rows)


def downgrade() -> None:
    op.execute("delete from age_rules")
