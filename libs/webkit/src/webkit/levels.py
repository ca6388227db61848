"""The levels of the journey as one sees them: how private a page is, its accent, the words that say where one is."""

from collections.abc import Mapping
from dataclasses import dataclass

from webkit.i18n import mark as _


@dataclass(frozen=True, slots=True)
class Level:
    """One level."""

    name: str
    private: bool
    """Nothing is stored in any cache, and title and icon say nothing."""
    color: str
    """Designsystemet's colour name: the accent."""
    title: str
    """The neutral title; empty where a page's own title may be shown."""
    sign: str
    """One line under the header that says where one is."""


LEVELS: Mapping[str, Level] = {
    level.name: level
    for level in (
        Level("open", False, "accent", "", _("Åpen side. Du trenger ikke å logge inn.")),
        Level("anonymous", True, "brand1", _("Side"), _("Her er du anonym. Vi vet ikke hvem du er.")),
        Level("known", True, "brand2", _("Side"), _("Når du er logget inn, vet vi hvem du er.")),
        Level("staff", True, "neutral", _("Side"), _("Side for ansatte.")),
    )
}

STAFF_PATH = "/ansatt"


def front_of(level: Level) -> str:
    """Where the mark leads: those who work here to their work, not to the pages of those they help."""
    return STAFF_PATH if level.name == "staff" else "/"


def level_of_path(path: str, otherwise: str) -> Level:
    """Staff pages lie under `/ansatt` of every service; all else has the service's own level."""
    staff = path == STAFF_PATH or path.startswith(f"{STAFF_PATH}/")
    return LEVELS["staff" if staff else otherwise]
