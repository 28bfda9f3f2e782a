"""Metrics of a gateway's port: connections, requests and answers."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from orderd.metrics.registries import GATEWAY, SECONDS, ScrapedGauge

CONNECTIONS: Final = Gauge("orderd_ws_connections", "Open websocket connections.", registry=GATEWAY)
SLOW_DISCONNECTS: Final = Counter(
    "orderd_ws_slow_disconnects", "Connections closed because the client did not read fast enough.", registry=GATEWAY
)
SEND_BUFFER_BYTES: Final = ScrapedGauge(
    "orderd_ws_send_buffer_bytes", "Bytes that clients have not read yet, over all websockets.", registry=GATEWAY
)
SEND_BUFFER_MAX_BYTES: Final = ScrapedGauge(
    "orderd_ws_send_buffer_max_bytes",
    "Unread bytes of the websocket that has most; above 262,144 it is closed.",
    registry=GATEWAY,
)
REFUSED: Final = Counter(
    "orderd_connections_refused",
    "Connections and requests that were refused before they were read.",
    ["code"],
    registry=GATEWAY,
)
CALLS: Final = Counter(
    "orderd_rpc_calls", "JSON-RPC calls by outcome: ok, or an error code.", ["method", "outcome"], registry=GATEWAY
)
CALL_SECONDS: Final = Histogram(
    "orderd_rpc_call_seconds", "Time to answer a call.", ["method"], buckets=SECONDS, registry=GATEWAY
)
HTTP_REQUESTS: Final = Counter(
    "orderd_http_requests",
    "HTTP requests by method, route and status of the answer.",
    ["method", "route", "status"],
    registry=GATEWAY,
)
HTTP_SECONDS: Final = Histogram(
    "orderd_http_request_seconds", "Time to answer an HTTP request.", ["route"], buckets=SECONDS, registry=GATEWAY
)
INTAKE_BATCH: Final = Histogram(
    "orderd_intake_batch_orders",
    "Orders committed together.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
    registry=GATEWAY,
)
EVENTS_SENT: Final = Counter("orderd_events_sent", "Order events written to subscribers.", registry=GATEWAY)
EVENT_SECONDS: Final = Histogram(
    "orderd_event_delivery_seconds",
    "Time from an event's commit to its delivery to subscribers.",
    buckets=SECONDS,
    registry=GATEWAY,
)
GAPS_FILLED: Final = Counter(
    "orderd_event_gaps_filled", "Orders whose events had to be fetched from Postgres.", registry=GATEWAY
)
SUBSCRIPTIONS: Final = Gauge("orderd_subscriptions", "Open subscriptions.", registry=GATEWAY)
LOOP_LAG: Final = Gauge(
    "orderd_event_loop_lag_seconds", "Last measured delay of the gateway's event loop.", registry=GATEWAY
)
