"""Serves the style sheets, scripts and drawings under names that change with their content, compressed once at start."""

import gzip
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import brotli
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from webkit.assets import hashed, vendor_files, vendor_packed

OWN = Path(__file__).parent / "static"
PREFIX = "/static"
FOR_EVER = "public, max-age=31536000, immutable"
SUFFIXES = (".css", ".js", ".svg", ".woff2", ".png")


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it goes over the wire."""

    plain: bytes
    packed: Mapping[str, bytes]
    """Content coding -> bytes, best first; empty where packing saves nothing."""
    media_type: str


class StaticFiles:
    """An ASGI application over a handful of small files kept in memory (about 0.3 MB)."""

    def __init__(self, *folders: Path) -> None:
        """`folders`: a service's own static folders; a file of the same name takes the place of webkit's."""
        contents: dict[str, bytes] = {**_folder(OWN), **vendor_files()}
        ready = vendor_packed()
        for folder in folders:
            contents.update(_folder(folder))
        self.names: Mapping[str, str] = {name: hashed(name, content) for name, content in contents.items()}
        self._files = {self.names[name]: _pack(name, content, ready.get(name)) for name, content in contents.items()}

    def url(self, name: str) -> str:
        """`site.css` -> `/static/site.<hash>.css`; KeyError for a file that isn't there."""
        return f"{PREFIX}/{self.names[name]}"

    def content(self, name: str) -> bytes:
        """What a file holds, by its plain name."""
        return self._files[self.names[name]].plain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        await self._answer(request)(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return Response(status_code=405, headers={"Allow": "GET, HEAD"})
        file = self._files.get(request.url.path.rpartition("/")[2])
        if file is None:
            return Response(status_code=404, headers={"Cache-Control": "no-store"})
        headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
        accepted = {each.partition(";")[0].strip() for each in request.headers.get("accept-encoding", "").split(",")}
        for coding, packed in file.packed.items():
            if coding in accepted:
                return Response(packed, headers={**headers, "Content-Encoding": coding}, media_type=file.media_type)
        return Response(file.plain, headers=headers, media_type=file.media_type)


def _folder(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES}


@cache
def _pack(name: str, content: bytes, brotli_ready: bytes | None) -> StaticFile:
    packed = brotli_ready or brotli.compress(content, mode=brotli.MODE_TEXT, quality=11)
    codings = {"br": packed, "gzip": gzip.compress(content, 9, mtime=0)}
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return StaticFile(content, {coding: each for coding, each in codings.items() if len(each) < len(content)}, media_type)
