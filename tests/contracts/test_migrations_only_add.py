"""A migration that takes away is noticed before its release, and may go out once the last release does without what it takes."""

import pytest

from deploy.releases.deployable import taken_away
from deploy.releases.migrations import contracting
from deploy.releases.record import Release

MIGRATION = """
def upgrade():
    {}


def downgrade():
    undo()


def undo():
    op.drop_table('chats')


def take_away():
    op.drop_column('chats', 'mood')


def add():
    op.create_table('moods')
"""


@pytest.mark.parametrize(
    ("line", "takes_away"),
    [
        ("op.add_column('chats', sa.Column('mood', sa.Text))", False),
        ("op.add_column('chats', sa.Column('mood', sa.Text, nullable=False, server_default='x'))", False),
        ("op.add_column('chats', sa.Column('mood', sa.Text, nullable=False))", True),
        ("op.drop_column('chats', 'mood')", True),
        ("op.alter_column('chats', 'mood', new_column_name='temper')", True),
        ("op.alter_column('chats', 'mood', nullable=False)", True),
        ("op.alter_column('chats', 'mood', nullable=True)", False),
        ("op.execute('alter table chats drop column mood')", True),
        ("op.execute('create index on chats (mood)')", False),
        ("op.execute(sa.text('alter table chats drop mood'))", True),
        ("op.execute(f'alter table {name} rename mood to temper')", True),
        ("op.execute('alter table chats alter column mood type int')", True),
        ("op.execute('alter table chats add column mood text not null')", True),
        ("op.execute('alter table chats add column mood text not null default 1, add column seen text')", False),
        ("op.execute('alter table chats alter column mood drop not null')", False),
        ("op.execute('drop index chats_by_mood')", False),
        ("take_away()", True),
        ("add()", False),
    ],
)
def test_a_migration_that_takes_away_is_noticed(tmp_path, line, takes_away):
    (tmp_path / "0009.py").write_text(MIGRATION.format(line))
    assert bool(list(contracting(tmp_path / "0009.py"))) is takes_away


TAKES = MIGRATION.format("op.drop_column('chats', 'mood')")


@pytest.mark.parametrize(
    ("head", "holds", "why"),
    [
        ("", False, "back to dialog 0.2.0 would be no way: 0009.py: drop_column(chats, mood); first release a version that does without"),
        ("unused_since = '0.3.0'", False, "which dialog never released: release that first"),
        ("unused_since = '0.2.0'", True, "the way back leads to 0.2.0 and no further"),
        ("unused_since = '0.1.0'", True, "the way back leads to 0.1.0 and no further"),
    ],
)
def test_what_a_release_did_without_may_go_in_the_one_after_it(tmp_path, head, holds, why):
    """INVARIANT: a column can go one release later, and never while the last release still uses it."""
    migration = tmp_path / "0009.py"
    migration.write_text(head + TAKES)
    [reason] = taken_away(migration, Release("dialog", "0.2.0", "0"), {"0.1.0", "0.2.0"})
    assert reason.holds is holds
    assert why in reason.why
    migration.write_text(head + MIGRATION.format("add()"))
    assert list(taken_away(migration, Release("dialog", "0.2.0", "0"), {"0.2.0"})) == []
