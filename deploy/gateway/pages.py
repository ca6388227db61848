"""`python -m deploy.gateway.pages`: writes the pages that the gateway shows by itself, from webkit's crisis numbers and style."""

from pathlib import Path

from webkit.standalone import GATEWAY_PAGES, STYLE, gateway_page

STATIC = Path(__file__).with_name("static")
SHEET = "down.css"


def files(quick_exit_url: str = "https://www.yr.no/") -> dict[str, str]:
    """File name -> content."""
    pages = {f"{name}.html": gateway_page(name, f"/_gateway/{SHEET}", quick_exit_url) for name in GATEWAY_PAGES}
    return {**pages, SHEET: STYLE.read_text()}


def write(folder: Path = STATIC) -> None:
    """They are kept in the repository: an image of the gateway needs no Python."""
    for name, content in files().items():
        (folder / name).write_text(content)


if __name__ == "__main__":
    write()
