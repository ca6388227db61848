"""Languages: msgids are Bokmål; Nynorsk, English and Northern Sámi come from .po files that are read at start."""

import gettext
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from babel import Locale
from babel.messages.pofile import read_po

OWN = Path(__file__).parent / "locale"

LANGUAGES: Mapping[str, str] = {"nb": "Bokmål", "nn": "Nynorsk", "se": "Davvisámegiella", "en": "English"}
"""IETF BCP 47 -> the language's own name, in the order that the switch shows."""

_LOCALES = {"nb": "nb", "nn": "nn", "se": "se", "en": "en_GB"}

Message = str | tuple[str, ...]
"""A translation, or its plural forms."""


class Translation(gettext.NullTranslations):
    """One language's texts over one or more locale folders; what is missing stays Bokmål."""

    def __init__(self, language: str, folders: Iterable[Path]) -> None:
        super().__init__()
        self.language = language
        self.locale = Locale.parse(_LOCALES[language])
        self.messages: dict[str, Message] = {}
        for folder in folders:
            self.messages.update(read_catalogue(folder, language))

    def gettext(self, message: str) -> str:
        found = self.messages.get(message, message)
        return found if isinstance(found, str) else found[0]

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        forms = self.messages.get(msgid1, (msgid1, msgid2))
        if isinstance(forms, str):
            return forms
        return forms[min(self._form(n), len(forms) - 1)]

    def spoken(self, message: str) -> str:
        """The language that `gettext` answers in."""
        return self.language if message in self.messages else "nb"

    def _form(self, n: int) -> int:
        if self.language == "se":  # CLDR: one, two, other
            return {1: 0, 2: 1}.get(n, 2)
        return 0 if n == 1 else 1

    def __call__(self, message: str, **values: object) -> str:
        """The text in this language with `%(name)s` filled in; plain text, not HTML."""
        text = self.gettext(message)
        return text % values if values else text


def read_catalogue(folder: Path, language: str) -> dict[str, Message]:
    """All translated messages of `<folder>/<language>/LC_MESSAGES/*.po`; an empty mapping without such files."""
    messages: dict[str, Message] = {}
    for path in sorted((folder / language / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            for entry in read_po(file, locale=_LOCALES[language]):
                if entry.id and entry.string and not entry.fuzzy and all(entry.string):
                    key = entry.id if isinstance(entry.id, str) else entry.id[0]
                    messages[key] = entry.string if isinstance(entry.string, str) else tuple(entry.string)
    return messages


@cache
def translate(language: str, *folders: Path) -> Translation:
    """Python's `_`: `translate("nn", HERE / "locale")("Hei")`. Unknown languages read Bokmål; webkit's own texts are included."""
    return Translation(language if language in LANGUAGES else "nb", (OWN, *folders))


def mark(message: str) -> str:
    """Marks a text in Python for the catalogue without translating it yet; import it as `_` or `N_`."""
    return message


KEYWORDS: Mapping[str, tuple[int, ...] | None] = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "mark": None}
