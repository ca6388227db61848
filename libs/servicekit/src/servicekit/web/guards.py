"""The check that every route which can change something is guarded; each service's tests call it."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
UNGUARDED = frozenset({"quick_exit"})
"""Routes that must work without a session: the quick exit looks at where it was asked for itself, and only ends a session."""

_guards: set[Callable[..., Any]] = set()
G = TypeVar("G", bound=Callable[..., Any])


def guard(dependency: G) -> G:
    """Mark a dependency that refuses whoever may not send an unsafe request."""
    _guards.add(dependency)
    return dependency


class UnguardedRouteError(AssertionError):
    """A route stands open; the message names it."""


def assert_unsafe_routes_are_guarded(app: FastAPI) -> None:
    """Raise UnguardedRouteError if an unsafe route has no guard, or a safe route parses a form (so it may change something)."""
    for context in iter_route_contexts(app.routes):
        methods, name = getattr(context, "methods", None) or set(), str(context.path)
        if not methods or context.name in UNGUARDED:
            continue
        dependant = getattr(context, "dependant", None)
        guarded = any(call in _guards for call in _calls(dependant)) if dependant else False
        if methods - SAFE and not guarded:
            raise UnguardedRouteError(f"{sorted(methods)} {name}: no Submission, no token")
        if not methods - SAFE and dependant and any(getattr(call, "__name__", "") == "submission" for call in _calls(dependant)):
            raise UnguardedRouteError(f"{sorted(methods)} {name}: a safe method reads a form")


def _calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    for inner in dependant.dependencies:
        if inner.call is not None:
            yield inner.call
        yield from _calls(inner)
