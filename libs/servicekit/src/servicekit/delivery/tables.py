"""The tables that every service's database has beside its own. `servicekit.migrations.create_plumbing` makes them."""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()

MOMENT = DateTime(timezone=True)

outbox = Table(
    "outbox",
    metadata,
    Column("position", BigInteger, Identity(always=True), primary_key=True),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("time", MOMENT, nullable=False),
    Column("written_at", MOMENT, nullable=False, server_default=text("clock_timestamp()")),
)
"""Facts that Kafka doesn't have yet: a row that exists is unsent. `time` is rounded as the topic asks, `written_at` stays here."""

inbox = Table(
    "inbox",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    Column("received_at", MOMENT, nullable=False, index=True),
)
"""Receipts. They outlive the topics' retention (7 days) and the time in which a parked key may be replayed."""

inbox_keys = Table(
    "inbox_keys",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("last_sequence", BigInteger, nullable=False),
    Column("applied_at", MOMENT, nullable=False, index=True),
)
"""How far each key was applied, so that gaps and reversals are seen."""

parked_events = Table(
    "parked_events",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("parked_at", MOMENT, nullable=False),
    Index("ix_parked_events_key", "consumer", "topic", "key", "sequence"),
)
"""Events that can't be applied, and all later ones of the same key. A key is parked while it has a row here."""

parked_audit = Table(
    "parked_audit",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", MOMENT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("consumer", Text, nullable=False),
    Column("topic", Text),
    Column("key", Text),
    Column("reason", Text),
    Column("applied", Integer, nullable=False, server_default=text("0")),
    Column("skipped", Integer, nullable=False, server_default=text("0")),
    Column("left", Integer, nullable=False, server_default=text("0")),
)
"""Who looked at parked events or decided about them, when and why. Kept; nothing in the code changes or deletes a row."""

relayed = Table(
    "relayed",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("offset", BigInteger, nullable=False),
)
"""The last record of each partition that this database knows to be there: all behind it was told by a future that it doesn't know."""

renumbered = Table(
    "renumbered",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("by", BigInteger, nullable=False),
)
"""Keys whose facts go on behind what others know: `by` is added to the aggregate's own count."""

lineages = Table("lineages", metadata, Column("lineage", Text, primary_key=True), Column("noted_at", MOMENT, nullable=False))
"""Histories of the database that this service has accepted: each restore begins a new one."""

timers = Table(
    "timers",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Uuid),
    Column("due_at", MOMENT, nullable=False, index=True),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    UniqueConstraint("kind", "subject", name="uq_timers_kind_subject", postgresql_nulls_not_distinct=True),
)
"""Due work. One row per kind and subject; a recurring timer has no subject."""

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key_hash", LargeBinary, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("outcome", JSONB, nullable=False),
    Column("created_at", MOMENT, nullable=False, index=True),
)
"""What repeated requests are answered with: ids, never text."""

browser_sessions = Table(
    "browser_sessions",
    metadata,
    Column("id_hash", LargeBinary, primary_key=True),
    Column("state", JSONB, nullable=False),
    Column("subject", Uuid),
    Column("sid", Uuid, index=True),
    Column("level", Text),
    Column("auth_time", MOMENT),
    Column("organisation", Text),
    Column("organisation_name", Text),
    Column("roles", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("hpr_number", Text),
    Column("unit", Uuid),
    Column("birthdate", Date),
    Column("tokens_sealed", LargeBinary),
    Column("created_at", MOMENT, nullable=False),
    Column("seen_at", MOMENT, nullable=False),
    Column("expires_at", MOMENT, nullable=False, index=True),
)
"""Sessions of browsers on this service's own host; the cookie's value is stored hashed only."""
