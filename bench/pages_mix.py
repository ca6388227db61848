"""What 300 readers a second ask info for: front page, articles, search and register, as read sites are read."""

import random
from collections.abc import Mapping, Sequence
from urllib.parse import quote_plus, urlsplit

from bench.pages_load import Ask
from deploy.local.journey.browser import Browser

SHARES: Mapping[str, float] = {"front": 0.25, "article": 0.35, "search": 0.2, "register": 0.2}
LANGUAGES: Mapping[str, float] = {"nb-NO,nb;q=0.9,no;q=0.8": 0.8, "nn-NO,nn;q=0.9,nb;q=0.8": 0.1, "en-GB,en;q=0.9": 0.1}
CHOSE_LANGUAGE = 0.03
"""Share of readers with the language cookie: their pages are made for each of them."""
WORDS = [
    "angst",
    "eksamen",
    "skole",
    "stress",
    "søvn",
    "venner",
    "mobbing",
    "kropp",
    "sex",
    "prevensjon",
    "mensen",
    "kjæreste",
    "foreldre",
    "skilsmisse",
    "ensom",
    "trist",
    "depresjon",
    "selvskading",
    "spise",
    "vekt",
    "trening",
    "rus",
    "alkohol",
    "snus",
    "vold",
    "overgrep",
    "nakenbilder",
    "nettmobbing",
    "rettigheter",
    "taushetsplikt",
    "lege",
    "helsesykepleier",
    "fastlege",
    "bup",
    "kjønn",
    "skeif",
    "identitet",
    "sorg",
    "økonomi",
    "jobb",
    "flytte",
    "barnevern",
    "krangler",
    "søsken",
    "panikk",
    "puste",
    "qxzvbn",
]
PLACES = ("/hjelp", "/hjelp?apent=ja", "/hjelp?kanal=chat", "/hjelp?kanal=phone", "/kommune", "/kommune/0301", "/kommune/4601")
HEADERS = "Accept: text/html\r\nAccept-Encoding: gzip, deflate, br\r\nUser-Agent: bench\r\n"


async def addresses(info: str) -> dict[str, list[str]]:
    """What there is to read, by kind, found by following links from `info`, its public address."""
    async with Browser() as browser:
        articles: dict[str, None] = {}
        for word in WORDS:
            page = await browser.get(f"{info}/sok?type=article&q={quote_plus(word)}")
            articles |= dict.fromkeys(urlsplit(link).path for link in page.links if "/artikkel/" in link)
        page = await browser.get(f"{info}/")
        articles |= dict.fromkeys(urlsplit(link).path for link in page.links if "/artikkel/" in link)
        register = await browser.get(f"{info}/hjelp")
    entries = dict.fromkeys(urlsplit(link).path for link in register.links if urlsplit(link).path.startswith("/hjelp/"))
    searches = [f"/sok?q={quote_plus(word)}" for word in WORDS]
    return {"front": ["/"], "article": list(articles), "search": searches, "register": [*PLACES, *entries]}


def asks(known: Mapping[str, Sequence[str]], count: int, host: str, seed: int) -> list[Ask]:
    """`count` requests in the shares above; within a kind the n-th address is read 1/n as often as the first (Zipf)."""
    chance = random.Random(seed)
    kinds = chance.choices(list(SHARES), list(SHARES.values()), k=count)
    languages = chance.choices(list(LANGUAGES), list(LANGUAGES.values()), k=count)
    return [
        Ask(kind, _popular(chance, known[kind]), host, f"{HEADERS}Accept-Language: {language}\r\n{_cookie(chance)}")
        for kind, language in zip(kinds, languages, strict=True)
    ]


def _popular(chance: random.Random, paths: Sequence[str]) -> str:
    return chance.choices(paths, [1 / rank for rank in range(1, len(paths) + 1)])[0]


def _cookie(chance: random.Random) -> str:
    return "Cookie: __Host-spraak=nn\r\n" if chance.random() < CHOSE_LANGUAGE else ""
