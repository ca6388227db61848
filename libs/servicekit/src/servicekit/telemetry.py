"""Traces within one service, and within one zone across Kafka; never across a border.

The global propagator is empty: neither an incoming request nor an outgoing call carries a trace. The outbox and the consumer carry one
where the catalogue says that every reader of a topic is in the owner's zone. Attributes and events of spans pass an allow-list.
"""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from fastapi.telemetry import TelemetryConfig
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import CarrierT, Getter, default_getter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, DEFAULT_ON
from opentelemetry.trace import Status
from sqlalchemy.ext.asyncio import AsyncEngine

ALLOWED = frozenset(
    {
        "http.method",
        "http.request.method",
        "http.route",
        "http.status_code",
        "http.response.status_code",
        "db.system",
        "db.system.name",
        "db.operation",
        "messaging.system",
        "messaging.destination.name",
        "messaging.batch.message_count",
        "stegvis.event.type",
        "stegvis.timer",
    }
)
"""Every span attribute that leaves the process. No address, query, body, statement, user agent or id is among them."""

EXPORT_SECONDS = 3.0
"""After so long a batch that the collector hasn't taken is dropped: a collector that is away must not hold up the end of a process."""

OF_REQUESTS: TelemetryConfig = {"tracing": True, "metrics": False, "logs": False, "operation_spans": False}
NONE: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}


def configure(service: str, version: str, otlp_endpoint: str | None, traces_file: Path | None) -> None:
    """Set up tracing for this process; without a destination nothing is recorded, and logs have their trace ids all the same."""
    propagate.set_global_textmap(NoPropagation())
    sampler = DEFAULT_ON if otlp_endpoint or traces_file else ALWAYS_OFF
    provider = TracerProvider(sampler, Resource({"service.name": service, "service.version": version}))
    if otlp_endpoint:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        exporter = OTLPSpanExporter(f"{otlp_endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_SECONDS)
        provider.add_span_processor(BatchSpanProcessor(Scrubbed(exporter)))
    if traces_file:
        provider.add_span_processor(SimpleSpanProcessor(Scrubbed(JsonLines(traces_file))))
    trace.set_tracer_provider(provider)


def instrument(engine: AsyncEngine) -> None:
    """Spans for statements, where any are recorded. FastAPI makes those for requests itself, named by route."""
    from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor

    SQLAlchemyInstrumentor().instrument(engine=engine.sync_engine)


class NoPropagation(CompositePropagator):
    """Reads and writes nothing. An empty CompositePropagator answers None for a context, which breaks whoever attaches it."""

    def __init__(self) -> None:
        super().__init__([])

    def extract(self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter) -> Context:
        return super().extract(carrier, context, getter) or Context()


class Scrubbed(SpanExporter):
    """Lets only allowed attributes through; events hold exception messages, links hold other traces: both stay here."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._inner.export([_scrub(span) for span in spans])

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


def _scrub(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name.split("?")[0] if span.kind is not trace.SpanKind.CLIENT else span.name.split(" ")[0],
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes={name: value for name, value in (span.attributes or {}).items() if name in ALLOWED},
        kind=span.kind,
        instrumentation_scope=span.instrumentation_scope,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
    )


class JsonLines(SpanExporter):
    """Appends each span as one line of JSON to a file."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, Lock()
        path.parent.mkdir(parents=True, exist_ok=True)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        with self._lock, self._path.open("a") as file:
            file.writelines(span.to_json(indent=None) + "\n" for span in spans)
        return SpanExportResult.SUCCESS
