"""The figures of an endpoint as clients get them."""

from orderd.solana.endpoint_figures import WINDOW_SECONDS, EndpointTally
from orderd.solana.json_rpc import (
    RpcRateLimitedError,
    RpcRefusedError,
    RpcResponseError,
    RpcTransportError,
    RpcWrongChainError,
)
from orderd.wire.status import EndpointView


def endpoint_view(tally: EndpointTally) -> EndpointView:
    failures = tally.failures
    return EndpointView(
        host=tally.host,
        window_seconds=WINDOW_SECONDS,
        processes=tally.processes,
        requests=tally.requests,
        latency_ms=_rounded(tally.latency_ms(0.5)),
        latency_p99_ms=_rounded(tally.latency_ms(0.99)),
        unanswered=failures.get(RpcTransportError.label, 0) + failures.get(RpcWrongChainError.label, 0),
        refused=failures.get(RpcRefusedError.label, 0),
        rate_limited=failures.get(RpcRateLimitedError.label, 0),
        errors=failures.get(RpcResponseError.label, 0),
        slot=tally.slot,
        slot_lag=tally.slot_lag,
    )


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 2)
