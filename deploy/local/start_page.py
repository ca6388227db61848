"""Writes the demo's start page, `/_demo`: where everything is, who one can log in as, and how to walk the journey."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.catalogue import SERVICES
from webkit.levels import LEVELS
from webkit.standalone import page
from webkit.static_files import StaticFiles
from webkit.texts import places

from deploy.local.environment import Addresses
from deploy.local.oidc.persons import people

HERE = Path(__file__).parent
EVENTS = HERE.parents[1] / "libs" / "contracts" / "catalogue"
"""The catalogue of events as a page and as AsyncAPI documents; made by `make schemas`."""
LANGUAGES = {"nb": "index.html", "nn": "nn.html", "en": "en.html"}
"""Language -> file; the folder is served as `/_demo`."""
LEVEL = {"info": "open", "dialog": "anonymous", "identity": "known", "helpjourney": "known", "reporting": "open"}
STAFF = ("info", "dialog", "helpjourney", "reporting")
SHEETS = ("designsystemet.css", "site.css", "mark.svg")


@dataclass(frozen=True, slots=True)
class Host:
    """One service as the page shows it."""

    name: str
    title: str
    owner: str
    level: str
    url: str
    staff: str
    internal: str


def write_start_page(folder: Path, addresses: Addresses) -> Path:
    """Everything below `/_demo`: the page in three languages, its style sheets, and the catalogue of events. Returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    static = StaticFiles()
    for name in SHEETS:
        (folder / static.names[name]).write_bytes(static.content(name))
    shutil.copytree(EVENTS, folder / "catalogue", dirs_exist_ok=True)
    for language, file in LANGUAGES.items():
        (folder / file).write_text(start_page(language, addresses, lambda name: f"/_demo/{static.names[name]}"))
    return folder


def start_page(language: str, addresses: Addresses, asset: Any) -> str:
    """The whole page in one language."""
    everybody = people()
    return page(
        "start.html",
        language,
        templates_dir=HERE / "templates",
        locale_dir=HERE / "locale",
        asset=asset,
        hosts=[_host(name, language, addresses) for name in SERVICES if name in places()],
        urls={name: addresses.url(name) + "/" for name in SERVICES},
        youths=everybody["youths"],
        staff=everybody["staff"],
        idporten=addresses.idporten,
        ansattporten=addresses.ansattporten,
        level=LEVELS["open"],
    )


def _host(name: str, language: str, addresses: Addresses) -> Host:
    place, url = places()[name], addresses.url(name) + "/"
    return Host(
        name=name,
        title=place.name.of(language),
        owner=place.owner.of(language),
        level=LEVEL[name],
        url=url,
        staff=f"{url}ansatt" if name in STAFF else "",
        internal=addresses.internal(name),
    )
