"""The three pages that the law asks of every service: privacy, accessibility, cookies."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

Render = Callable[[Request, str], Response]


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


def endpoint(render: Render, page: AboutPage) -> Callable[[Request], Awaitable[Response]]:
    """The route that shows `page`."""

    async def show(request: Request) -> Response:
        return render(request, page.template)

    return show
