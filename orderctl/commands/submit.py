"""orderctl submit"""

import shlex
import sys
from typing import Annotated

import typer
from uuid_utils import uuid7

from orderctl.asking import agrees_to, can_ask
from orderctl.batch import read_batch, send_batch
from orderctl.client import Client
from orderctl.errors import AnswerLostError, ConfigError, OrderctlError, RefusedError
from orderctl.exit_codes import ExitCode
from orderctl.output import (
    OUTPUT,
    SubmitFormat,
    console,
    document,
    narrate,
    print_json,
    print_json_line,
    print_line,
    report,
    schema,
)
from orderctl.protocol import params_of
from orderctl.settings import Settings, settings_of
from orderctl.trade import Slippage, TradeCommand, check
from orderctl.watching import watch as follow_to_the_end
from orderd.domain.errors import ErrorCode
from orderd.wire import (
    Method,
    NoParams,
    PreviewResult,
    QuoteParams,
    QuoteResult,
    StatusResult,
    SubmitParams,
    SubmitResult,
)

COMMAND_CLASS = TradeCommand

_TELLS_NOTHING = frozenset({ErrorCode.SERVICE_TIMEOUT, ErrorCode.SERVICE_INTERNAL})
"""Answers that leave open whether the order was taken."""


def run(
    ctx: typer.Context,
    token_in: Annotated[
        str | None, typer.Argument(metavar="TOKEN_IN", help="What to sell: a symbol or a mint address.")
    ] = None,
    token_out: Annotated[str | None, typer.Argument(metavar="TOKEN_OUT", help="What to buy.")] = None,
    amount: Annotated[
        str | None, typer.Argument(metavar="AMOUNT", help="How much of TOKEN_IN to sell, like 1.5.")
    ] = None,
    slippage: Slippage = None,
    file: Annotated[
        str | None,
        typer.Option("--file", "-f", metavar="FILE", help="Orders from a file, CSV or JSON lines; - is stdin."),
    ] = None,
    watch: Annotated[
        bool | None,
        typer.Option("--watch/--no-watch", help="Follow to the end; on a terminal unless told otherwise."),
    ] = None,
    client_order_id: Annotated[
        str | None,
        typer.Option("--client-order-id", metavar="ID", help="Your own id; the same id never makes a second order."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the route and the chain's simulation; trade nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, also where the money is real.")] = False,
    output: Annotated[SubmitFormat, OUTPUT] = "table",
) -> ExitCode:
    """Sell an amount of one token for another.

    On a terminal it shows the prices and asks first, except on simnet. The order's client id is told before it is
    sent. When no answer comes, look it up under that id, or send it again with --client-order-id: it cannot be
    executed twice.

    A file has the columns token_in, token_out, amount_in and, where wanted, slippage and client_order_id. It is
    checked as a whole before the first of its orders is sent.
    """
    settings = settings_of(ctx, output)
    watches = watch if watch is not None else output == "table" and sys.stdout.isatty()
    if watches and output == "id":
        raise ConfigError("The options contradict each other", "-o id prints the id alone", "leave out --watch")
    if file is not None:
        if token_in is not None or client_order_id is not None or dry_run:
            why = "a file brings tokens, amounts and ids of its own, and has no dry run"
            raise ConfigError("The options contradict each other", why, "see: orderctl submit --help")
        orders = read_batch(file, slippage)
        with Client(settings) as client:
            if not (yes or _may_trade(client, f"send {len(orders)} orders?")):
                narrate(settings, "nothing was sent")
                return ExitCode.INTERRUPTED
            return _submit_all(client, settings, orders, output, watches=watches)
    if token_in is None or token_out is None or amount is None:
        why = "TOKEN_IN, TOKEN_OUT and AMOUNT are due"
        raise ConfigError("The command line cannot be understood", why, "see: orderctl submit --help")
    check(token_in, token_out, amount, slippage)
    order = params_of(
        SubmitParams,
        token_in=token_in,
        token_out=token_out,
        amount_in=amount,
        slippage=slippage,
        client_order_id=client_order_id or str(uuid7()),
    )
    with Client(settings) as client:
        if dry_run:
            return _preview(client, settings, order, output)
        if not (yes or _may_trade(client, "send this order?", order)):
            narrate(settings, "nothing was sent")
            return ExitCode.INTERRUPTED
        narrate(settings, f"client order id {order.client_order_id}")
        try:
            result = _submit(client, order)
        except KeyboardInterrupt:
            narrate(settings, f"interrupted: the outcome is unknown; run: orderctl watch {order.client_order_id}")
            return ExitCode.INTERRUPTED
        if not result.created:
            narrate(settings, "this client order id was submitted before: here is that order, no second one was made")
        if not watches:
            _print(settings, result, output)
            return ExitCode.OK
        return follow_to_the_end(client, settings, [str(result.order.id)], "table" if output == "table" else "jsonl")


def _may_trade(client: Client, question: str, order: SubmitParams | None = None) -> bool:
    """Asks whoever is there, unless nothing can be lost: on simnet. Off a terminal the command itself is the yes."""
    if not can_ask():
        return True
    chain = client.call(Method.STATUS, NoParams(), StatusResult).chain
    if chain == "simnet":
        return True
    if order is not None:
        from rich.console import Console

        from orderctl.quotes import quote_view

        terms = order.model_dump(exclude={"client_order_id"})
        quote = client.call(Method.QUOTE, params_of(QuoteParams, **terms), QuoteResult)
        Console(stderr=True, highlight=False).print(quote_view(quote))
    return agrees_to(f"{chain}: {question}")


def _submit(client: Client, order: SubmitParams) -> SubmitResult:
    """Raises what Client.call raises, with the next step for an order that may or may not have been taken."""
    try:
        return client.call(Method.ORDER_SUBMIT, order, SubmitResult)
    except AnswerLostError as error:
        raise _unknown_outcome(order, error.detail) from error
    except RefusedError as error:
        if error.problem.code in _TELLS_NOTHING:
            raise _unknown_outcome(order, f"{error.problem.code}: {error.detail}") from error
        if error.problem.retryable:
            error.next_step = f"try again, it cannot double: {_same_command(order)}"
        raise


def _submit_all(
    client: Client, settings: Settings, orders: list[SubmitParams], output: SubmitFormat, *, watches: bool
) -> ExitCode:
    """The exit code is the worst of all orders'."""
    taken: list[SubmitResult] = []
    outcome = ExitCode.OK
    for order, answer in zip(orders, send_batch(client, orders), strict=True):
        if isinstance(answer, OrderctlError):
            answer.detail = f"client order id {order.client_order_id}: {answer.detail}"
            outcome = max(outcome, report(answer, output, settings.color))
            continue
        taken.append(answer)
        if output in ("jsonl", "id") or (output == "table" and not watches):
            _print_one(answer, output)
    narrate(settings, f"{len(taken)} of {len(orders)} orders taken")
    if output == "json" and not watches:
        print_json({"schema": schema("submissions"), "submissions": [one.model_dump(mode="json") for one in taken]})
    if not watches or not taken:
        return outcome
    ids = [str(result.order.id) for result in taken]
    return max(outcome, follow_to_the_end(client, settings, ids, "table" if output == "table" else "jsonl"))


def _preview(client: Client, settings: Settings, order: SubmitParams, output: SubmitFormat) -> ExitCode:
    preview = client.call(Method.ORDER_PREVIEW, order, PreviewResult)
    if output in ("json", "jsonl"):
        (print_json if output == "json" else print_json_line)(document("preview", preview))
    else:
        from orderctl.quotes import preview_view

        console(settings).print(preview_view(preview))
    narrate(settings, "dry run: nothing was traded")
    return ExitCode.OK if preview.succeeds else ExitCode.ORDER_FAILED


def _print(settings: Settings, result: SubmitResult, output: SubmitFormat) -> None:
    _print_one(result, output)
    if output == "table":
        narrate(settings, f"follow it with: orderctl watch {result.order.id}")


def _print_one(result: SubmitResult, output: SubmitFormat) -> None:
    match output:
        case "json":
            print_json(document("submission", result))
        case "jsonl":
            print_json_line(document("submission", result))
        case "id":
            print_line(str(result.order.id))
        case "table":
            print_line(f"{result.order.id}  {result.order.status}")


def _unknown_outcome(order: SubmitParams, reason: str) -> AnswerLostError:
    return AnswerLostError(
        "The outcome is unknown",
        reason,
        f"run: orderctl watch {order.client_order_id}; where no order has this id, run: {_same_command(order)}",
    )


def _same_command(order: SubmitParams) -> str:
    words = ["orderctl", "submit", order.token_in, order.token_out, order.amount_in]
    if order.slippage is not None:
        words += ["--slippage", order.slippage]
    return shlex.join([*words, "--client-order-id", order.client_order_id])
