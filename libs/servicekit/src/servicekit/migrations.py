"""Alembic for a service: the tables of the plumbing, frozen by version, and how migrations run."""

import asyncio
import os
import threading
from itertools import count
from types import ModuleType

import sqlalchemy as sa
import structlog
from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from servicekit.database import DRIVER, connector
from servicekit.delivery import tables
from servicekit.revisions import folder_of

_ONE_AT_A_TIME = text("select pg_advisory_xact_lock(hashtext('stegvis/migrate'))")
_IMPATIENT = text("set local lock_timeout = '3s'")
_LOCKED = "55P03"
LOCK_ATTEMPTS, AGAIN_SECONDS = 20, 3.0
"""A change of a table that waits behind a long reader (a backup) makes everybody else wait behind it: better let them by and try again."""
_ALEMBIC = threading.Lock()
"""Alembic's context is global: one migration at a time in a process."""
log = structlog.get_logger("migrate")
_MOMENT = sa.DateTime(timezone=True)


def run(metadata: MetaData) -> None:
    """What a service's `migrations/env.py` calls: migrate the database of DATABASE_URL (or the one given to `upgrade`)."""
    dsn = context.config.attributes.get("dsn") or os.environ["DATABASE_URL"]
    asyncio.run(_run(dsn, metadata))


async def _run(dsn: str, metadata: MetaData) -> None:
    engine = create_async_engine(DRIVER, async_creator=connector(dsn), poolclass=NullPool, hide_parameters=True)
    try:
        for attempt in count(1):
            async with engine.connect() as connection:
                try:
                    await connection.run_sync(_migrate, metadata)
                    await connection.commit()
                    return
                except DBAPIError as error:
                    if getattr(error.orig, "sqlstate", None) != _LOCKED or attempt == LOCK_ATTEMPTS:
                        raise
            log.warning("somebody holds a lock that the migration needs", attempts=attempt, seconds=AGAIN_SECONDS)
            await asyncio.sleep(AGAIN_SECONDS)
    finally:
        await engine.dispose()


def _migrate(connection: Connection, metadata: MetaData) -> None:
    context.configure(connection=connection, target_metadata=[metadata, tables.metadata])
    with context.begin_transaction():
        connection.execute(_ONE_AT_A_TIME)
        connection.execute(_IMPATIENT)
        there = set(context.get_context().get_current_heads())
        if there <= {each.revision for each in context.script.walk_revisions()}:
            context.run_migrations()
        else:
            log.info("a newer release has migrated the database")


def config(service_package: str, dsn: str) -> Config:
    """Alembic's configuration for the migrations inside a service's package."""
    made = Config()
    made.set_main_option("script_location", str(folder_of(service_package)).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    made.attributes["dsn"] = dsn
    return made


def upgrade(service_package: str, dsn: str) -> None:
    """Bring a service's database to its newest revision. Starts an event loop: call it from a thread if one is running."""
    with _ALEMBIC:
        command.upgrade(config(service_package, dsn), "head")


def check(service_package: str, dsn: str) -> None:
    """Raise if the tables in code differ from what the migrations make (`alembic check`). Starts an event loop."""
    with _ALEMBIC:
        command.check(config(service_package, dsn))


def create_plumbing(op: ModuleType) -> None:
    """Version 1 of the tables in `servicekit.delivery.tables`. Frozen: later changes get a function of their own."""
    _create_outbox(op)
    _create_inbox(op)
    op.create_table(
        "timers",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Uuid),
        sa.Column("due_at", _MOMENT, nullable=False, index=True),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.UniqueConstraint("kind", "subject", name="uq_timers_kind_subject", postgresql_nulls_not_distinct=True),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("key_hash", sa.LargeBinary, primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("outcome", JSONB, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False, index=True),
    )
    _create_browser_sessions(op)


def audit_parking(op: ModuleType) -> None:
    """Version 2: what people do about parked events leaves a row. Only adds: the previous release runs on it."""
    op.create_table(
        "parked_audit",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("topic", sa.Text),
        sa.Column("key", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("applied", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("skipped", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("left", sa.Integer, nullable=False, server_default=sa.text("0")),
    )


def survive_restores(op: ModuleType) -> None:
    """Version 3: the store knows how far Kafka knows it, and notices that it was restored. Only adds."""
    op.create_table(
        "relayed",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True),
        sa.Column("offset", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "renumbered",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("by", sa.BigInteger, nullable=False),
    )
    op.create_table("lineages", sa.Column("lineage", sa.Text, primary_key=True), sa.Column("noted_at", _MOMENT, nullable=False))


def forget_restores(op: ModuleType) -> None:
    """Undo `survive_restores`."""
    for table in ("lineages", "renumbered", "relayed"):
        op.drop_table(table)


def drop_plumbing(op: ModuleType) -> None:
    """Undo `create_plumbing`. What came later undoes itself first, in its own revision."""
    for table in ("browser_sessions", "idempotency_keys", "timers", "parked_events", "inbox_keys", "inbox", "outbox"):
        op.drop_table(table)


def _create_outbox(op: ModuleType) -> None:
    op.create_table(
        "outbox",
        sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("headers", JSONB, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("time", _MOMENT, nullable=False),
        sa.Column("written_at", _MOMENT, nullable=False, server_default=sa.text("clock_timestamp()")),
    )
    # Every row is deleted within seconds: the default (a fifth of the table) would let it swell and shrink.
    op.execute("alter table outbox set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)")


def _create_inbox(op: ModuleType) -> None:
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("received_at", _MOMENT, nullable=False, index=True),
    )
    op.create_table(
        "inbox_keys",
        sa.Column("consumer", sa.Text, primary_key=True),
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("last_sequence", sa.BigInteger, nullable=False),
        sa.Column("applied_at", _MOMENT, nullable=False, index=True),
    )
    op.create_table(
        "parked_events",
        sa.Column("consumer", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("headers", JSONB, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("parked_at", _MOMENT, nullable=False),
    )
    op.create_index("ix_parked_events_key", "parked_events", ["consumer", "topic", "key", "sequence"])


def _create_browser_sessions(op: ModuleType) -> None:
    op.create_table(
        "browser_sessions",
        sa.Column("id_hash", sa.LargeBinary, primary_key=True),
        sa.Column("state", JSONB, nullable=False),
        sa.Column("subject", sa.Uuid),
        sa.Column("sid", sa.Uuid, index=True),
        sa.Column("level", sa.Text),
        sa.Column("auth_time", _MOMENT),
        sa.Column("organisation", sa.Text),
        sa.Column("organisation_name", sa.Text),
        sa.Column("roles", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("hpr_number", sa.Text),
        sa.Column("unit", sa.Uuid),
        sa.Column("birthdate", sa.Date),
        sa.Column("tokens_sealed", sa.LargeBinary),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False, index=True),
    )
