"""What a service process is to the launcher: two ports, readiness, an end on SIGTERM; says which database and clock it was given."""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLD = ("DATABASE_URL", "DIALOG_URL", "CLOCK_OFFSET_SECONDS", "KEYS_DIR", "IDPORTEN_ISSUER", "KAFKA_BOOTSTRAP_SERVERS", "KAFKA_USERNAME")


class Handler(BaseHTTPRequestHandler):
    """Answers every path."""

    def do_GET(self) -> None:
        body = json.dumps({"pid": os.getpid(), "all": sorted(os.environ), **{name: os.environ.get(name) for name in TOLD}}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


if "FAIL" in os.environ:
    sys.exit("stand-in: told to fail")
internal = ThreadingHTTPServer(("127.0.0.1", int(os.environ["INTERNAL_PORT"])), Handler)
threading.Thread(target=internal.serve_forever, daemon=True).start()
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
