"""The catalogue: every part in every state, and every error page, on the service's own accent. Only where the demo runs."""

from collections.abc import Callable
from types import SimpleNamespace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from webkit.errors import ERRORS

PATH = "/_komponenter"
DRAWINGS = (
    "les", "spor", "chat", "ring", "mot", "finn", "logg-inn", "sendt", "bro", "trygg", "venter", "tom", "stengt", "fullt",
    "borte", "utlopt", "nede", "frakoblet", "nei", "ikke-din", "mange", "skjema", "feil-vei",
)  # fmt: skip
_NO_FORM = SimpleNamespace(csrf="", key="")


def routes(render: Callable[..., Response], error: Callable[[Request, int, str], Response]) -> list[Route]:
    """The catalogue, and one page per error code below it; all answer 200. `render`, `error`: those of the service's pages."""

    async def catalogue(request: Request) -> Response:
        return render(request, "webkit/components.html", refresh=60, form=_NO_FORM, errors_known=ERRORS, drawings=DRAWINGS)

    async def state(request: Request) -> Response:
        code = request.path_params["code"]
        known = code in ERRORS
        return error(request, 200 if known else 404, code if known else "not_found")

    return [
        Route(PATH, catalogue, methods=["GET"], name="components"),
        Route(f"{PATH}/tilstand/{{code}}", state, methods=["GET"], name="component_state"),
    ]
