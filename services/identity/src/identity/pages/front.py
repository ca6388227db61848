"""What this place is, why one logs in, and how to get a login."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

router = APIRouter(include_in_schema=False)


@router.get("/")
async def front(request: Request) -> Response:
    page: Response = request.app.state.pages.render(request, "front.html")
    return page


@router.get("/hvorfor")
async def why(request: Request) -> Response:
    page: Response = request.app.state.pages.render(request, "why.html")
    return page


@router.get("/minid-og-bankid")
async def how(request: Request) -> Response:
    page: Response = request.app.state.pages.render(request, "how.html")
    return page
