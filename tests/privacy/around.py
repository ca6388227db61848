"""The rest of what there is to see: every page that the front pages lead to, the desks of staff, and the streams of a chat."""

from deploy.local.journey.browser import Browser
from deploy.local.journey.people import Staff, Youth, fine
from tests.privacy.walk import Walk

INFO_EDITOR, OPERATOR = "info-editor-1", "operator-1"


async def looks_around(walk: Walk, youth: Youth) -> None:
    """Follows every link from the front page of each host to the same host."""
    for service, base in walk.urls.items():
        front = await youth.opens(service, "/")
        for link in dict.fromkeys(link.partition("#")[0] for link in front.links):
            if link.startswith(base) and "spraak=" not in link and "/logg-inn" not in link:
                fine(await youth.browser.get(link))
    await youth.opens("identity", "/mine-innlogginger")


async def visits_desks(walk: Walk) -> None:
    """The editor of the open pages at her desk; somebody at the figures."""
    editor = Staff(walk.urls, walk.browser())
    page = await editor.starts("info", "/ansatt", INFO_EDITOR)
    form = next(form for form in page.forms if form.action.endswith("/gjennomgatt"))
    await walk.sends(editor.browser, form, {})
    await editor.leaves()
    operator = Staff(walk.urls, walk.browser())
    await operator.browser.get(f"{walk.urls['reporting']}/ansatt?x={walk.word('query')}")
    await operator.leaves()


async def listens(walk: Walk, person: Browser, address: str) -> None:
    """Opens a stream as the page's script would, and closes it again."""
    listener = walk.browser()
    listener.cookies = person.cookies
    await listener.peek(address, {"accept": "text/event-stream", "last-event-id": walk.word("Last-Event-ID of a stream")})
    await listener.__aexit__(None, None, None)
