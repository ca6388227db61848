"""Ids: whatever looks like a UUID or like 16 and more hexadecimal digits, wherever it stands."""

import re
from collections.abc import Iterable, Iterator

from aiokafka import ConsumerRecord

from tests.privacy.sinks import Row, Tables

UUID_OR_HEX = re.compile(r"(?<![0-9a-f])(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{16,})(?![0-9a-f])")


def ids_in(text: str) -> set[str]:
    """Lower case, without hyphens, so that two spellings of one id are one."""
    return {found.replace("-", "") for found in UUID_OR_HEX.findall(text.lower())}


def ids_of_record(record: ConsumerRecord) -> set[str]:
    """Those of key, headers (event id, causation id, trace) and data."""
    parts = [record.key or b"", record.value or b"", *(value for _, value in record.headers)]
    return {found for part in parts for found in ids_in(part.decode(errors="replace"))}


def ids_of_records(records: Iterable[ConsumerRecord]) -> set[str]:
    return {found for record in records for found in ids_of_record(record)}


def ids_of_tables(tables: Tables) -> dict[str, set[str]]:
    """Id -> the columns that hold it, `<table>.<column>`."""
    found: dict[str, set[str]] = {}
    for place, one in _cells(tables):
        found.setdefault(one, set()).add(place)
    return found


def _cells(tables: Tables) -> Iterator[tuple[str, str]]:
    for table, rows in tables.items():
        for row in rows:
            yield from ((f"{table}.{column}", one) for column, ids in _ids_of_row(row) for one in ids)


def _ids_of_row(row: Row) -> Iterator[tuple[str, set[str]]]:
    """Of bytes both the digits that they are written with and the ids that stand in them as text."""
    for column, value in row.items():
        if isinstance(value, bytes):
            yield column, ids_in(value.hex()) | ids_in(value.decode("latin-1"))
        else:
            yield column, ids_in(str(value))
