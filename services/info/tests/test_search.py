"""Search on our own articles and answers: the words that youths use find the right text."""

import pytest
from info.domain import LONGEST_QUERY, QueryTooLongError
from info.queries.reading import nearby_words
from info.queries.search import PAGE_SIZE, Search, search

YOUTHS_WORDS = {
    "slutte med snus": "snus-og-vape",
    "ensom": "ensom",
    "eksamensangst": "eksamensangst",
    "eksamen": "eksamensangst",
    "helsesykepleier": "taushetsplikt",
    "kondomer": "prevensjon",
    "mobber": "mobbing-pa-nett",
    "får ikke sove": "sovn",
    "sovnproblemer": "sovn",
    "krangling": "foreldre-som-krangler",
    "jeg kutter meg": "selvskading",
    "prevansjon": "prevensjon",
    "mamma og pappa krangla": "foreldre-som-krangler",
}
"""Query -> the article that must come first among articles: stems, compounds, missing letters, misspellings, talk."""


@pytest.fixture
async def look(seeded):
    async with seeded.engine.begin() as connection:

        async def ask(query, **asked):
            return await search(connection, Search(query, **asked))

        yield ask


OTHER_WORDS = {
    "kjerlighetsorg": "kjaerlighetssorg",
    "angrepille": "prevensjon",
    "logge inn uten bankid": "minid-og-bankid",
    "hvordan få venner": "ensom",
    "KVISER!!!": "kropp-og-kviser",
    "statsforvalteren": "rettigheter-pa-skolen",
    "einsemd": "ensom",
    "teieplikt": "taushetsplikt",
    "eg kuttar meg": "selvskading",
    "lonely": "ensom",
    "confidentiality": "taushetsplikt",
    "selvmor": "selvmordstanker",
    "selvmrd": "selvmordstanker",
    "e vil dø": "selvmordstanker",
    "lei av livet": "selvmordstanker",
    "stefar tar på meg": "samtykke",
    "blei voldtatt": "samtykke",
    "nakenbilder": "nakenbilder-pa-avveie",
    "tok masse paracet": "alkohol-og-andre-rusmidler",
    "deprimert": "nedfor",
    "e deppa": "nedfor",
    "føler meg tom": "nedfor",
    "hjertesorg": "kjaerlighetssorg",
    "abort": "gravid",
    "pregnant": "gravid",
    "e gravid": "gravid",
    "bully": "mobbing-pa-nett",
    "dop": "alkohol-og-andre-rusmidler",
    "adhd": "forste-gang-hos-psykolog",
    "grooming": "nakenbilder-pa-avveie",
    "skjære meg": "selvskading",
    "slått hjemme": "vold-hjemme",
    "pappa slår meg": "vold-hjemme",
    "far slår": "vold-hjemme",
    "kjæreste slo opp": "kjaerlighetssorg",
}
NOTHING = ["xyzzy", "qwrtpsdfg", "zzzzzzzz zzzzzz", "ikke", "og eller men", "", "   ", "!!!", "&|:*()<->'\"\\", "%_"]
OPERATORS = ["snus & !vape", "snus' or 1=1 --", "snus:*", '"snus', "snus\\", "snus\x00", "snus 😀 \u202e"]


async def test_youths_words_find_the_right_article(look):
    found = {query: (await look(query)).hits for query in YOUTHS_WORDS}
    first = {query: next((hit.work for hit in hits if hit.kind == "article"), None) for query, hits in found.items()}
    assert first == YOUTHS_WORDS
    assert [query for query, hits in found.items() if YOUTHS_WORDS[query] not in [hit.work for hit in hits[:3]]] == []


async def test_other_words_and_languages_find_it_first(look):
    assert {query: (await look(query)).hits[0].work for query in OTHER_WORDS} == OTHER_WORDS


async def test_answers_are_found_beside_articles(look):
    kinds = {hit.kind for hit in (await look("slutte med snus")).hits}
    assert kinds == {"article", "answer"}


async def test_what_is_far_behind_the_best_is_left_out(look):
    assert (await look("får ikke sove")).total < 15


async def test_nothing_is_found_for_nothing(look):
    for query in NOTHING:
        found = await look(query)
        assert (found.hits, found.total, found.pages) == ((), 0, 0), query


async def test_no_operator_gets_through(look):
    """INVARIANT: what a reader writes is words, never query language."""
    for query in OPERATORS:
        assert (await look(query)).hits[0].work == "snus-og-vape", query
    await look("s̸̢n̷u̶s")


async def test_a_query_may_be_long_but_not_endless(look):
    assert (await look("snus " * 40)).hits[0].work == "snus-og-vape"
    with pytest.raises(QueryTooLongError):
        await look("a" * (LONGEST_QUERY + 1))


async def test_a_reader_gets_her_own_language_of_a_translated_text_once(look):
    hits = [hit for hit in (await look("samtykke", preferred="nn")).hits if hit.work == "samtykke"]
    assert [hit.language for hit in hits] == ["nn"]
    hits = [hit for hit in (await look("samtykke", preferred="en")).hits if hit.work == "samtykke"]
    assert [hit.language for hit in hits] == ["nb"]


async def test_filters_narrow_by_topic_and_language(look):
    assert {hit.topic_code for hit in (await look("hjelp", topic="family")).hits} == {"family"}
    assert {hit.language for hit in (await look("hjelp", language="nn")).hits} == {"nn"}
    assert (await look("prevensjon", language="en")).hits == ()


async def test_a_topic_without_words_lists_all_of_it_once(look):
    found = await look("", topic="mental_health", preferred="nn")
    assert found.total == len({hit.work for hit in found.hits}) >= 4
    assert {hit.language for hit in found.hits if hit.work == "ensom"} == {"nn"}
    only = await look("", topic="mental_health", language="nn")
    assert {hit.work for hit in only.hits} == {"ensom", "nedfor", "selvskading", "selvmordstanker"}
    assert only.total == 4


async def test_a_facet_tells_how_many_hits_it_would_leave(look):
    """INVARIANT: a number beside a choice is what choosing it gives, whatever else is chosen."""
    for already in ({}, {"kind": "article"}, {"topic": "mental_health"}, {"language": "nn"}, {"age": "13_15"}):
        found = await look("hjelp skole", **already)
        assert found.total > 0
        for facet, codes in found.facets.items():
            for code, number in codes.items():
                narrowed = await look("hjelp skole", **{**already, facet: code})
                assert narrowed.total == number, (already, facet, code)
                assert narrowed.unfiltered == found.unfiltered


async def test_filters_alone_list_what_they_leave(look):
    answers = await look("", kind="answer", age="13_15")
    assert {(hit.kind, hit.age_band) for hit in answers.hits} == {("answer", "13_15")}
    assert answers.total == answers.facets["age"]["13_15"] == answers.facets["kind"]["answer"]


async def test_a_page_beyond_the_end_is_the_last_one(look):
    found = await look("du kan hjelp skole chat", page=49)
    assert (found.page, len(found.hits)) == (found.pages, found.total - PAGE_SIZE * (found.pages - 1))


async def test_pages_follow_one_another(look):
    first, second = await look("du kan hjelp skole chat"), await look("du kan hjelp skole chat", page=2)
    assert len(first.hits) == PAGE_SIZE
    assert first.total == second.total > PAGE_SIZE
    assert not {hit.publication_id for hit in first.hits} & {hit.publication_id for hit in second.hits}


async def test_snippets_show_where_the_words_stand(look):
    assert "<mark>" in (await look("nikotin")).hits[0].snippet
    assert "<mark>Snus</mark>" in (await look("snus")).hits[0].title


async def test_words_near_what_was_asked_are_offered(seeded):
    async with seeded.engine.begin() as connection:
        assert "får ikke sove" in await nearby_words(connection, "kannikke sovve", "nb")
        assert await nearby_words(connection, "xyzzy", "nb") == ()
