"""Pages that stand without a service: what the gateway shows when one is down, and the demo's start page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from webkit.environment import environment

STYLE = Path(__file__).parent / "templates" / "webkit" / "standalone" / "standalone.css"
"""The one style sheet of `webkit/standalone/*.html`; links to `style`."""
GATEWAY_PAGES = ("down", "too_large")


def page(
    template: str,
    language: str = "nb",
    *,
    templates_dir: Path | None = None,
    locale_dir: Path | None = None,
    asset: Callable[[str], str] = str,
    **context: Any,
) -> str:
    """A page without request, service or session. `asset`: a static file's address by its plain name."""
    made = environment(language, templates_dir, (locale_dir,) if locale_dir else (), asset)
    return made.get_template(template).render(language=language, **context)


def gateway_page(name: str, style: str, quick_exit_url: str = "https://www.yr.no/") -> str:
    """One of GATEWAY_PAGES. `style`: where STYLE is served. Its quick exit is the form that services have; the gateway answers it."""
    host = urlsplit(quick_exit_url).netloc.removeprefix("www.")
    return page(f"webkit/standalone/{name}.html", style=style, quick_exit_host=host)
