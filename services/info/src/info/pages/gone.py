"""What a reader meets where something was taken away: 410, and where to go instead."""

from datetime import datetime

from fastapi import Request
from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncConnection
from webkit import Pages
from webkit.i18n import mark as _

from info.pages import words
from info.queries import reading, register

TEXTS = {
    "article": (_("Denne artikkelen er tatt bort"), _("Den var ikke riktig lenger, eller den står et annet sted.")),
    "answer": (_("Dette svaret er tatt bort"), _("Den som spurte, eller redaksjonen, har tatt det bort. Teksten er slettet.")),
    "service": (_("Dette stedet står ikke i registeret lenger"), _("Det kan være lagt ned, eller ha fått et nytt navn.")),
}
"""What was taken away -> heading and reason, as msgids."""


async def gone(
    request: Request, look: Pages, connection: AsyncConnection, now: datetime, what: str, topic: str | None = None
) -> HTMLResponse:
    """The page of a withdrawn article, answer or service: who answers now, and what else there is on its topic, if that is known."""
    title, reason = TEXTS[what]
    articles = await reading.newest(connection, look.language(request), topic)
    there = await register.answering_now(connection, topic, now)
    return look.render(
        request,
        "gone.html",
        410,
        title=title,
        reason=reason,
        what=what,
        topic=topic,
        articles=articles,
        there=there,
        **words(request, look),
    )
