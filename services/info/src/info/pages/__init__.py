"""Door: the open pages, and the editor's desk."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Annotated, Any

from contracts.codes import PageClass
from fastapi import Depends, Request
from webkit import Pages
from webkit.shared_cache import each_time

from info import labels


async def _look(request: Request) -> Pages:
    look: Pages = request.app.state.pages
    return look


Look = Annotated[Pages, Depends(_look)]


def count(request: Request, page: PageClass) -> None:
    """One page view: its class and the language it was read in, nothing else; also where the page is given to the next reader."""
    state = request.app.state
    each_time(request, partial(state.usage.count, page, state.pages.language(request)))


def words(request: Request, look: Pages) -> dict[str, Any]:
    """What templates need to show codes in the reader's language: `labels`, `filter_options`, `names`."""
    say = look.translation(request)

    def filter_options(known: Mapping[str, str]) -> list[tuple[str, str]]:
        return [(code, say(name)) for code, name in known.items()]

    def names(codes: Iterable[str], known: Mapping[str, str]) -> str:
        """Those that have a name; a newer code that this version doesn't know is left out."""
        return ", ".join(say(known[code]) for code in codes if code in known)

    made: dict[str, Callable[..., Any]] = {"filter_options": filter_options, "names": names}
    return {"labels": labels, **made}


def page_number(written: str, most: int) -> int:
    """The page that an address asks for, at most `most`; the first one where it's no page number."""
    if not (written.isascii() and written.isdigit()):
        return 1
    return max(1, min(most, int(written[:6])))
