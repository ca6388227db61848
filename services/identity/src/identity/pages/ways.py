"""Where identity's pages lead staff: to their work at the service that they came from, since identity has no page for them."""

from webkit import Pages
from webkit.levels import STAFF_PATH


def work_at(pages: Pages, reader: str) -> str:
    """The address of staff's pages at a service."""
    return pages.urls[reader].rstrip("/") + STAFF_PATH
