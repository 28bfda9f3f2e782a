"""The local chain of a daemon, spoken to directly."""

from pathlib import Path
from typing import Any

import httpx
import orjson


def call(state_dir: Path, method: str, *params: Any) -> Any:
    """The result of a JSON-RPC method of the chain that the daemon of this state directory has brought along."""
    url = orjson.loads((state_dir / "simnet" / "simnet.json").read_bytes())["http_url"]
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = httpx.post(url, json=body, trust_env=False, verify=False).json()
    assert "error" not in answer, answer
    return answer["result"]
