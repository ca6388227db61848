"""Composition root of reporting: the only file that knows every room."""

from pathlib import Path

from servicekit.service import Service
from servicekit.web.relying_party import login_routes
from webkit import Pages

from reporting import api, consumers, files, gauges, pages
from reporting.settings import Settings

HERE = Path(__file__).parent


def create_service(settings: Settings) -> Service:
    """Everything that a reporting process is made of."""
    return Service(
        name="reporting",
        settings=settings,
        routers=[pages.router, files.router, api.router, login_routes(youth=False, staff=True)],
        pages=Pages(
            service="reporting", level="open", templates_dir=HERE / "templates", locale_dir=HERE / "locale", static_dir=HERE / "static"
        ),
        handlers=consumers.HANDLERS,
        measure=gauges.measure,
    )
