"""A headless Chromium, controlled over its debugging protocol."""

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE_SECONDS = 60


class Tab:
    """One page, which records what its websockets receive."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._ids = count(1)
        self.received = ""
        """All texts received over websockets."""

    def do(self, method: str, **params: object) -> dict[str, Any]:
        request = next(self._ids)
        self._connection.send(json.dumps({"id": request, "method": method, "params": params}))
        while True:
            message = self._next()
            if message.get("id") == request:
                assert "error" not in message, message["error"]
                result: dict[str, Any] = message["result"]
                return result

    def open(self, url: str) -> None:
        """Forget what the previous page received."""
        self.received = ""
        self.do("Page.navigate", url=url)

    def value_of(self, script: str) -> Any:
        """The value of a script, after its promise is resolved."""
        answer = self.do("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        return answer["result"].get("value")

    def wait_for(self, text: str) -> None:
        """Wait until a websocket has received the text."""
        while text not in self.received:
            self._next()

    def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            self.do("Input.dispatchKeyEvent", type=kind, key=key, text=key if kind == "keyDown" else "")

    def _next(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._connection.recv(PATIENCE_SECONDS))
        if message.get("method") == "Network.webSocketFrameReceived":
            frame = message["params"]["response"]
            is_binary = frame["opcode"] == 2
            text = (
                base64.b64decode(frame["payloadData"]).decode(errors="replace") if is_binary else frame["payloadData"]
            )
            self.received += text
        return message


@contextmanager
def browsing(profile: Path) -> Iterator[Tab]:
    """An empty page of a new browser whose files are in ``profile``."""
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
    command += ["--no-proxy-server", f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            listening = next(line for line in process.stderr if line.startswith("DevTools listening on "))
            address = listening.split()[-1]
            with connect(address, proxy=None, max_size=None) as browser:
                tabs = Tab(browser).do("Target.getTargets")["targetInfos"]
            page = next(tab["targetId"] for tab in tabs if tab["type"] == "page")
            with connect(
                f"{address.partition('/devtools/')[0]}/devtools/page/{page}", proxy=None, max_size=None
            ) as tab:
                yield Tab(tab)
        finally:
            process.terminate()
            process.communicate(timeout=20)
