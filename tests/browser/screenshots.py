"""`python -m tests.browser.screenshots`: a picture of every page, phone and desk, light and dark, and sheets that show them together."""

import asyncio
import html
import re
import shutil
import sys
import time
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from urllib.parse import quote

from PIL import Image, ImageDraw, ImageFont

from deploy.checks import ROOT
from deploy.commands import Command, part_of
from deploy.local.platform import Platform
from tests.browser.chromium import NoChromiumError, chromium, launched
from tests.browser.lanes import each_page
from tests.browser.looking import Look, looking
from tests.browser.page_list import ROWS
from tests.browser.pages import own_platform
from tests.browser.scene import Scene
from tests.browser.sweep import PATIENCE
from tests.browser.variants import LOCALES, PLAIN, SCHEMES, WIDTHS, Scheme, Variant
from tests.browser.visits import Row
from tests.browser.windows import Windows

FOLDER = ROOT / ".local" / "screenshots"
LONGEST = 4000
"""CSS pixels of a page that a picture shows."""
GRID = {390: (6, 2), 1280: (4, 3)}
"""Pages across and down a sheet, by width of the window."""
CELL = {390: (260, 640), 1280: (400, 430)}
"""Room for one of them, pixels."""
CAPTION = 34


@dataclass(frozen=True, slots=True)
class Picture:
    """One page as it looked."""

    row: Row
    scheme: Scheme
    width: int
    file: Path


def file_of(row: Row, scheme: Scheme, width: int) -> str:
    """A name that sorts pages together."""
    plain = re.sub(r"[^a-z0-9]+", "-", row.name.lower()).strip("-")
    return f"{plain}.{width}-{scheme}.jpg"


Looks = tuple[Variant, ...]
"""Ways of looking at a page, all in one language."""


async def take(windows: Windows, scene: Scene, row: Row, folder: Path, looks: Looks) -> list[Picture]:
    """The pictures of one page, from one visit."""
    async with asyncio.timeout(PATIENCE), row.reach(scene) as visit, looking(windows, visit, looks[0]) as look:
        note = "" if look.answer.status == row.status else f" ({look.answer.status} instead of {row.status})"
        print(f"{row.name}{note}", flush=True)
        return [await _take_one(look, row, each, folder) for each in looks]


async def _take_one(look: Look, row: Row, variant: Variant, folder: Path) -> Picture:
    width, scheme = variant.width, variant.scheme
    await look.become(variant)
    height = await look.page.evaluate("window.scrollTo(0, 0), Math.max(document.documentElement.scrollHeight, innerHeight)")
    file = folder / file_of(row, scheme, width)
    clip = {"x": 0, "y": 0, "width": width, "height": min(height, LONGEST)}
    await look.page.screenshot(path=file, type="jpeg", quality=80, full_page=True, clip=clip)  # type: ignore[arg-type]
    return Picture(row, scheme, width, file)


async def take_all(platform: Platform, folder: Path, looks: Looks, only: str = "") -> tuple[list[Picture], list[str]]:
    """Pictures of all pages, and what couldn't be shown."""
    taken: dict[str, list[Picture]] = {}
    failed: list[str] = []

    async def stop(row: Row, scene: Scene, windows: Windows) -> None:
        try:
            taken[row.name] = await take(windows, scene, row, folder, looks)
        except Exception as error:  # whatever it is, the other pages are looked at
            failed.append(f"{row.name}: {type(error).__name__}: {error}"[:300])
            print(f"NOT SHOWN {failed[-1]}", flush=True)

    async with launched() as browser:
        await each_page(platform, browser, stop, only)
    return [picture for name in sorted(taken) for picture in taken[name]], failed


def looks_of(language: str, width: int | None, scheme: Scheme | None) -> Looks:
    """All widths and colours, or those asked for."""
    return tuple(Variant(language, *each) for each in product((scheme,) if scheme else SCHEMES, (width,) if width else WIDTHS))


def sheets(pictures: list[Picture], folder: Path) -> list[Path]:
    """A dozen pages on each, one series for each way of looking."""
    made = []
    for width, scheme in product(WIDTHS, SCHEMES):
        chosen = [picture for picture in pictures if (picture.width, picture.scheme) == (width, scheme)]
        most = GRID[width][0] * GRID[width][1]
        for number, first in enumerate(range(0, len(chosen), most), 1):
            file = folder / f"sheet-{width}-{scheme}-{number:02}.png"
            _sheet(chosen[first : first + most], width).save(file)
            made.append(file)
    return made


def _sheet(pictures: list[Picture], width: int) -> Image.Image:
    (across, down), (wide, high) = GRID[width], CELL[width]
    sheet = Image.new("RGB", (across * (wide + 10), down * (high + CAPTION)), "#808080")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for number, picture in enumerate(pictures):
        left, top = number % across * (wide + 10), number // across * (high + CAPTION)
        name, _, state = picture.row.name.partition(" (")
        pen.multiline_text((left + 2, top + 1), f"{name}\n{state.rstrip(')')}", "#ffffff", font, spacing=1)
        with Image.open(picture.file) as whole:
            whole.draft("RGB", (wide, wide * whole.height // whole.width))
            whole.thumbnail((wide, whole.height), Image.Resampling.BILINEAR)
            sheet.paste(whole.crop((0, 0, wide, min(high, whole.height))), (left, top + CAPTION - 2))
    return sheet


def contact_sheet(pictures: list[Picture], failed: list[str], made: list[Path]) -> str:
    """One page for a browser: thumbnails that lead to the whole pictures."""
    rows = []
    for name in dict.fromkeys(picture.row.name for picture in pictures):
        own = [picture for picture in pictures if picture.row.name == name]
        cells = "".join(
            f'<td><a href="{quote(each.file.name)}"><img src="{quote(each.file.name)}" loading="lazy" width="{each.width // 4}" '
            f'alt="{each.width} {each.scheme}"></a></td>'
            for each in own
        )
        rows.append(f"<tr><th>{html.escape(name)}<br>{html.escape(own[0].row.who)}</th>{cells}</tr>")
    lost = "".join(f"<li>{html.escape(each)}</li>" for each in failed)
    links = " ".join(f'<a href="{each.name}">{each.stem}</a>' for each in made)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Contact sheet</title><style>body{font:14px sans-serif}'
        "td,th{vertical-align:top;padding:4px;text-align:left}img{border:1px solid #888}</style>"
        f"<h1>{len(rows)} pages</h1><p>{links}</p><ul>{lost}</ul><table>{''.join(rows)}</table></html>"
    )


def main() -> int:
    """0 when every page could be shown."""
    parser = Command(prog="python -m tests.browser.screenshots", description=__doc__)
    parser.add_argument("--only", type=part_of([row.name for row in ROWS]), default="", help="pages whose name contains this")
    parser.add_argument("--language", choices=LOCALES, default=PLAIN.language, help="of the pages")
    parser.add_argument("--width", type=int, choices=WIDTHS, help="this width alone")
    parser.add_argument("--scheme", choices=SCHEMES, help="these colours alone")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pictures go; emptied first")
    arguments = parser.parse_args()
    try:
        chromium()
    except NoChromiumError as missing:
        print(f"screenshots: {missing}", file=sys.stderr)
        return 1
    folder, began = arguments.folder.absolute(), time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    looks = looks_of(arguments.language, arguments.width, arguments.scheme)
    with own_platform() as platform:
        pictures, failed = asyncio.run(take_all(platform, folder, looks, arguments.only))
    made = sheets(pictures, folder)
    (folder / "index.html").write_text(contact_sheet(pictures, failed, made))
    seconds = time.monotonic() - began
    print(f"screenshots: {len(pictures)} pictures, {len(made)} sheets, {len(failed)} not shown, in {folder} ({seconds:.0f} s)")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
