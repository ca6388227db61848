"""The page about cookies names each one that a service may set."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "libs/webkit/src/webkit/templates/webkit/cookies.html"
NAME = re.compile(r"__Host-[a-z]+")


def test_every_cookie_stands_on_the_page_about_cookies():
    sources = [*ROOT.glob("libs/*/src/**/*.py"), *ROOT.glob("services/*/src/**/*.py")]
    names = {name for path in sources for name in NAME.findall(path.read_text())}
    assert len(names) >= 6
    assert names == set(NAME.findall(PAGE.read_text()))
