"""Holidays and days with hours of their own; sources, related articles and key words of answers; the asker's age in the search."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("help_services", sa.Column("on_holidays", sa.Text, comment="closed | usual; null = not known"))
    special = sa.Column("special_days", JSONB, comment="date -> [[opens, closes]], in place of the week's hours; [] = closed")
    op.add_column("help_services", special)
    op.add_column("answers", sa.Column("sources", JSONB, comment="[[title, url]]"))
    op.add_column("answers", sa.Column("related", ARRAY(sa.Text), comment="slugs of articles"))
    op.add_column("answers", sa.Column("search_words", ARRAY(sa.Text), comment="what youths write when they mean this"))
    op.add_column("answers", sa.Column("hard_topic", sa.Boolean, comment="shows the full crisis block"))
    op.add_column("search_texts", sa.Column("age_band", sa.Text, comment="of who asked; null for articles"))
    op.execute("update search_texts t set age_band = answers.age_band from answers where answers.publication_id = t.publication_id")


def downgrade() -> None:
    op.drop_column("search_texts", "age_band")
    for column in ("hard_topic", "search_words", "related", "sources"):
        op.drop_column("answers", column)
    for column in ("special_days", "on_holidays"):
        op.drop_column("help_services", column)
