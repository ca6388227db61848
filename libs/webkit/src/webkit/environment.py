"""How templates are read: strict, escaped, in one language, with the parts and the formats of webkit."""

from collections.abc import Callable
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined

from webkit import errors
from webkit.crisis import crisis
from webkit.dates import filters
from webkit.i18n import LANGUAGES, translate


def environment(language: str, templates_dir: Path | None, folders: tuple[Path, ...], asset: Callable[[str], str]) -> Environment:
    """`templates_dir`: besides webkit's own. `folders`: catalogues. `asset`: a static file's address by its plain name."""
    own = PackageLoader("webkit")
    made = Environment(
        loader=ChoiceLoader([FileSystemLoader(templates_dir), own]) if templates_dir else own,
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, auto_reload=False,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )  # fmt: skip
    translation = translate(language, *folders)
    made.install_gettext_translations(translation, newstyle=True)  # type: ignore[attr-defined]
    made.filters.update(filters(translation.locale))
    made.globals.update(asset=asset, crisis_data=crisis(), languages=LANGUAGES, lang=language, spoken=translation.spoken, way=errors.way)
    return made
