"""Builds the vendor style sheet and scripts that webkit serves from the packages that npm installed."""

import hashlib
import json
import re
import sys
from pathlib import Path

import brotli

PACKAGE = Path(__file__).parents[2]
VENDOR = Path(__file__).parent / "static" / "vendor"
MANIFEST = "manifest.json"

COMPONENTS = (
    "base", "button", "card", "details", "divider", "error-summary", "field", "fieldset", "heading", "input", "label", "link",
    "list", "pagination", "paragraph", "skeleton", "skip-link", "table", "tag", "alert", "validation-message",
)  # fmt: skip
"""The components of Designsystemet that the parts use; a first view carries no others."""

SCRIPTS = {"htmx.js": "htmx.min.js"}


class AssetsMissingError(RuntimeError):
    """The vendor files are not there. The message says which command makes them."""

    def __init__(self, missing: Path) -> None:
        super().__init__(f"{missing} is missing: run `make assets` (npm ci in libs/webkit, then python -m webkit.assets)")


def build(modules: Path = PACKAGE / "node_modules", target: Path = VENDOR) -> dict[str, str]:
    """Write the vendor files with content-hash names and a manifest (plain name -> hashed name); returns the manifest."""
    css = modules / "@digdir" / "designsystemet-css" / "dist"
    files = {"designsystemet.css": stylesheet(css)}
    for name, source in SCRIPTS.items():
        files[name] = re.sub(r"\n?//# sourceMappingURL=.*", "", _read(modules / "htmx.org" / "dist" / source))
    target.mkdir(parents=True, exist_ok=True)
    for old in target.iterdir():
        old.unlink()
    manifest = {name: hashed(name, text.encode()) for name, text in files.items()}
    for name, text in files.items():
        (target / manifest[name]).write_text(text)
        (target / f"{manifest[name]}.br").write_bytes(brotli.compress(text.encode(), mode=brotli.MODE_TEXT, quality=11))
    (target / MANIFEST).write_text(json.dumps(manifest, indent=1))
    return manifest


def stylesheet(css: Path) -> str:
    """The theme and the chosen components, in the layers that Designsystemet's own index uses, without print of unused parts."""
    parts = ["@layer ds.theme, ds.base, ds.components;", _read(css / "theme" / "designsystemet.css")]
    for name in COMPONENTS:
        layer = "ds.base" if name in ("base", "label") else "ds.components"
        parts.append(f"@layer {layer}{{{_read(css / 'src' / f'{name}.css')}}}")
    return re.sub(r"/\*.*?\*/", "", "".join(parts), flags=re.DOTALL)


def hashed(name: str, content: bytes) -> str:
    """`site.css` -> `site.<12 hex digits of SHA-256>.css`."""
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}{dot}{suffix}"


def vendor_files(target: Path = VENDOR) -> dict[str, bytes]:
    """Plain name -> content of what `build` wrote."""
    return _kept(target, "")


def vendor_packed(target: Path = VENDOR) -> dict[str, bytes]:
    """Plain name -> the same content as `vendor_files`, packed with Brotli: it takes too long to do at every start."""
    return _kept(target, ".br")


def _kept(target: Path, packed: str) -> dict[str, bytes]:
    manifest = target / MANIFEST
    if not manifest.is_file():
        raise AssetsMissingError(manifest)
    try:
        return {name: (target / f"{path}{packed}").read_bytes() for name, path in json.loads(manifest.read_text()).items()}
    except FileNotFoundError as missing:
        raise AssetsMissingError(Path(missing.filename)) from None


def _read(path: Path) -> str:
    if not path.is_file():
        raise AssetsMissingError(path)
    return path.read_text()


if __name__ == "__main__":
    try:
        print(f"webkit: {len(build())} vendor files in {VENDOR}")  # noqa: T201 - the tool's one line of output
    except AssetsMissingError as error:
        sys.exit(str(error))
