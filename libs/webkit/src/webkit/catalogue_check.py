"""Finds the texts that templates and modules mark for translation, and which of them a language lacks.

`python -m webkit.catalogue_check <package dir>...`
"""

import sys
from collections.abc import Callable
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import escape

from webkit.i18n import KEYWORDS, OWN, read_catalogue

METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2.ext:babel_extract"), ("**.html", "jinja2.ext:babel_extract")]
OPTIONS = {"**.html": {"extensions": "jinja2.ext.i18n,jinja2.ext.do", "silent": "false"}}

Found = dict[str, tuple[str | None, str]]
"""msgid -> (its plural, where it was seen first)."""


def extract(folder: Path) -> Found:
    """Every marked text under `folder`."""
    found: Found = {}
    keywords = dict(KEYWORDS)
    for file, line, message, _comments, _context in extract_from_dir(folder, METHODS, OPTIONS, keywords):
        singular, plural = (message[0], message[1]) if isinstance(message, tuple) else (message, None)
        if singular:
            found.setdefault(singular, (plural, f"{file}:{line}"))
    return found


def missing_translations(package: Path, language: str) -> tuple[int, list[str]]:
    """How many texts `package` marks, and those that neither its catalogue nor webkit's has, as .po entries to fill in."""
    texts = extract(package)
    known = {**read_catalogue(OWN, language), **read_catalogue(package / "locale", language)}
    return len(texts), [_entry(text, *texts[text]) for text in texts if text not in known]


def _entry(text: str, plural: str | None, seen: str) -> str:
    lines = [f"#: {seen}", f"msgid {escape(text)}"]
    lines += [f"msgid_plural {escape(plural)}", 'msgstr[0] ""', 'msgstr[1] ""'] if plural else ['msgstr ""']
    return "\n".join(lines) + "\n"


def main(folders: list[str], out: Callable[[str], None] = print) -> int:
    """1 when a text of one of the packages lacks Nynorsk; prints the entries to fill in."""
    failed = 0
    for folder in map(Path, folders):
        total, missing = missing_translations(folder, "nn")
        out(f"{folder}: {total} texts, {len(missing)} without nynorsk")
        for entry in missing:
            out(entry)
        failed += len(missing)
    return 1 if failed or not folders else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
