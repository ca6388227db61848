"""The look that the services share: base page, design-system CSS, quick exit, crisis block, languages."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from webkit.pages import Form, Pages

__all__ = ["Form", "Pages"]


def __getattr__(name: str) -> Any:
    """Loads `Pages` when it's asked for, so that the command-line tools of this package start without the rest."""
    if name not in __all__:
        raise AttributeError(name)
    from webkit import pages

    return getattr(pages, name)
