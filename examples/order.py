"""Submits an order and follows it to its end by JSON-RPC over websocket, also after lost connections.

    pip install websockets
    python order.py [ws://127.0.0.1:3000/]

If the daemon requires an API key, set ORDERCTL_API_KEY.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

URL = "ws://127.0.0.1:3000/"
ENDS = ("confirmed", "failed", "cancelled", "expired")
PAUSE_SECONDS = 0.5


def call(websocket: ClientConnection, method: str, params: dict[str, Any]) -> Any:
    """The result of a call; one call at a time. Exits with the error if the daemon refuses it."""
    websocket.send(json.dumps({"jsonrpc": "2.0", "id": method, "method": method, "params": params}))
    while True:
        answer = json.loads(websocket.recv())
        if "error" in answer:
            raise SystemExit(json.dumps(answer["error"], indent=2))
        if answer.get("id") == method:
            return answer["result"]


def events(url: str, order: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Submits the order and yields each of its events once, up to the last."""
    key = os.environ.get("ORDERCTL_API_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    seen = 0
    while True:
        try:
            with connect(url, additional_headers=headers) as websocket:
                # With the same client_order_id the order is traded once, however often it is sent.
                submitted = call(websocket, "order.submit", order)
                call(websocket, "orders.subscribe", {"order": submitted["order"]["id"], "after": seen})
                for message in websocket:
                    params = json.loads(message)["params"]
                    if params.get("type") != "EVENT":  # a snapshot, READY, a heartbeat
                        continue
                    yield params["event"]
                    seen = params["event"]["seq"]
                    if params["event"]["status"] in ENDS:
                        return
        except InvalidStatus:  # the daemon answers, but refuses the connection
            raise
        except (OSError, WebSocketException) as lost:
            print(f"{lost}; connecting again", file=sys.stderr)
            time.sleep(PAUSE_SECONDS)


def main() -> int:
    url = sys.argv[1] if len(sys.argv) > 1 else URL
    order = {"token_in": "SOL", "token_out": "USDC", "amount_in": "0.1", "client_order_id": f"example-{uuid4()}"}
    for event in events(url, order):
        print(event["seq"], event["status"], json.dumps(event["data"]), flush=True)
    return 0 if event["status"] == "confirmed" else 1


if __name__ == "__main__":
    sys.exit(main())
