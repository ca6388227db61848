"""The ledger of deletions: on disk before the commit, read back whole, forgotten when no backup reaches back to it."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from contracts.info import ArticleWithdrawn
from servicekit.deletions import KEPT, Ledger
from servicekit.delivery.inbox import apply
from servicekit.delivery.outbox import beginner
from servicekit.preconditions import RefusedError, check_ledger
from servicekit.settings import Mode, ServiceSettings
from servicekit.surroundings import file_system_of
from servicekit.timers import run_due
from sqlalchemy import text

from deploy.testing import record_of, service_database

database = service_database("info")


def test_what_several_processes_noted_is_read_back_by_kind(tmp_path):
    chats, question = [uuid4(), uuid4(), uuid4()], uuid4()
    one, other = Ledger(tmp_path), Ledger(tmp_path)
    one.note({"chat": chats[:2]})
    other.note({"chat": chats[2:], "question": [question]})
    one.note({"chat": chats[:1]})
    assert Ledger(tmp_path).read() == {"chat": set(chats), "question": {question}}


def test_a_line_says_an_id_and_nothing_else(tmp_path):
    """INVARIANT: no person and no time but the day is in the ledger, and nobody else on the machine can read it."""
    chat = uuid4()
    Ledger(tmp_path / "ledger").note({"chat": [chat]})
    [file] = (tmp_path / "ledger" / "chat").iterdir()
    assert file.read_text().split() == [str(chat)]
    assert file.name.startswith(datetime.now(UTC).date().isoformat())
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


def test_a_torn_line_spoils_only_itself(tmp_path):
    ledger, first, second = Ledger(tmp_path), uuid4(), uuid4()
    ledger.note({"chat": [first]})
    [file] = (tmp_path / "chat").iterdir()
    with file.open("a") as torn:
        torn.write(f"\n{str(uuid4())[:17]}")
    ledger.note({"chat": [second]})
    assert ledger.read() == {"chat": {first, second}}


def test_days_that_no_backup_reaches_are_forgotten(tmp_path):
    old, young = uuid4(), uuid4()
    today = datetime.now(UTC).date()
    (tmp_path / "chat").mkdir()
    (tmp_path / "chat" / f"{today - KEPT - timedelta(days=1)}-0a").write_text(f"\n{old}")
    (tmp_path / "chat" / f"{today - KEPT}-0b").write_text(f"\n{young}")
    Ledger(tmp_path).note({"question": [uuid4()]})
    assert Ledger(tmp_path).read()["chat"] == {young}


async def test_the_ledger_has_it_before_the_commit_and_a_ledger_that_fails_stops_the_deletion(database, tmp_path, monkeypatch):
    """INVARIANT: whoever was told that something is deleted can rely on it, also after a restore."""
    subject, seen = uuid4(), []
    async with database.engine.begin() as connection:
        await connection.execute(text("create table things (id uuid)"))
        await connection.execute(text("insert into things values (:id)"), {"id": subject})
    ledger = Ledger(tmp_path)
    begin = beginner(database.engine, "info", ledger=ledger)

    async def delete() -> None:
        async with begin() as uow:
            await uow.connection.execute(text("delete from things where id = :id"), {"id": subject})
            uow.forget("thing", subject)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            await delete()
    async with database.engine.connect() as connection:
        assert await connection.scalar(text("select count(*) from things")) == 1
    note = ledger.note
    monkeypatch.setattr(ledger, "note", lambda deleted: (note(deleted), seen.append(ledger.read())))
    await delete()
    assert seen == [{"thing": {subject}}]


async def test_what_a_handler_deleted_before_it_failed_is_not_in_the_ledger(database, tmp_path):
    """INVARIANT: a restore deletes nothing that wasn't deleted: neither of an event that was parked nor of a timer that will try again."""
    fine, broken = uuid4(), uuid4()
    begin = beginner(database.engine, "info", ledger=Ledger(tmp_path))

    async def delete(uow, subject):
        uow.forget("thing", subject)
        if subject == broken:
            raise LookupError

    async def on_withdrawn(event, uow):
        await delete(uow, event.publication_id)

    events = [record_of(ArticleWithdrawn(publication_id=one), key=one, sequence=1) for one in (broken, fine)]
    await apply(begin, "info", events, {ArticleWithdrawn: on_withdrawn})
    assert Ledger(tmp_path).read() == {"thing": {fine}}
    async with begin() as uow:
        uow.schedule("delete", await uow.now(), broken)
    await run_due(begin, {"delete": delete})
    assert Ledger(tmp_path).read() == {"thing": {fine}}


def in_mode(mode: Mode, folder: Path | None, data: Path) -> ServiceSettings:
    safe = ServiceSettings(database_url="postgresql://nobody@127.0.0.1:1/nothing", data_dir=data, deletions_dir=folder)
    return safe.model_copy(update={"stegvis_mode": mode})


def test_production_refuses_a_ledger_that_goes_with_the_process(tmp_path, monkeypatch):
    """INVARIANT: what was deleted stays deleted after a restore; so its ledger lies on a disk that stays."""
    check_ledger(in_mode(Mode.DEMO, None, tmp_path))
    with pytest.raises(RefusedError, match="DELETIONS_DIR: needed in production"):
        check_ledger(in_mode(Mode.PRODUCTION, None, tmp_path))
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("servicekit.preconditions.file_system_of", lambda _: "ext4")
        check_ledger(in_mode(Mode.PRODUCTION, tmp_path, tmp_path))
    with pytest.raises(RefusedError, match=r"DELETIONS_DIR: /dev/shm/ledger lies on tmpfs and is gone"):
        check_ledger(in_mode(Mode.PRODUCTION, Path("/dev/shm/ledger"), tmp_path))
    assert not Path("/dev/shm/ledger").exists()


def test_the_kind_of_a_file_system_is_that_of_the_nearest_mount():
    assert file_system_of(Path("/proc/self/nothing/there/yet")) == "proc"
    assert file_system_of(Path("/dev/shm")) == "tmpfs"
    assert file_system_of(Path("/"))
