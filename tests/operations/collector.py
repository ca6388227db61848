"""A small OTLP/HTTP collector: takes what services export, and keeps it as it came."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse


class Collector:
    """Listens on 127.0.0.1 until it is stopped."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.paths: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._door())

    @property
    def endpoint(self) -> str:
        """For OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> "Collector":
        """Begins to answer."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def stop(self) -> None:
        """Takes nothing more."""
        self._server.shutdown()
        self._server.server_close()

    def spans(self) -> list[tuple[str, Any]]:
        """Service and span, in the order of arrival."""
        found = []
        for request in list(self.requests):
            for part in request.resource_spans:
                [service] = [each.value.string_value for each in part.resource.attributes if each.key == "service.name"]
                found += [(service, span) for scope in part.scope_spans for span in scope.spans]
        return found

    def resources(self) -> set[str]:
        """The names of what is told about the process itself."""
        return {each.key for request in list(self.requests) for part in request.resource_spans for each in part.resource.attributes}

    def _door(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.paths.add(self.path)
                collector.requests.append(ExportTraceServiceRequest.FromString(body))
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Nothing on the terminal."""

        return Door
