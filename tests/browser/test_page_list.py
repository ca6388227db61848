"""The page list holds every page that is served, and nothing else."""

from pathlib import Path

import pytest

from tests.browser.page_list import ROWS
from tests.browser.routes import GATEWAY, NOT_PAGES, all_routes, is_page
from tests.browser.variants import ALL, FOURS, pairs, variants_for
from tests.browser.visits import Row, Who, at


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    return all_routes(tmp_path_factory.mktemp("served"))


def without_row(served: dict[str, set[str]], rows: tuple[Row, ...]) -> list[str]:
    """Pages that nobody looks at."""
    known = {(row.service, row.route) for row in rows}
    return sorted(
        f"{name} {route}" for name, routes in served.items() for route in routes if is_page(name, route) and (name, route) not in known
    )


def without_route(served: dict[str, set[str]], rows: tuple[Row, ...]) -> list[str]:
    """Rows for what isn't served."""
    return sorted(row.name for row in rows if row.route not in served[row.service])


def test_every_page_that_is_served_is_looked_at(served: dict[str, set[str]]) -> None:
    """INVARIANT: a new route needs a row in the page list, or a word in NOT_PAGES on why it shows no page."""
    assert sum(map(len, served.values())) > 100
    assert without_row(served, ROWS) == []


def test_every_row_leads_to_something_that_is_served(served: dict[str, set[str]]) -> None:
    assert without_route(served, ROWS) == []


def test_a_route_without_a_row_and_a_row_without_a_route_are_noticed(served: dict[str, set[str]]) -> None:
    fewer = tuple(row for row in ROWS if row.route != "GET /spor")
    assert without_row(served, fewer) == ["dialog GET /spor"]
    assert without_row({**served, "info": served["info"] | {"GET /ny-side"}}, ROWS) == ["info GET /ny-side"]
    more = (*ROWS, Row("info", "GET /borte", "normal", Who.ANYBODY, at("info/borte")))
    assert without_route(served, more) == ["info GET /borte (normal)"]


def test_what_is_no_page_is_served_too(served: dict[str, set[str]]) -> None:
    """A word on a route that is gone says nothing."""
    everything = set().union(*served.values())
    assert [route for route in NOT_PAGES if route.partition(" (")[0] not in everything] == []


def test_names_of_rows_are_unique() -> None:
    """Pictures and reports are told apart by them."""
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_the_gateways_own_pages_are_in_the_list(served: dict[str, set[str]]) -> None:
    assert {"GET down.html", "GET too_large.html"} <= served[GATEWAY]


def test_four_variants_hold_all_that_four_can() -> None:
    """Each page: all languages, every colour with every width. Two neighbours in the list: every pair of values."""
    for four in FOURS:
        assert len(set(four)) == 4
        assert {each.language for each in four} == {each.language for each in ALL}
        assert {(each.scheme, each.width) for each in four} == {(each.scheme, each.width) for each in ALL}
    for number in range(4):
        assert pairs(variants_for(number, many=False) + variants_for(number + 1, many=False)) == pairs(ALL)
    assert pairs(FOURS[0]) != pairs(ALL)
    assert len(variants_for(0, many=True)) == len(ALL) == 12


def test_route_tables_are_read_without_starting_anything(tmp_path: Path) -> None:
    assert "POST /chat/samtale" in all_routes(tmp_path)["dialog"]
