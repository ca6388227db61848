"""What a service draws its pages with: templates in the reader's language, the right headers, the pages that all services have."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from fastapi import FastAPI
from jinja2 import Environment
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match, Route

from webkit import about, caching, components, errors, quick_exit, refusal
from webkit.environment import environment
from webkit.headers import FIXED, SecurityHeaders, content_security_policy, origin
from webkit.i18n import LANGUAGES, Translation, translate
from webkit.language import LanguageChoice, language_of, switch_url
from webkit.levels import LEVELS, front_of, level_of_path
from webkit.renewal import renewal_of
from webkit.shared_cache import SharedCache
from webkit.static_files import PREFIX, StaticFiles
from webkit.texts import Place, places

QUICK_EXIT_URL = "https://www.yr.no/"
SERVICES = ("info", "dialog", "identity", "helpjourney", "reporting")


class Form(Protocol):
    """What `ui.form_open` needs of a browser session or a submission."""

    @property
    def csrf(self) -> str: ...

    @property
    def key(self) -> str: ...


class Pages:
    """The pages of one service."""

    def __init__(
        self,
        *,
        service: str,
        level: str,
        templates_dir: Path,
        locale_dir: Path | None = None,
        static_dir: Path | None = None,
        form_action: Iterable[str] = (),
        quick_exit_url: str | None = None,
        leave: quick_exit.Leave | None = None,
        place: Place | None = None,
    ) -> None:
        """`level`: open, anonymous, known or staff. `form_action`: other origins that this service's forms may post to.

        `quick_exit_url` and the addresses of the five services come from `app.state.settings` unless given here, the end of a session
        (`leave`) from `app.state.leave`. Raises AssetsMissingError without the vendor files.
        """
        self.service, self.level = service, LEVELS[level]
        self.place = place or places()[service]
        self.static = StaticFiles(*([static_dir] if static_dir else []))
        self.quick_exit_url = quick_exit_url or QUICK_EXIT_URL
        self.urls: dict[str, str] = dict.fromkeys(SERVICES, "/")
        self.is_demo = True
        self._given_exit, self._leave = quick_exit_url, leave
        self._form_action = tuple(origin(target) for target in form_action)
        self._templates_dir = templates_dir
        self._folders = (locale_dir,) if locale_dir else ()
        self.content_languages = frozenset(
            language for language in LANGUAGES if language == "nb" or (locale_dir and any((locale_dir / language).rglob("*.po")))
        )

    def install(self, app: FastAPI) -> None:
        """Give `app` the headers, the language switch, the static files, the quick exit and the pages that all services have."""
        settings = getattr(app.state, "settings", None)
        if settings is not None:
            self.quick_exit_url = self._given_exit or str(settings.quick_exit_url)
            self.urls = {name: str(getattr(settings, f"{name}_url")).rstrip("/") + "/" for name in SERVICES}
            self.is_demo = bool(settings.is_demo)
        app.state.pages = self
        app.mount(PREFIX, self.static, name="static")
        app.router.routes.append(quick_exit.quick_exit_route(lambda: self.quick_exit_url, self._leave_of))
        app.router.routes.extend(Route(page.path, about.endpoint(self.render, page), name=page.name) for page in about.PAGES)
        if self.is_demo:
            app.router.routes.extend(components.routes(self.render, self.error))
        app.add_middleware(LanguageChoice)
        app.add_middleware(SecurityHeaders, level=self.level.name, policy=self.policy())

    def share(self, app: FastAPI) -> None:
        """Give readers without cookies the same open page for a moment (`settings.shared_page_seconds`; 0: never).

        After the middleware that sets cookies: what is added later stands further out.
        """
        seconds = float(getattr(app.state.settings, "shared_page_seconds", 0))
        if seconds and not self.level.private:
            app.add_middleware(SharedCache, seconds=seconds)

    def policy(self, form_action: Iterable[str] = (), frame_ancestors: str = "'none'") -> str:
        """The content security policy of this service's pages."""
        targets = (origin(self.quick_exit_url), *self._form_action, *(origin(target) for target in form_action))
        return content_security_policy(targets, frame_ancestors)

    def language(self, request: Request) -> str:
        """The reader's language: nb, nn, se or en."""
        return language_of(request)

    def translation(self, request_or_language: Request | str) -> Translation:
        """`_` for Python code: `pages.translation(request)("Du har %(number)s igjen", number=2)`."""
        chosen = request_or_language if isinstance(request_or_language, str) else self.language(request_or_language)
        return translate(chosen, *self._folders)

    def render(
        self,
        request: Request,
        template: str,
        status: int = 200,
        *,
        level: str | None = None,
        form_action: Iterable[str] = (),
        frame_ancestors: str = "'none'",
        refresh: int | None = None,
        cache_control: str | None = None,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> HTMLResponse:
        """A whole page. `level`: another than the path's own. `refresh`: seconds until the browser asks again (header `Refresh`);
        the template then shows `ui.renewal(renewal)`, by which she stops it.

        `cache_control`: for open pages only; private levels are always `no-store`.
        """
        shown = LEVELS[level] if level else level_of_path(request.url.path, self.level.name)
        language = self.language(request)
        renewal = renewal_of(request, refresh)
        shared = {**self._context(request, language), "level": shown, "front": front_of(shown), "renewal": renewal}
        shared["place_name"] = self.place.name_at(shown.name)
        text = self._environment(language).get_template(template).render(shared, **context)
        sent = {**FIXED, "Content-Security-Policy": self.policy(form_action, frame_ancestors), "Content-Language": language}
        if shown.private:
            sent["X-Robots-Tag"] = "noindex, nofollow"
        if renewal and not renewal.stopped:
            sent["Refresh"] = str(renewal.seconds)
        sent.update(headers or {})
        return caching.answer(request, text, status, sent, private=shown.private, cache_control=cache_control)

    def fragment(self, request_or_language: Request | str, template: str, **context: Any) -> Markup:
        """A piece of a page, e.g. one message for an event stream; has `language` but no request."""
        chosen = request_or_language if isinstance(request_or_language, str) else self.language(request_or_language)
        return Markup(self._environment(chosen).get_template(template).render(language=chosen, **context))  # noqa: S704 - autoescaped

    def error(self, request: Request, status: int, code: str = "") -> Response:
        """The error page for a status and a code (webkit.errors): what happened, what to do next, and the crisis block."""
        staff = level_of_path(request.url.path, self.level.name).name == "staff"
        return self.render(request, "webkit/error.html", status, error=errors.error_page(status, code, staff=staff))

    def crowded(self, request: Request) -> Response:
        """The page for who can't be taken on now. For readers it is the same at every address and made once: then there is no time."""
        if request.method not in ("GET", "HEAD"):
            return self.error(request, 503, "crowded")
        key = self.language(request), level_of_path(request.url.path, self.level.name).name == "staff", caching.takes_gzip(request)
        if key not in self._refusals:
            self._refusals[key] = refusal.page(self.error, request.scope, *key)
        return refusal.answer(self._refusals[key])

    @cached_property
    def _refusals(self) -> dict[tuple[str, bool, bool], refusal.Made]:
        return {}

    @cached_property
    def _environments(self) -> dict[str, Environment]:
        return {}

    def _content_language(self, language: str) -> str:
        """What the service's own sentences are in."""
        return language if language in self.content_languages else "nb"

    def _environment(self, language: str) -> Environment:
        if language not in self._environments:
            sentences = self._content_language(language)
            self._environments[language] = environment(language, self._templates_dir, self._folders, self.static.url, sentences)
        return self._environments[language]

    def _context(self, request: Request, language: str) -> dict[str, Any]:
        return {
            "request": request,
            "language": language,
            "content_language": self._content_language(language),
            "service": self.service,
            "place": self.place,
            "urls": self.urls,
            "quick_exit_url": self.quick_exit_url,
            "quick_exit_host": urlsplit(self.quick_exit_url).netloc.removeprefix("www."),
            "is_demo": self.is_demo,
            "here": quote(self._readable_path(request)),
            "switch_url": lambda code: switch_url(request, code, self._readable_path(request)),
        }

    def _readable_path(self, request: Request) -> str:
        """The path of this page, or the front page where only a form can be posted to."""
        if request.method in ("GET", "HEAD"):
            return request.url.path
        scope = {**request.scope, "method": "GET"}
        readable = any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes)
        return request.url.path if readable else front_of(level_of_path(request.url.path, self.level.name))

    def _leave_of(self, request: Request) -> quick_exit.Leave | None:
        found: quick_exit.Leave | None = self._leave or getattr(request.app.state, "leave", None)
        return found
