"""Debian's Chromium: found, or installed where that is possible, and started with nothing that isn't needed."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Playwright, async_playwright

from deploy.local.journey.browser import Browser as Walker
from tests.browser.variants import LOCALES, PLAIN, Variant

PROGRAM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
)
INSTALL = (
    ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", "update"),
    ("apt-get", "-qq", "-y", "-o", "DPkg::Lock::Timeout=300", "--no-install-recommends", "install", "chromium"),
)
HEIGHTS: Mapping[int, int] = {320: 640, 390: 844, 1280: 900}
"""Width of a window -> its height, CSS pixels."""

Cookies = Mapping[tuple[str, str, str], str]
"""(host, name, path) -> value, as the walk's browsers keep them."""


class NoChromiumError(RuntimeError):
    """There is no browser and it can't be installed. The text names the package."""

    def __init__(self) -> None:
        super().__init__(f"needs {PROGRAM}: install the package chromium (apt-get install chromium)")


def chromium() -> Path:
    """The program; installed first where this may be done. Raises NoChromiumError."""
    if not PROGRAM.exists() and os.geteuid() == 0 and shutil.which("apt-get"):
        print("installing the package chromium (once)", flush=True)
        for command in INSTALL:
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
    if not PROGRAM.exists():
        raise NoChromiumError
    return PROGRAM


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """A browser with a fresh profile; ended afterwards."""
    program = chromium()
    async with async_playwright() as playwright:
        browser = await start(playwright, program)
        try:
            yield browser
        finally:
            await browser.close()


async def start(playwright: Playwright, program: Path) -> Browser:
    """One Chromium process of this test run."""
    return await playwright.chromium.launch(executable_path=program, args=list(FLAGS), headless=True)


async def window(browser: Browser, variant: Variant = PLAIN, cookies: Cookies | None = None, *, javascript: bool = True) -> BrowserContext:
    """One person's browser: its own cookies and an empty cache."""
    context = await browser.new_context(
        locale=LOCALES[variant.language],
        color_scheme=variant.scheme,
        viewport={"width": variant.width, "height": HEIGHTS[variant.width]},
        java_script_enabled=javascript,
        reduced_motion="reduce",
    )
    context.set_default_timeout(20_000)
    if cookies:
        await hand_over(context, cookies)
    return context


async def hand_over(context: BrowserContext, cookies: Cookies) -> None:
    """What a walker's browser was told to keep, given to a real browser, which applies its own rules to it."""
    await context.add_cookies(
        [
            {"name": name, "value": value, "domain": host, "path": path, "secure": True, "httpOnly": True, "sameSite": "Lax"}
            for (host, name, path), value in cookies.items()
        ]
    )


async def take_back(context: BrowserContext, walker: Walker) -> None:
    """The other way: a walker goes on with what the real browser keeps."""
    walker.cookies = {(each["domain"], each["name"], each["path"]): each["value"] for each in await context.cookies()}
