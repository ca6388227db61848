"""Search over articles and published answers: stemming, any of the words, compounds and misspellings."""

from dataclasses import dataclass
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
    title: str
    snippet: Markup


@dataclass(frozen=True, slots=True)
class Found:
    """A page of hits."""

    hits: tuple[Hit, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return -(-self.total // PAGE_SIZE)


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, and where."""

    query: str
    preferred: str = "nb"
    """Language of the reader: of a translated text she gets this one."""
    topic: str | None = None
    language: str | None = None
    page: int = 1


# One row per text: how well the words fit (title 1.0, key words 0.5, body 0.2), how many of them, how near the letters are.
# Articles are kept up to date, answers are not: a little more for articles. Far behind the best hit is noise.
_FOUND = """
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
), ranked as (
  select scored.*, max(score) over () as best, max(score) over (partition by work) as fit,
    row_number() over (partition by work order by (language = :preferred) desc, (language = 'nb') desc, score desc) as turn
  from scored
  where (cast(:topic as text) is null or topic_code = :topic) and (cast(:language as text) is null or language = :language)
), chosen as (
  select *, count(*) over () as total from ranked where turn = 1 and fit > 0.2 * best
  order by fit desc, title limit :limit offset :offset
)
select publication_id, kind, work, language, topic_code, title, total,
  ts_headline(case when language = 'en' then 'info_english' else 'info_norwegian' end::regconfig, plain, near_word, :how) as headline
from chosen order by fit desc, title
"""
_BROWSED = """
select publication_id, kind, work, language, topic_code, title, total, left(plain, 200) as headline from (
  select t.*, row_number() over (partition by work order by (language = :preferred) desc, (language = 'nb') desc) as turn
  from search_texts t
  where topic_code = :topic and (cast(:language as text) is null or language = :language)
) t, lateral (select 1) _, lateral (select count(distinct work) as total from search_texts
  where topic_code = :topic and (cast(:language as text) is null or language = :language)) n
where turn = 1 order by kind desc, title limit :limit offset :offset
"""
_HOW = f"StartSel={MARKED[0]}, StopSel={MARKED[1]}, MaxWords=28, MinWords=14, MaxFragments=1"


async def search(connection: AsyncConnection, asked: Search) -> Found:
    """Texts that fit any of the words, best first; with a topic and no words, all of that topic. Raises QueryTooLongError."""
    if len(asked.query) > LONGEST_QUERY:
        raise QueryTooLongError
    words = list(dict.fromkeys(_lexical(asked.query)))[:MOST_WORDS]
    if not words and not asked.topic:
        return Found((), 0, 1)
    long_words = [folded(word) for word in words if len(word) >= LONG_WORD]
    parameters = {
        "words": " | ".join(words),
        "beginnings": " | ".join(f"{word}:*" if len(word) >= LONG_WORD else word for word in words),
        "long_words": long_words,
        "whole": folded(" ".join(words)),
        "preferred": asked.preferred,
        "topic": asked.topic,
        "language": asked.language,
        "limit": PAGE_SIZE,
        "offset": (asked.page - 1) * PAGE_SIZE,
        "how": _HOW,
    }
    if words:
        await connection.execute(text("set local pg_trgm.word_similarity_threshold = 0.55"))
    rows = (await connection.execute(text(_FOUND if words else _BROWSED), parameters)).all()
    hits = (Hit(r.publication_id, r.kind, r.work, r.language, r.topic_code, r.title, snippet(r.headline)) for r in rows)
    return Found(tuple(hits), rows[0].total if rows else 0, asked.page)


def _lexical(query: str) -> list[str]:
    """The words of the query, of letters and digits only, so that no operator of the query language gets through."""
    kept = "".join(c if c.isalnum() else " " for c in query.casefold())
    return kept.split()
