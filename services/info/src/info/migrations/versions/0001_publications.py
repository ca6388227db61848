"""Plumbing, articles, answers, the register, live availability, page counts, and the search in two languages."""

import sqlalchemy as sa
from alembic import op
from servicekit.migrations import create_plumbing, drop_plumbing
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

revision = "0001"
down_revision = None

_TEXTS = ARRAY(sa.Text)
_MOMENT = sa.DateTime(timezone=True)

# Stop words go before accents do: the lists are written with å, ø and æ, and so is "på". Then both "søvn" and "sovn" stem alike.
_SEARCH = """
create extension if not exists unaccent;
create extension if not exists pg_trgm;
create text search dictionary info_norwegian_stop (template = simple, stopwords = norwegian, accept = false);
create text search configuration info_norwegian (copy = norwegian);
alter text search configuration info_norwegian alter mapping for asciiword, word, asciihword, hword, hword_asciipart, hword_part
  with info_norwegian_stop, unaccent, norwegian_stem;
create text search dictionary info_english_stop (template = simple, stopwords = english, accept = false);
create text search configuration info_english (copy = english);
alter text search configuration info_english alter mapping for asciiword, word, asciihword, hword, hword_asciipart, hword_part
  with info_english_stop, unaccent, english_stem;
"""


def upgrade() -> None:
    create_plumbing(op)
    for statement in _SEARCH.split(";"):
        if statement.strip():
            op.execute(statement)
    _create_publications()
    _create_register()
    _create_search()
    op.create_table(
        "usage_counts",
        sa.Column("bucket_start", _MOMENT, primary_key=True),
        sa.Column("page_class", sa.Text, primary_key=True),
        sa.Column("language", sa.Text, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )


def _create_publications() -> None:
    op.create_table(
        "articles",
        sa.Column("publication_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False, comment="facts told about this row"),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("summary", sa.Text, nullable=False, comment="one or two sentences, plain text"),
        sa.Column("body", sa.Text, nullable=False, comment="Markdown"),
        sa.Column("topic_code", sa.Text, nullable=False),
        sa.Column("owner_number", sa.Text, nullable=False),
        sa.Column("owner_name", sa.Text, nullable=False),
        sa.Column("sources", JSONB, nullable=False, comment="[[title, url]]"),
        sa.Column("related", _TEXTS, nullable=False, comment="slugs"),
        sa.Column("search_words", _TEXTS, nullable=False, comment="what youths write when they mean this"),
        sa.Column("hard_topic", sa.Boolean, nullable=False, comment="shows the full crisis block"),
        sa.Column("reviewed_on", sa.Date, nullable=False),
        sa.Column("withdrawn_at", _MOMENT),
        sa.UniqueConstraint("slug", "language"),
    )
    op.create_table(
        "answers",
        sa.Column("publication_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False, comment="facts told about this row; 0 = recalled before it was approved"),
        sa.Column("title", sa.Text, comment="null once withdrawn, like every text here"),
        sa.Column("question", sa.Text),
        sa.Column("answer", sa.Text),
        sa.Column("topic_code", sa.Text),
        sa.Column("language", sa.Text),
        sa.Column("age_band", sa.Text),
        sa.Column("answered_on", sa.Date),
        sa.Column("answered_by", sa.Text),
        sa.Column("withdrawn_at", _MOMENT, comment="a withdrawn answer never comes back"),
    )


def _create_register() -> None:
    op.create_table(
        "help_services",
        sa.Column("service_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False, comment="facts told about this row"),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("owner_number", sa.Text, nullable=False),
        sa.Column("owner_name", sa.Text, nullable=False),
        sa.Column("topic_codes", _TEXTS, nullable=False),
        sa.Column("channels", _TEXTS, nullable=False),
        sa.Column("languages", _TEXTS, nullable=False),
        sa.Column("age_from", sa.SmallInteger, comment="years, inclusive"),
        sa.Column("age_to", sa.SmallInteger, comment="years, inclusive"),
        sa.Column("municipality", sa.Text, comment="4 digits; null = the whole country"),
        sa.Column("municipality_name", sa.Text),
        sa.Column("phone", sa.Text),
        sa.Column("url", sa.Text),
        sa.Column("opening_hours", JSONB, nullable=False, comment="[[weekday, opens, closes]], local time in Oslo"),
        sa.Column("always_open", sa.Boolean, nullable=False),
        sa.Column("assured_on", sa.Date),
        sa.Column("about", JSONB, nullable=False, comment="language -> text"),
        sa.Column("delisted_at", _MOMENT),
    )
    op.create_table(
        "availability",
        sa.Column("service_id", sa.Uuid, primary_key=True),
        sa.Column("open", sa.Boolean, comment="null = only its queue was heard of"),
        sa.Column("queue_length", sa.Integer),
        sa.Column("wait_minutes", sa.Integer, comment="estimate; null = not known"),
        sa.Column("heard_at", _MOMENT, comment="when the network last said open or closed"),
    )


def _create_search() -> None:
    op.create_table(
        "search_texts",
        sa.Column("publication_id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False, comment="article | answer"),
        sa.Column("work", sa.Text, nullable=False, comment="the same for all translations of one text"),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("topic_code", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("plain", sa.Text, nullable=False, comment="the text without markup, for snippets"),
        sa.Column("folded", sa.Text, nullable=False, comment="title and key words without case and accents: misspellings, compounds"),
        sa.Column("vector", TSVECTOR, nullable=False),
    )
    op.create_index("search_texts_vector", "search_texts", ["vector"], postgresql_using="gin")
    op.create_index("search_texts_folded", "search_texts", ["folded"], postgresql_using="gin", postgresql_ops={"folded": "gin_trgm_ops"})


def downgrade() -> None:
    for table in ("usage_counts", "search_texts", "availability", "help_services", "answers", "articles"):
        op.drop_table(table)
    for language in ("norwegian", "english"):
        op.execute(f"drop text search configuration info_{language}")
        op.execute(f"drop text search dictionary info_{language}_stop")
    drop_plumbing(op)
