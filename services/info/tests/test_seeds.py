"""The seed files: what they hold, and that loading them tells the world only what changed."""

import shutil
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from contracts.codes import Channel, ServiceKind, TopicCode
from info import seeds
from info.handlers import MarkReviewed, WithdrawAnswer, mark_reviewed, withdraw_answer
from info.store import articles
from info.texts import plain_text
from servicekit.delivery.tables import outbox
from sqlalchemy import delete, select

from deploy.testing import told

SEEDS = Path(__file__).parents[1] / "seeds"
REAL_NUMBERS = {"113", "112", "116117", "116111", "116123"}


def test_there_is_something_to_read_in_each_language(seed_files):
    languages: dict[str, set[str]] = {}
    for article in seed_files.articles:
        languages.setdefault(article.slug, set()).add(article.language)
    assert len(languages) + len(seed_files.answers) >= 40
    assert sum(found == {"nb", "nn", "en"} for found in languages.values()) >= 10


def test_articles_name_their_owner_sources_and_related_articles(seed_files):
    slugs = {article.slug for article in seed_files.articles}
    for article in seed_files.articles:
        assert article.sources, article.slug
        assert set(article.related) <= slugs - {article.slug}, article.slug
        assert article.owner_number.isdigit()
        assert len(article.owner_number) == 9
        assert article.topic_code in set(TopicCode)
        assert 120 <= len(plain_text(article.body).split()) <= 500


def test_translations_belong_to_a_text_in_bokmal(seed_files):
    bokmal = {article.slug for article in seed_files.articles if article.language == "nb"}
    assert {article.slug for article in seed_files.articles} == bokmal


def test_the_register_has_what_the_other_levels_build_on(seed_files):
    services = seed_files.services
    kinds = Counter(service.kind for service in services)
    assert len(services) == 25
    assert kinds[ServiceKind.CHAT_SERVICE] >= 3
    assert sum(Channel.APPOINTMENT in service.channels for service in services) >= 4
    assert {service.municipality for service in services} >= {"0301", "4601", "1103", "5001", "3905"}
    assert any(shift.closes < shift.opens for service in services for shift in service.hours.shifts)


def test_no_invented_service_has_a_number_that_somebody_answers(seed_files):
    """INVARIANT: a demonstration never sends anybody to a stranger's telephone."""
    for service in seed_files.services:
        assert service.phone is None or service.phone in REAL_NUMBERS or service.phone.startswith("00 00 "), service.name
        assert service.url is None or service.url.endswith(".example/"), service.name
        assert service.owner_number.startswith("3000")


async def test_loading_tells_each_publication_and_service_once(database, seed_files):
    loaded = await seeds.load(database.begin, seed_files)
    assert (loaded.services, loaded.taken_away) == (25, 0)
    async with database.begin() as uow:
        types = Counter(fact.type for fact in await told(uow.connection))
    assert types == {
        "info.article.published.v1": len(seed_files.articles),
        "info.answer.published.v1": len(seed_files.answers),
        "info.service.listed.v1": 25,
    }


async def test_loading_again_tells_nothing(seeded, seed_files):
    """INVARIANT: a restart doesn't repeat facts."""
    await forget_told(seeded)
    assert await seeds.load(seeded.begin, seed_files) == seeds.Loaded(0, 0, 0, 0)
    async with seeded.begin() as uow:
        assert await told(uow.connection) == []


async def test_a_changed_file_is_told_as_the_next_fact_of_its_row(seeded, seed_files):
    await forget_told(seeded)
    article, service = seed_files.articles[0], seed_files.services[0]
    changed = replace(
        seed_files,
        articles=(replace(article, title="Ny tittel"), *seed_files.articles[1:]),
        services=(replace(service, age_to=25), *seed_files.services[1:]),
    )
    assert await seeds.load(seeded.begin, changed) == seeds.Loaded(1, 0, 1, 0)
    async with seeded.begin() as uow:
        facts = {fact.type: fact for fact in await told(uow.connection)}
    published, listed = facts["info.article.published.v1"], facts["info.service.changed.v1"]
    assert (published.key, published.sequence, published.data["title"]) == (article.publication_id, 2, "Ny tittel")
    assert (listed.key, listed.sequence, listed.data["service"]["age_to"]) == (service.service_id, 2, 25)


async def test_what_is_no_longer_in_the_files_is_taken_away_and_may_come_back(seeded, seed_files):
    await forget_told(seeded)
    fewer = replace(seed_files, articles=seed_files.articles[1:], services=seed_files.services[1:])
    assert await seeds.load(seeded.begin, fewer) == seeds.Loaded(0, 0, 0, 2)
    assert await seeds.load(seeded.begin, seed_files) == seeds.Loaded(1, 0, 1, 0)
    async with seeded.begin() as uow:
        facts = [(fact.type, fact.sequence) for fact in await told(uow.connection)]
    assert facts == [
        ("info.article.withdrawn.v1", 2),
        ("info.service.delisted.v1", 2),
        ("info.article.published.v1", 3),
        ("info.service.listed.v1", 3),
    ]


async def test_what_an_editor_did_survives_the_next_loading(seeded, seed_files):
    """INVARIANT: a withdrawn answer stays away, a newer review stays."""
    article, answer = seed_files.articles[0].publication_id, seed_files.answers[0].publication_id
    async with seeded.begin() as uow:
        await mark_reviewed(MarkReviewed(article, date(2027, 1, 1)), uow)
        await withdraw_answer(WithdrawAnswer(answer), uow)
    assert await seeds.load(seeded.begin, seed_files) == seeds.Loaded(0, 0, 0, 0)
    async with seeded.begin() as uow:
        reviewed = await uow.connection.scalar(select(articles.c.reviewed_on).where(articles.c.publication_id == article))
    assert reviewed == date(2027, 1, 1)


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(SEEDS, tmp_path / "seeds")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("articles/sovn.nb.md", "slug: sovn", "slog: sovn"),
        ("articles/sovn.nb.md", "reviewed_on: 2026", "reviewed_on: i fjor 2026"),
        ("answers/pappa-drikker.nb.md", "---\n", ""),
        ("directory.yaml", "1-7 20:00-02:00", "hver kveld"),
        ("directory.yaml", "id: 0ee6ffdd", "id: x"),
        ("directory.yaml", 'owner: "300000034"', 'owner: "399999999"'),
    ],
)
def test_a_broken_file_is_named(copy, name, old, new):
    file = copy / name
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(seeds.SeedError, match=file.name):
        seeds.read(copy)


def test_an_empty_folder_is_refused(tmp_path, copy):
    """INVARIANT: a mistaken path can't take everything away."""
    with pytest.raises(seeds.SeedError):
        seeds.read(tmp_path / "nowhere")
    shutil.rmtree(copy / "articles")
    with pytest.raises(seeds.SeedError, match="take everything away"):
        seeds.read(copy)


def test_an_id_that_is_used_twice_is_refused(copy):
    shutil.copy(copy / "articles/sovn.nb.md", copy / "articles/sovn.nn.md")
    with pytest.raises(seeds.SeedError, match="twice"):
        seeds.read(copy)


async def forget_told(database):
    async with database.begin() as uow:
        await uow.connection.execute(delete(outbox))
