"""Addresses in settings: what a browser and a client can call, written in one way."""

import re

_ADDRESS = re.compile(r"(https?)://([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?((?:[/?#][!-~]*)?)", re.IGNORECASE)
MOST_PORT = 65_535
_USUAL_PORTS = {"http": 80, "https": 443}


def address(setting: str) -> str:
    """As it was given: http or https, a host, perhaps a port, and what stands behind it. Raises ValueError."""
    _parts(setting)
    return setting


def base(setting: str) -> str:
    """What paths are put behind: no query, no fragment. Raises ValueError."""
    if set("?#") & set(_parts(setting)[1]):
        raise ValueError("an address is needed that paths can be put behind: without ? and #")
    return setting


def origin(setting: str) -> str:
    """Of a whole host, as browsers write it (RFC 6454): two agencies that mean the same one say the same. Raises ValueError."""
    said, behind = _parts(setting)
    if behind not in ("", "/"):
        raise ValueError("an address is needed with nothing behind its host and port: each service has a host of its own")
    return said


def has_port(endpoint: str) -> bool:
    """Whether it's host:port, as clients that speak no HTTP are told."""
    host, _, port = endpoint.strip().rpartition(":")
    return bool(host) and port.isdecimal() and 1 <= int(port) <= MOST_PORT


def _parts(setting: str) -> tuple[str, str]:
    """The origin and what stands behind it."""
    if not setting.isascii():
        raise ValueError("an address is needed as it goes over the wire: a host with æ, ø or å as xn--...")
    found = _ADDRESS.fullmatch(setting)
    if not found:
        raise ValueError("an address is needed: http:// or https:// and a host")
    scheme, host, port = found[1].lower(), found[2].lower(), int(found[3] or 0)
    if found[3] and not 1 <= port <= MOST_PORT:
        raise ValueError("an address is needed whose port is 1 to 65535")
    return f"{scheme}://{host}" + (f":{port}" if port and port != _USUAL_PORTS[scheme] else ""), found[4]
