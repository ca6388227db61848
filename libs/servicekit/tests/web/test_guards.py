"""The check that no unsafe route stands open: it must be seen to catch one."""

import pytest
from fastapi import APIRouter, FastAPI
from servicekit.web.guards import UnguardedRouteError, assert_unsafe_routes_are_guarded
from servicekit.web.submission import PresentedByOtherSite, Submitted
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def test_the_services_routes_are_guarded(app: FastAPI) -> None:
    assert_unsafe_routes_are_guarded(app)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_an_open_unsafe_route_is_found_also_in_a_nested_router(method: str) -> None:
    """INVARIANT: a route that forgets its guard never ships."""

    async def change() -> None: ...

    inner, outer, app = APIRouter(), APIRouter(), FastAPI()
    inner.add_api_route("/change", change, methods=[method])
    outer.include_router(inner, prefix="/deep")
    app.include_router(outer)
    with pytest.raises(UnguardedRouteError, match="/deep/change"):
        assert_unsafe_routes_are_guarded(app)


def test_a_plain_unsafe_route_is_found() -> None:
    async def change(_: Request) -> Response:
        return Response()

    app = FastAPI(routes=[Route("/change", change, methods=["POST"])])
    with pytest.raises(UnguardedRouteError, match="/change"):
        assert_unsafe_routes_are_guarded(app)


def test_a_safe_route_that_reads_a_form_is_found() -> None:
    """INVARIANT: nothing is changed by a link."""

    async def change(submitted: Submitted) -> None: ...

    app = FastAPI()
    app.add_api_route("/change", change, methods=["GET"])
    with pytest.raises(UnguardedRouteError, match="safe method"):
        assert_unsafe_routes_are_guarded(app)


def test_the_presenting_door_counts_as_guarded() -> None:
    async def present(presented: PresentedByOtherSite) -> None: ...

    app = FastAPI()
    app.add_api_route("/present", present, methods=["POST"])
    assert_unsafe_routes_are_guarded(app)
