"""The three pages that the law asks of every service: privacy, accessibility, cookies."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

if TYPE_CHECKING:
    from webkit.pages import Pages


@dataclass(frozen=True, slots=True)
class AboutPage:
    """One of them."""

    name: str
    path: str
    template: str


PAGES = (
    AboutPage("privacy", "/personvern", "webkit/privacy.html"),
    AboutPage("accessibility", "/tilgjengelighet", "webkit/accessibility.html"),
    AboutPage("cookies", "/informasjonskapsler", "webkit/cookies.html"),
)


def endpoint(pages: "Pages", page: AboutPage) -> Callable[[Request], Awaitable[Response]]:
    """The route that shows `page`."""

    async def show(request: Request) -> Response:
        return pages.render(request, page.template)

    return show
