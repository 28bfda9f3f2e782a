"""``orderd traces``: exports ended orders as traces to an OpenTelemetry collector."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer

from orderd.commands.database import database_of
from orderd.commands.options import Config, DaemonsStateDir, time_of
from orderd.config.loading import ConfigurationError
from orderd.domain.errors import ErrorCode, OrderdError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from db.ended_orders import EndedOrder
    from orderd.engine.records.traces import TraceSpan

_BATCH: Final = 50
"""Orders per request."""
_SETTLED: Final = timedelta(seconds=5)
"""Younger events may not be visible yet, because a statement commits later than the time that it writes."""
_PAUSE_SECONDS: Final = 2.0
_TIMEOUT_SECONDS: Final = 10.0
_PATH: Final = "/v1/traces"
Export = Callable[[Sequence["ReadableSpan"]], bool]


def traces(
    since: Annotated[
        str, typer.Option(help="Only orders that ended since: 30m, 24h, 7d (ago), or 2026-01-31T12:00Z")
    ] = "1h",
    follow: Annotated[bool, typer.Option("--follow", help="Keep exporting orders as they end, until Ctrl-C")] = False,
    endpoint: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="The collector [default: OTEL_EXPORTER_OTLP_ENDPOINT, or else http://127.0.0.1:4318]",
        ),
    ] = None,
    config: Config = None,
    state_dir: DaemonsStateDir = None,
) -> None:
    """Export ended orders to an OpenTelemetry collector, one trace per order (OTLP over HTTP).

    A trace is built from the stored events of the order; its trace id is the order's id. Exporting an order again
    produces the same trace. Needs: pip install 'orderd[traces]'

    \b
    orderd traces --since 24h
    orderd traces --follow --endpoint http://collector:4318
    """
    start = time_of("since", since)
    assert start is not None
    export = _exporter(endpoint)
    with database_of(config, state_dir):
        after, sent = None, 0
        while True:
            after, count = _send_new(export, start, after, retries=follow)
            sent += count
            if not follow:
                break
            time.sleep(_PAUSE_SECONDS)
        typer.echo(f"{sent} orders exported")


def _send_new(
    export: Export, since: datetime, after: "EndedOrder | None", *, retries: bool
) -> tuple["EndedOrder | None", int]:
    """Export all orders that ended after ``since`` and ``after``. Returns the last one, and the number of exported
    orders.

    Raises OrderdError if the collector does not accept them and ``retries`` is false.
    """
    from db.ended_orders import ended_orders
    from db.models import DEFAULT_ACCOUNT
    from orderd.engine.records.traces import trace_of
    from orderd.engine.views import get

    sent = 0
    while ended := ended_orders(since, datetime.now(UTC) - _SETTLED, after, _BATCH):
        details = [get(DEFAULT_ACCOUNT, str(each.order_id), sees_all=True) for each in ended]
        spans = [_readable(span) for detail in details for span in trace_of(detail)]
        if not export(spans):
            error = OrderdError(ErrorCode.SERVICE_UNAVAILABLE, "the collector did not accept the traces")
            if not retries:
                raise error
            typer.echo(f"{error.detail}; retrying", err=True)
            break
        after, sent = ended[-1], sent + len(ended)
    return after, sent


def _exporter(endpoint: str | None) -> Export:
    """The export function for a collector. Raises ConfigurationError if the libraries are missing."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import SpanExportResult
    except ImportError:
        raise ConfigurationError("orderd traces needs OpenTelemetry: pip install 'orderd[traces]'") from None
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # errors are reported below
    url = None if endpoint is None else endpoint.removesuffix("/").removesuffix(_PATH) + _PATH
    exporter = OTLPSpanExporter(endpoint=url, timeout=_TIMEOUT_SECONDS)
    return lambda spans: exporter.export(spans) is SpanExportResult.SUCCESS


def _readable(span: "TraceSpan") -> "ReadableSpan":
    """Convert a span for the OpenTelemetry library."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

    from orderd.engine.records.traces import SpanRef, event_attributes
    from orderd.release import this_release

    def context(ref: SpanRef) -> SpanContext:
        return SpanContext(ref.trace_id, ref.span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))

    return ReadableSpan(
        span.name,
        context=context(span.ref),
        parent=None if span.parent is None else context(span.parent),
        resource=Resource({"service.name": "orderd", "service.version": this_release().version}),
        attributes=span.attributes,
        events=[Event(str(each.data.kind), event_attributes(each), _nanoseconds(each.at)) for each in span.events],
        links=[Link(context(each.to), {"orderd.link": each.why}) for each in span.links],
        kind=SpanKind.INTERNAL,
        status=Status(StatusCode.ERROR, span.error) if span.error else Status(StatusCode.OK),
        start_time=_nanoseconds(span.began),
        end_time=_nanoseconds(span.ended),
    )


def _nanoseconds(at: datetime) -> int:
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1_000
