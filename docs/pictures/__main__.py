"""``make pictures``: the pictures of the documents, from the real programs on daemons of their own.

A terminal (tmux) runs each program; what stands on it, with its colours, becomes an SVG. A headless Chromium shows the
dashboard, which becomes a PNG.
"""

import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from rich.console import Console
from rich.text import Text

from orderd.process.temporary import running_daemon

HERE = Path(__file__).parent
ORDERCTL = Path(sys.executable).with_name("orderctl")
SETTINGS = {"ORDERD_RATE_LIMIT": "8", "ORDERD_RATE_WINDOW_SECONDS": "60"}
PATIENCE_SECONDS = 90
TRADES = (("SOL", "USDC", "1.5"), ("USDC", "SOL", "250"), ("SOL", "CHILLGUY", "0.05"), ("SOL", "USDC", "40"))
BACK_AND_FORTH = (("SOL", "USDC", "1.5"), ("USDC", "SOL", "150"))
"""Trades that leave the wallet and deep pools as they are, more or less. The fee of a small pool rises with each trade,
until the next one would cost more than an order may."""
PRICE_POINTS = 32
"""Seconds for the lines of the price panel to grow."""
TRADED_SECONDS = 120
"""For the plots of the dashboard to grow."""
PAUSE_SECONDS = 0.3
"""Between its trades: so many as the rate limit lets through, and the wallet pays for."""
DASHBOARD = (1280, 1010)
ENDED_IN_PICTURE = 3
"""Of the orders that are watched."""
WAITING = (
    "submit SOL USDC 1.5 --limit 105",
    "submit SOL USDC 2 --stop 95",
    "submit SOL USDC 2 --stop 95 --limit 94.5",
    "submit SOL USDC 1 --take-profit 120",
    "submit SOL USDC 3 --trail 3%",
    "oco SOL USDC 1.5 --take-profit 120 --stop 95",
    "submit USDC SOL 150 --limit 99 --then-take-profit 120 --then-stop 95",
    "submit USDC SOL 240 --twap 24 --every 1h",
)
"""An order of each kind that waits."""


class Screen:
    """A terminal; each program gets a tmux server of its own, for one that ends is not gone at once."""

    def __init__(self, directory: Path) -> None:
        self._sockets = (directory / f"tmux-{number}" for number in count())
        self._tmux: tuple[str, ...] = ()

    def _do(self, *words: str) -> str:
        return subprocess.run([*self._tmux, *words], check=True, capture_output=True, text=True).stdout

    @contextmanager
    def running(self, command: str, columns: int, lines: int) -> Iterator[None]:
        self._tmux = ("tmux", "-S", str(next(self._sockets)), "-f", os.devnull)
        self._do("new-session", "-d", "-x", str(columns), "-y", str(lines), f"COLORTERM=truecolor {command}; sleep 999")
        try:
            yield
        finally:
            self._do("kill-server")

    def wait_for(self, shown: Callable[[str], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not shown(text := self._do("capture-pane", "-p")):
            if time.monotonic() > deadline:
                raise SystemExit(f"this is all that came onto the screen:\n{text}")
            time.sleep(0.1)

    def save(self, name: str, title: str, columns: int) -> None:
        console = Console(record=True, width=columns, file=io.StringIO(), force_terminal=True, color_system="truecolor")
        console.print(Text.from_ansi(self._do("capture-pane", "-e", "-p", "-N").rstrip("\n")), end="")
        svg = console.export_svg(title=title, unique_id=name)
        (HERE / f"{name}.svg").write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n")


def browser() -> str:
    """Raises SystemExit where none is installed."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        raise SystemExit("install Chromium (Debian: apt-get install chromium)")
    return found


def save_dashboard(directory: Path) -> None:
    """The dashboard of a daemon on which somebody has traded for a while."""
    state_dir = directory / "shown"
    state_dir.mkdir()
    with running_daemon(state_dir, {"ORDERD_RATE_LIMIT": "200", "ORDERD_SIMNET_SUCCESS_RATE": "0.9"}) as daemon:
        os.environ["ORDERCTL_URL"] = daemon.url
        orderctl("-q", "submit", "SOL", "USDC", "5", "--limit", "140", "--no-watch")
        until = time.monotonic() + TRADED_SECONDS
        for number in count():
            orderctl("-q", "submit", *BACK_AND_FORTH[number % len(BACK_AND_FORTH)], "--no-watch")
            time.sleep(PAUSE_SECONDS)
            if time.monotonic() > until:
                break
        address = daemon.url.replace("ws", "http", 1) + "dashboard?span=5m&refresh=off"
        profile, picture = directory / "browser", HERE / "dashboard.png"
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-proxy-server")
        size = f"--window-size={DASHBOARD[0]},{DASHBOARD[1]}"
        command = [browser(), *options, size, f"--user-data-dir={profile}", f"--screenshot={picture}", address]
        subprocess.run(command, check=True, capture_output=True)


def save_orders(screen: Screen, directory: Path) -> None:
    """Orders of all kinds that wait, one that waits for its price, and one in executions."""
    state_dir = directory / "waiting"
    state_dir.mkdir()
    with running_daemon(state_dir) as daemon:
        os.environ["ORDERCTL_URL"] = daemon.url
        for words in WAITING:
            orderctl("-q", *words.split(), "--no-watch")
        with screen.running(f"{ORDERCTL} list", 120, 16):
            screen.wait_for(lambda text: "limit 105" in text)
            screen.save("orders", "orderctl list", 120)
        for trade in TRADES:
            orderctl("-q", "submit", *trade, "--no-watch")
        with screen.running(f"XDG_STATE_HOME={os.devnull} {ORDERCTL} tui", 120, 32):  # with nothing remembered
            screen.wait_for(lambda text: "live" in text and "rate limit" in text)
            time.sleep(PRICE_POINTS)
            screen.save("tui", "orderctl tui", 120)
        with screen.running(f"{ORDERCTL} submit SOL USDC 1.5 --limit 105 --yes", 100, 12):
            screen.wait_for(lambda text: "%" in text and "Ctrl-C" in text)
            screen.save("limit", "orderctl submit SOL USDC 1.5 --limit 105", 100)
        with screen.running(f"{ORDERCTL} submit SOL USDC 2 --twap 5 --over 20s --yes", 100, 16):
            screen.wait_for(lambda text: text.count("confirmed") > 1)
            screen.save("twap", "orderctl submit SOL USDC 2 --twap 5 --over 20s", 100)


def orderctl(*args: str) -> str:
    return subprocess.run([ORDERCTL, *args], check=True, capture_output=True, text=True).stdout


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="orderd-pictures-") as directory:
        browser()
        screen = Screen(Path(directory))
        state_dir = Path(directory, "daemon")
        state_dir.mkdir()
        with running_daemon(state_dir, SETTINGS) as daemon:
            os.environ["ORDERCTL_URL"] = daemon.url
            with screen.running(f"{ORDERCTL} submit SOL USDC 1.5", 100, 24):
                screen.wait_for(lambda text: "\nsignature" in text)
                screen.save("submit", "orderctl submit SOL USDC 1.5", 100)
            for number in range(16):
                orderctl("-q", "submit", *TRADES[number % len(TRADES)], "--no-watch")
            with screen.running(f"{ORDERCTL} watch --all", 100, 24):
                screen.wait_for(lambda text: text.count("confirmed") > ENDED_IN_PICTURE)
                screen.save("watch", "orderctl watch --all", 100)
        save_orders(screen, Path(directory))
        save_dashboard(Path(directory))


if __name__ == "__main__":
    main()
