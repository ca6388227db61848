"""The vendor files: made from pinned packages, and clearly missed when they aren't there."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from webkit import assets, static_files

SmallService = Callable[..., FastAPI]

PACKAGE = Path(assets.__file__).parents[2]


def test_missing_vendor_files_name_the_command_that_makes_them(tmp_path: Path) -> None:
    with pytest.raises(assets.AssetsMissingError, match="run `make assets`"):
        assets.vendor_files(tmp_path)
    (tmp_path / "manifest.json").write_text('{"htmx.js": "htmx.gone.js"}')
    with pytest.raises(assets.AssetsMissingError, match=r"htmx\.gone\.js"):
        assets.vendor_files(tmp_path)


def test_a_service_without_them_does_not_start(small_service: SmallService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(static_files, "vendor_files", lambda: assets.vendor_files(tmp_path))
    with pytest.raises(assets.AssetsMissingError, match="make assets"):
        small_service()


def test_missing_packages_name_the_command_too(tmp_path: Path) -> None:
    with pytest.raises(assets.AssetsMissingError, match="make assets"):
        assets.build(tmp_path / "node_modules", tmp_path / "vendor")


def test_what_is_built_is_named_by_its_content_and_old_files_go(tmp_path: Path) -> None:
    modules = tmp_path / "node_modules"
    css = modules / "@digdir" / "designsystemet-css" / "dist"
    for name in (*(f"src/{part}.css" for part in assets.COMPONENTS), "theme/designsystemet.css"):
        (css / name).parent.mkdir(parents=True, exist_ok=True)
        (css / name).write_text(f"/* {name} */.x{{}}")
    for source in assets.SCRIPTS.values():
        path = modules / "htmx.org" / "dist" / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1;\n//# sourceMappingURL=x.map")
    vendor = tmp_path / "vendor"
    first = assets.build(modules, vendor)
    (css / "src" / "base.css").write_text(".y{}")
    second = assets.build(modules, vendor)
    assert first["designsystemet.css"] != second["designsystemet.css"]
    assert first["htmx.js"] == second["htmx.js"]
    assert {path.name for path in vendor.iterdir()} == {*second.values(), *(f"{name}.br" for name in second.values()), "manifest.json"}
    assert "sourceMappingURL" not in (vendor / second["htmx.js"]).read_text()
    sheet = (vendor / second["designsystemet.css"]).read_text()
    assert sheet.startswith("@layer ds.theme, ds.base, ds.components;")
    assert "/*" not in sheet


def test_the_style_sheets_fetch_nothing_from_elsewhere() -> None:
    """INVARIANT: no font, image or import from a third party."""
    sheets = [content.decode() for name, content in assets.vendor_files().items() if name.endswith(".css")]
    sheets += [path.read_text() for path in static_files.OWN.glob("*.css")]
    for sheet in sheets:
        assert "@import" not in sheet
        assert all(url.startswith("data:") for url in re.findall(r"url\([\"']?([^\"')]*)", sheet))


def test_the_lock_names_exact_versions_with_hashes_and_no_host() -> None:
    lock = json.loads((PACKAGE / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert "resolved" not in (PACKAGE / "package-lock.json").read_text()
