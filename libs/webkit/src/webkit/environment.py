"""How templates are read: strict, escaped, in one language, with the parts and the formats of webkit."""

from collections.abc import Callable
from pathlib import Path

from jinja2 import BytecodeCache, ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket

from webkit import errors
from webkit.crisis import crisis
from webkit.dates import filters
from webkit.i18n import LANGUAGES, translate


class _Compiled(BytecodeCache):
    """What a template compiles to is the same in every language: each is compiled once in a process."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if code := self._code.get(bucket.key):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


def environment(
    language: str, templates_dir: Path | None, folders: tuple[Path, ...], asset: Callable[[str], str], sentences: str | None = None
) -> Environment:
    """`templates_dir`: besides webkit's own. `folders`: catalogues. `asset`: a static file's address by its plain name.
    `sentences`: the language that dates, times and numbers stand in, where it isn't the reader's: no "innen 1 diibmu"."""
    own = PackageLoader("webkit")
    made = Environment(
        loader=ChoiceLoader([FileSystemLoader(templates_dir), own]) if templates_dir else own,
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, auto_reload=False, bytecode_cache=_COMPILED,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )  # fmt: skip
    translation = translate(language, *folders)
    made.install_gettext_translations(translation, newstyle=True)  # type: ignore[attr-defined]
    made.filters.update(filters(translate(sentences or language).locale))
    made.globals.update(asset=asset, crisis_data=crisis(), languages=LANGUAGES, lang=language, spoken=translation.spoken, way=errors.way)
    return made
