"""`python -m tests.browser.pages`: every page in all twelve variants; the last lines are the sum and the minutes."""

import asyncio
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.commands import Command, part_of
from deploy.local.platform import Platform
from deploy.local.scratch import scratch
from deploy.local.unprivileged import remove_folder
from tests.browser.chromium import NoChromiumError, chromium, launched
from tests.browser.page_list import ROWS
from tests.browser.sweep import Report, sweep


@contextmanager
def own_platform() -> Iterator[Platform]:
    """Everything, running in a folder that is removed afterwards."""
    folder = scratch("pages")
    try:
        with Platform(folder, outside={}) as platform:
            yield platform
    finally:
        for cluster in (folder / "data" / "postgres").glob("*/cluster"):
            remove_folder(cluster)
        shutil.rmtree(folder, ignore_errors=True)


async def _sweep(platform: Platform, *, many: bool, only: str) -> Report:
    async with launched() as browser:
        return await sweep(platform, browser, many=many, tell=lambda text: print(text, flush=True), only=only)


def main() -> int:
    """0 when nothing was found."""
    parser = Command(prog="python -m tests.browser.pages", description=__doc__)
    parser.add_argument(
        "--only", type=part_of([row.name for row in ROWS]), default="", help="pages whose name contains this, e.g. 'dialog GET /chat'"
    )
    parser.add_argument("--four", action="store_true", help="four variants of each page, as in `make test`")
    arguments = parser.parse_args()
    try:
        chromium()
    except NoChromiumError as missing:
        print(f"pages: {missing}", file=sys.stderr)
        return 1
    print(f"{len(ROWS)} pages; starting the platform", flush=True)
    with own_platform() as platform:
        report = asyncio.run(_sweep(platform, many=not arguments.four, only=arguments.only))
    print(report.summary())
    print(report.line)
    print(f"in {report.seconds / 60:.1f} min")
    return 1 if report.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
