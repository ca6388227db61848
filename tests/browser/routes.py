"""What the services serve: their tables of routes, and the gateway's own pages."""

import importlib
from pathlib import Path

from contracts.catalogue import SERVICES
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from servicekit.service import create_app

import deploy.gateway
from deploy.kafka.access import Access
from deploy.local import start_page
from deploy.local.environment import Addresses, service_environment
from deploy.local.keys import make_keys

GATEWAY = "gateway"
DEMO_PAGES = tuple("/_demo" if file == "index.html" else f"/_demo/{Path(file).stem}" for file in start_page.LANGUAGES.values())
"""The start page of the demo, which the gateway serves too."""
NOWHERE = Addresses(1, dict.fromkeys(SERVICES, 1), dict.fromkeys(SERVICES, 1), "http://127.0.0.1:1", "http://127.0.0.1:1")
NOT_PAGES = {
    "GET /static": "files",
    "GET /ansatt (dialog)": "leads on to the desk of the role",
    "GET /ansatt (helpjourney)": "leads on to today's list",
    "GET /logg-inn/start": "leads on to identity",
    "GET /ansatt/logg-inn/start": "leads on to identity",
    "GET /chat/strom": "a stream of events",
    "GET /chat/venter/strom": "a stream of events",
    "GET /ansatt/samtaler/strom": "a stream of events",
    "GET /chat/samtale/ramme": "a frame of /chat/samtale, looked at there without script",
    "GET /ansatt/samtaler/{chat_id}/ramme": "a frame of the talk at the desk",
    "GET /ansatt/samtaler/{chat_id}/strom": "a stream of events",
    "GET /reisen.csv": "a table for programs",
    "GET /ventetid.csv": "a table for programs",
    "GET /jwks": "keys for programs",
    "GET /.well-known/openid-configuration": "for programs",
    "GET /authorize": "leads on to the provider",
}
"""Routes that show no page, and why; with the service's name where another service has a page there."""


def app_of(service: str, folder: Path) -> FastAPI:
    """The web application of a service as it would be served; nothing is connected. `folder`: keys and trust."""
    environment = service_environment(service, NOWHERE, folder, f"postgresql://{service}@127.0.0.1:1/{service}", Access("127.0.0.1:1"))
    settings = importlib.import_module(f"{service}.settings").Settings(**{name.lower(): value for name, value in environment.items()})
    return create_app(importlib.import_module(f"{service}.main").create_service(settings))


def routes_of(app: FastAPI) -> set[str]:
    """`GET /path` and `POST /path` of everything that this application answers."""
    found = set()
    for route in iter_route_contexts(app.router.routes):
        methods = set(route.methods or ()) or {"GET"}
        found |= {f"{method} {route.path}" for method in methods - {"HEAD", "OPTIONS"}}
    return found


def all_routes(folder: Path) -> dict[str, set[str]]:
    """By service; the gateway's are the files of its pages."""
    make_keys(folder)
    pages = Path(deploy.gateway.__file__).parent / "static"
    return {service: routes_of(app_of(service, folder)) for service in SERVICES} | {
        GATEWAY: {f"GET {page.name}" for page in pages.glob("*.html")} | {f"GET {path}" for path in DEMO_PAGES}
    }


def is_page(service: str, route: str) -> bool:
    """Whether a browser is shown something there by an ordinary link."""
    return route.startswith("GET ") and not route.startswith("GET /api/") and not {route, f"{route} ({service})"} & set(NOT_PAGES)
