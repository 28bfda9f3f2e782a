"""Renders the statistics of the chain's RPC endpoints, as text or as a table."""

from collections.abc import Iterable, Iterator

from rich.table import Table
from rich.text import Text

from orderctl.display.formats import counted, milliseconds
from orderctl.display.tables import plain_table
from orderctl.output.colours import Tone
from orderd.wire.status import EndpointView


def endpoint_line(endpoint: EndpointView) -> Text:
    """One line of latencies, and a second one of lag and failures, if any."""
    if not endpoint.requests:
        return Text(f"{endpoint.host}  no requests in the last {endpoint.window_seconds} s", Tone.MUTED)
    latency = f"median {milliseconds(endpoint.latency_ms)}, p99 {milliseconds(endpoint.latency_p99_ms)}"
    requests = counted(endpoint.requests, "request")
    line = Text(f"{endpoint.host}  {requests} in {endpoint.window_seconds} s: {latency}")
    parts: list[Text] = []
    if endpoint.slot_lag is not None:
        lag = f"at most {counted(endpoint.slot_lag, 'slot')} behind"
        parts.append(Text(lag, Tone.WARNING if endpoint.slot_lag > 1 else ""))
    parts += [Text(text, tone) for text, count, tone in _failures(endpoint) if count]
    return Text("\n").join((line, Text(", ").join(parts))) if parts else line


def endpoints_table(endpoints: Iterable[EndpointView]) -> Table:
    table = plain_table(
        ("ENDPOINT", "left"), ("ASKED", "right"), ("MEDIAN", "right"), ("P99", "right"), ("LAG", "right"),
        ("LOST", "right"), ("REFUSED", "right"), ("LIMITED", "right"), ("ERRORS", "right"),
    )  # fmt: skip
    hosts = table.columns[0]
    hosts.no_wrap, hosts.overflow = False, "fold"  # on a narrow screen hosts wrap, numbers do not
    for endpoint in endpoints:
        lag = "-" if endpoint.slot_lag is None else str(endpoint.slot_lag)
        table.add_row(
            endpoint.host,
            str(endpoint.requests),
            milliseconds(endpoint.latency_ms),
            milliseconds(endpoint.latency_p99_ms),
            Text(lag, Tone.WARNING if (endpoint.slot_lag or 0) > 1 else ""),
            *(Text(str(count), tone if count else Tone.MUTED) for _, count, tone in _failures(endpoint)),
        )
    return table


def _failures(endpoint: EndpointView) -> Iterator[tuple[str, int, Tone]]:
    """The failures by kind: a text, the number and a tone.

    Errors of a node only warn: they are often normal, such as for a skipped block.
    """
    yield f"{endpoint.unanswered} unanswered", endpoint.unanswered, Tone.BAD
    yield f"{endpoint.refused} refused", endpoint.refused, Tone.BAD
    yield f"{endpoint.rate_limited} rate limited", endpoint.rate_limited, Tone.WARNING
    yield counted(endpoint.errors, "error"), endpoint.errors, Tone.WARNING
