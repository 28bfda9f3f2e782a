"""``orderd traces``: a collector gets one trace per order, receives it again after a failure, and always the same
trace."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from db import journal
from db.connection import database
from db.journal import AttemptEnd, Change
from tests.integration.orders import FILL, built, pending, sign
from tests.receiver import AlertReceiver, receiving
from tests.samples.orders import FILL as CONFIRMED


@pytest.fixture
def collector() -> Iterator[AlertReceiver]:
    with receiving() as receiver:
        receiver.answer = 200
        yield receiver


@pytest.fixture
def filled(connected: str) -> str:
    """The id of an order that was filled a minute ago, besides an order that has not ended."""
    with database.connection_context():
        pending()
        landed = sign(built(), "landed").order
        journal.apply(
            [Change(landed.id, CONFIRMED, landed.version, FILL, attempt_end=AttemptEnd("landed", 9, sends=1))]
        )
        database.execute_sql("UPDATE order_events SET at = at - interval '1 minute'")  # the order is settled
    return str(landed.id)


def traces(url: str, directory: Path, collector: AlertReceiver, *options: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ORDERD_", "OTEL_"))}
    address = f"http://127.0.0.1:{collector.port}"
    return subprocess.run(
        [Path(sys.executable).with_name("orderd"), "traces", "--endpoint", address, *options],
        env={**clean, "ORDERD_STATE_DIR": str(directory), "ORDERD_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def spans_of(collector: AlertReceiver) -> list[list[Span]]:
    """The spans per received request."""
    found = []
    for received in collector.received:
        request = ExportTraceServiceRequest.FromString(received.body)
        found.append(
            [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
        )
    return found


def test_a_collector_gets_a_trace_of_each_ended_order(
    filled: str, postgres_url: str, tmp_path: Path, collector: AlertReceiver
) -> None:
    done = traces(postgres_url, tmp_path, collector)
    assert (done.returncode, done.stdout) == (0, "1 orders exported\n"), done.stderr
    (spans,) = spans_of(collector)
    assert {span.trace_id.hex() for span in spans} == {filled.replace("-", "")}
    (root,) = [span for span in spans if not span.parent_span_id]
    assert root.name == "order SOL/USDC"
    turn = next(span for span in spans if span.name == "attempt 1")
    assert turn.parent_span_id == root.span_id
    assert {"routing", "building", "submitted"} <= {span.name for span in spans if span.parent_span_id == turn.span_id}
    assert root.start_time_unix_nano <= turn.start_time_unix_nano < turn.end_time_unix_nano

    again = traces(postgres_url, tmp_path, collector)
    assert again.returncode == 0
    assert spans_of(collector)[1] == spans, "the second export sent another trace"


def test_orders_that_ended_before_the_start_time_are_left_out(
    filled: str, postgres_url: str, tmp_path: Path, collector: AlertReceiver
) -> None:
    done = traces(postgres_url, tmp_path, collector, "--since", "2999-01-01")
    assert (done.returncode, done.stdout) == (0, "0 orders exported\n")
    assert collector.received == []


def test_a_collector_that_refuses_traces_is_reported(
    filled: str, postgres_url: str, tmp_path: Path, collector: AlertReceiver
) -> None:
    collector.answer = 400
    done = traces(postgres_url, tmp_path, collector)
    assert done.returncode == 1
    assert "the collector did not accept the traces" in done.stderr
