"""Submits several orders in one command: one after another, and then follows them together."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from orderctl.config.settings import Settings
from orderctl.display.formats import counted
from orderctl.output.exit_codes import ExitCode
from orderctl.output.failures import report
from orderctl.output.streams import Format, console, is_live, narrate, print_json, print_json_line, print_line
from orderctl.trading.sending import send_through
from orderd.client import handshake
from orderd.client.connection import Client
from orderd.client.errors import ClientError
from orderd.domain.order import RESTING
from orderd.wire.submissions import SubmitParams, SubmitResult


@dataclass
class BatchResult:
    """The results of the orders of a batch so far."""

    total: int
    accepted: list[SubmitResult] = field(default_factory=list)
    failures: list[ClientError] = field(default_factory=list)
    interrupted: bool = False

    @property
    def is_incomplete(self) -> bool:
        """Whether some orders were not sent, or may or may not have been accepted."""
        return self.interrupted or any(handshake.is_retryable(error) for error in self.failures)

    def __str__(self) -> str:
        before = sum(not result.created for result in self.accepted)
        repeated = f", {before} of them by an earlier command" if before else ""
        resting = sum(result.order.status in RESTING for result in self.accepted)
        rest = f", {resting} of them resting until the market meets the price" if resting else ""
        refused = f", {len(self.failures)} refused" if self.failures and not self.is_incomplete else ""
        return f"{len(self.accepted)} of {counted(self.total, 'order')} accepted{repeated}{rest}{refused}"


def submit_all(
    client: Client, settings: Settings, orders: Sequence[SubmitParams], output: Format, again: str, *, watches: bool
) -> ExitCode:
    """Submit orders. Returns the worst exit code. ``again`` is the command that submits the rest without duplicates."""
    prints_ids = not watches and output != "json"
    tally = BatchResult(len(orders))
    try:
        with _progress(settings, tally, shown=not (prints_ids and sys.stdout.isatty())) as advance:
            for result in _send(client, orders, tally, again):
                advance()
                if prints_ids:
                    print_accepted(result, output)
    except KeyboardInterrupt:
        tally.interrupted = True
    outcome = max((report(error, output, settings.color) for error in tally.failures), default=ExitCode.OK)
    narrate(settings, str(tally))
    if output == "json" and not watches:
        from orderctl.output.schemas import Submissions

        print_json(Submissions(submissions=tuple(tally.accepted)))
    if tally.is_incomplete:
        narrate(settings, f"to submit the rest without duplicates, run: {again}")
    if tally.interrupted:
        return ExitCode.INTERRUPTED
    if not watches or not tally.accepted:
        return outcome
    from orderctl.trading.watching import watch as follow_to_the_end

    return max(outcome, follow_to_the_end(client, settings, [str(each.order.id) for each in tally.accepted], output))


def _send(client: Client, orders: Sequence[SubmitParams], tally: BatchResult, again: str) -> Iterator[SubmitResult]:
    """Yield the accepted orders. Continues after a refused order, but stops if the daemon is unavailable."""
    for order in orders:
        try:
            result = send_through(client, order, again)
        except ClientError as error:
            error.detail = f"client order id {order.client_order_id}: {error.detail}"
            tally.failures.append(error)
            if handshake.is_retryable(error):
                return
            continue
        tally.accepted.append(result)
        yield result


@contextmanager
def _progress(settings: Settings, tally: BatchResult, *, shown: bool) -> Iterator[Callable[[], None]]:
    """A progress bar on stderr, unless other output on the terminal would disturb it."""
    if settings.quiet or not shown or not is_live(sys.stderr):
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("sending"), BarColumn(44), MofNCompleteColumn())
    with Progress(*columns, console=console(settings, sys.stderr), transient=True) as progress:
        task = progress.add_task("", total=tally.total)
        yield lambda: progress.advance(task)


def print_accepted(result: SubmitResult, output: Format) -> None:
    """Print an accepted order on stdout."""
    match output:
        case "json" | "jsonl":
            (print_json if output == "json" else print_json_line)(result)
        case "id":
            print_line(str(result.order.id))
        case "table" | "wide":
            print_line(f"{result.order.id}  {result.order.status}")
