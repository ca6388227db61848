"""The front page: ask, chat or call, and what is open now."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from dialog.pages.question_desk import Look, StateNow

router = APIRouter(default_response_class=HTMLResponse)


@router.get("/")
async def choose(request: Request, look: Look, state: StateNow) -> HTMLResponse:
    return look.render(request, "front.html", questions=state)
