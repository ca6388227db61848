"""Search over articles and published answers: stemming, any of the words, compounds and misspellings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from markupsafe import Markup
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from info.domain import LONGEST_QUERY, QueryTooLongError, folded
from info.texts import MARKED, snippet

PAGE_SIZE = 10
MOST_PAGES = 50
MOST_WORDS = 12
"""Words of a query that are looked for; a longer one is mostly filler."""
LONG_WORD = 4
"""From this length (letters) a word is also looked for as the beginning of a longer one, and misspelt."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One text that was found."""

    publication_id: UUID
    kind: str
    """article | answer"""
    work: str
    """An article's slug; an answer's id."""
    language: str
    topic_code: str
    age_band: str | None
    """Of who asked; None for articles."""
    title: Markup
    snippet: Markup


@dataclass(frozen=True, slots=True)
class Found:
    """A page of hits."""

    hits: tuple[Hit, ...]
    total: int
    page: int
    """The page that is shown: the last one where a later one was asked for."""
    unfiltered: int = 0
    """How many there would be without any filter."""
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """topic, kind, language, age -> code -> how many hits choosing it would leave, all other filters as they are."""

    @property
    def pages(self) -> int:
        return min(-(-self.total // PAGE_SIZE), MOST_PAGES)


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, and where."""

    query: str
    preferred: str = "nb"
    """Language of the reader: of a translated text she gets this one."""
    topic: str | None = None
    kind: str | None = None
    language: str | None = None
    age: str | None = None
    """Age band of who asked: answers only."""
    page: int = 1

    @property
    def is_filtered(self) -> bool:
        return any((self.topic, self.kind, self.language, self.age))


# One row per text: how well the words fit (title 1.0, key words 0.5, body 0.2), how many of them, how near the letters are.
# Articles are kept up to date, answers are not: a little more for articles.
_BY_WORDS = """
with asked as (
  select to_tsquery('info_norwegian', :words) as any_no, to_tsquery('info_english', :words) as any_en,
         to_tsquery('info_norwegian', :beginnings) as near_no, to_tsquery('info_english', :beginnings) as near_en,
         array(select word from unnest(cast(:long_words as text[])) word where numnode(to_tsquery('info_norwegian', word)) > 0) as longs
), candidates as (
  select t.*, asked.longs, case when t.language = 'en' then any_en else any_no end as any_word,
         case when t.language = 'en' then near_en else near_no end as near_word
  from search_texts t, asked
  where t.vector @@ case when t.language = 'en' then near_en else near_no end
     or exists (select from unnest(longs) word where word <% t.folded)
), scored as (
  select c.*, case when kind = 'article' then 0.2 else 0 end
    + 2 * ts_rank('{0.05, 0.2, 0.5, 1.0}', vector, any_word) + 0.5 * ts_rank('{0.05, 0.2, 0.5, 1.0}', vector, near_word)
    + coalesce((select avg(case when near > 0.5 then near else 0 end)
                from unnest(longs) word, word_similarity(word, c.folded) near), 0) + 0.5 * word_similarity(:whole, c.folded) as score
  from candidates c
)"""
_ALL = """
with scored as (
  select t.*, to_tsquery('simple', '') as near_word, case when kind = 'article' then 1.0 else 0.9 end as score from search_texts t
)"""
# Far behind the best hit is noise, whatever is filtered, so that a facet's number is what one gets by choosing it.
_FOUND = """, fitting as (
  select * from (select scored.*, max(score) over (partition by work) as fit, max(score) over () as best from scored) every
  where fit > 0.2 * best
), wanted as (
  select *, cast(:topic as text) is null or topic_code = :topic as by_topic, cast(:kind as text) is null or kind = :kind as by_kind,
    cast(:language as text) is null or language = :language as by_language, cast(:age as text) is null or age_band = :age as by_age
  from fitting
), hits as (
  select distinct on (work) * from wanted where by_topic and by_kind and by_language and by_age is true
  order by work, (language = :preferred) desc, (language = 'nb') desc, score desc
), facets as (
  select 'topic' as facet, topic_code as code, count(distinct work) as number
    from wanted where by_kind and by_language and by_age is true group by code
  union all select 'kind', kind, count(distinct work) from wanted where by_topic and by_language and by_age is true group by kind
  union all select 'language', language, count(distinct work) from wanted where by_topic and by_kind and by_age is true group by language
  union all select 'age', age_band, count(distinct work) from wanted
    where by_topic and by_kind and by_language and age_band is not null group by age_band
), shown as (
  select least(cast(:page as int), greatest(1, ceil(count(*) / cast(:size as numeric)))) as page, count(*) as total from hits
), listed as (
  select publication_id, kind, work, language, topic_code, age_band, fit, title as plain_title, left(plain, 30) as start,
    ts_headline(configuration, title, near_word, :whole_title) as title, ts_headline(configuration, plain, near_word, :how) as headline
  from (select * from hits order by fit desc, title limit :size offset (select (page - 1) * :size from shown)) h,
    cast(case when language = 'en' then 'info_english' else 'info_norwegian' end as regconfig) configuration
)
select cast(shown.page as int) as page, shown.total, (select count(distinct work) from wanted) as unfiltered,
  (select json_agg(listed order by fit desc, plain_title) from listed) as hits, (select json_agg(facets) from facets) as facets
from shown
"""
_MARKS = f"StartSel={MARKED[0]}, StopSel={MARKED[1]}"
_HOW = f"{_MARKS}, MaxWords=28, MinWords=14, MaxFragments=1"
_WHOLE_TITLE = f"{_MARKS}, HighlightAll=true"


async def search(connection: AsyncConnection, asked: Search) -> Found:
    """Texts that fit any of the words, best first; with a filter and no words, all that it leaves. Raises QueryTooLongError."""
    if len(asked.query) > LONGEST_QUERY:
        raise QueryTooLongError
    words = list(dict.fromkeys(_lexical(asked.query)))[:MOST_WORDS]
    if not words and (asked.query.strip() or not asked.is_filtered):
        return Found((), 0, 1)
    parameters: dict[str, object] = {
        "preferred": asked.preferred,
        "topic": asked.topic,
        "kind": asked.kind,
        "language": asked.language,
        "age": asked.age,
        "page": min(asked.page, MOST_PAGES),
        "size": PAGE_SIZE,
        "how": _HOW,
        "whole_title": _WHOLE_TITLE,
    }
    if words:
        parameters |= _words_asked_for(words)
        await connection.execute(text("set local pg_trgm.word_similarity_threshold = 0.55"))
    row = (await connection.execute(text((_BY_WORDS if words else _ALL) + _FOUND), parameters)).one()
    return Found(
        hits=tuple(_hit(found) for found in row.hits or ()),
        total=row.total,
        page=row.page,
        unfiltered=row.unfiltered,
        facets=_facets(row.facets or ()),
    )


def _words_asked_for(words: list[str]) -> dict[str, object]:
    return {
        "words": " | ".join(words),
        "beginnings": " | ".join(f"{word}:*" if len(word) >= LONG_WORD else word for word in words),
        "long_words": [folded(word) for word in words if len(word) >= LONG_WORD],
        "whole": folded(" ".join(words)),
    }


def _hit(found: dict[str, str]) -> Hit:
    copied = {name: found[name] for name in ("kind", "work", "language", "topic_code", "age_band")}
    return Hit(
        publication_id=UUID(found["publication_id"]),
        title=snippet(found["title"]),
        snippet=snippet(found["headline"], found["start"]),
        **copied,
    )


def _facets(rows: Iterable[dict[str, str | int]]) -> dict[str, dict[str, int]]:
    facets: dict[str, dict[str, int]] = {}
    for row in rows:
        facets.setdefault(str(row["facet"]), {})[str(row["code"])] = int(row["number"])
    return facets


def _lexical(query: str) -> list[str]:
    """The words of the query, of letters and digits only, so that no operator of the query language gets through."""
    kept = "".join(c if c.isalnum() else " " for c in query.casefold())
    return kept.split()
