"""After a yes at the border: every row of every table, looked through for a way from the offer to the chat or back."""

import json
from typing import Any

from sqlalchemy import text

Rows = dict[str, list[dict[str, Any]]]
SHARED = {"school", "soon", "mental_health", "other", "unknown", "1.0", "dialog", "application/json", "nb", "yes", "no"}
"""Codes of public lists and constants: they say nothing about whose row it is."""
COARSE = {"ce_time", "time"}
"""Times of facts, rounded down to the precision of their topic."""


async def test_nothing_joins_an_accepted_offer_with_its_chat(centre: Any, border_talk: Any, database: Any) -> None:
    """INVARIANT: no id, time, row version or fact leads from an offer to a chat or a browser, or back."""
    await border_talk.accept(device="other", include_1="yes")
    tables = await _every_row(database)
    (offer,) = tables["handoffs"]
    (chat,) = tables["chats"]
    assert chat["logging_in"]
    assert len(tables["proposed_sentences"]) == 3
    of_offer, of_talk = _split(tables, str(offer["id"]), offer["by"])
    assert len(of_offer) >= 5
    assert (of_offer & of_talk) - SHARED == set()


async def test_an_accepted_offer_tells_no_other_fact(centre: Any, border_talk: Any) -> None:
    """INVARIANT: going on logged in leaves no trace on the topics of chats."""
    before = await centre.told()
    await border_talk.accept()
    assert [fact.topic for fact in (await centre.told())[len(before) :]] == ["dialog.handoffs.v1"]


async def _every_row(database: Any) -> Rows:
    """With the transactions that wrote each row and last locked it."""
    async with database.engine.connect() as connection:
        names = (await connection.scalars(text("select tablename from pg_tables where schemaname = 'public'"))).all()
        return {
            name: [
                dict(row._mapping)
                for row in await connection.execute(text(f'select xmin::text as "by", xmax::text as held, * from "{name}"'))
            ]
            for name in names
            if name not in ("alembic_version", "timers")
        }


def _split(tables: Rows, handoff_id: str, written_by: str) -> tuple[set[str], set[str]]:
    """The values of what belongs to the offer, and of all the rest."""
    of_offer: set[str] = set()
    of_talk: set[str] = set()
    for name, rows in tables.items():
        for row in rows:
            is_offer = name in ("handoffs", "handoff_counts") or row.get("key") == handoff_id
            is_answer = name == "idempotency_keys" and row["by"] == written_by
            (of_offer if is_offer or is_answer else of_talk).update(_values(row))
    return of_offer, of_talk


def _values(row: dict[str, Any]) -> set[str]:
    """Whatever could be compared: not small numbers, flags and coarse times."""
    found: set[str] = set()
    for name, value in row.items():
        if (parts := _parts(value)) is not None:
            found |= _values(parts)
        elif name not in COARSE:
            found.add(value.hex() if isinstance(value, bytes) else str(value))
    return {value for value in found if value not in ("True", "False", "None") and not (value.isdigit() and int(value) < 100)}


def _parts(value: Any) -> dict[str, Any] | None:
    """What a JSON object holds. A cipher text may begin like one by chance and is none."""
    if isinstance(value, bytes | str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return value if isinstance(value, dict) else None
