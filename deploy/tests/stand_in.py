"""A tiny service that answers with what it was asked, for tests of the gateway: `python stand_in.py PORT`."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Echoes method, path and headers, and how many requests have begun.

    `/stream` sends two events, the second once somebody has asked for `/seen`, or after half a minute.
    """

    protocol_version = "HTTP/1.1"
    begun = 0
    seen = threading.Event()

    def do_GET(self) -> None:
        Handler.begun += 1
        if self.path == "/stream":
            self._stream()
            return
        if self.path == "/seen":
            Handler.seen.set()
        length = int(self.headers.get("content-length") or 0)
        seen = {"method": self.command, "path": self.path, "headers": [list(item) for item in self.headers.items()], "begun": Handler.begun}
        self.rfile.read(length)
        body = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.send_header("content-type", "application/json")
        self.send_header("traceparent", "00-" + "a" * 32 + "-" + "b" * 16 + "-01")
        self.send_header("x-request-id", "r1")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - names that http.server looks for

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for number in range(2):
            self.wfile.write(b"data: %d\n\n" % number)
            self.wfile.flush()
            Handler.seen.wait(30)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
