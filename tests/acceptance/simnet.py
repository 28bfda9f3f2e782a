"""Direct JSON-RPC calls to the local chain of a daemon."""

from pathlib import Path
from typing import Any

import httpx
import orjson


def call(state_dir: Path, method: str, *params: Any) -> Any:
    """Call a JSON-RPC method of the local chain of the daemon with this state directory; returns the result."""
    url = orjson.loads((state_dir / "simnet" / "simnet.json").read_bytes())["http_url"]
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = httpx.post(url, json=body, trust_env=False, verify=False).json()
    assert "error" not in answer, answer
    return answer["result"]
