"""orderctl submit"""

import shlex
import sys
from typing import Annotated

import typer
from uuid_utils import uuid7

from orderctl.client import Client
from orderctl.errors import AnswerLostError, ConfigError, RefusedError
from orderctl.exit_codes import ExitCode
from orderctl.output import OUTPUT, SubmitFormat, console, document, narrate, print_json, print_json_line, print_line
from orderctl.protocol import params_of
from orderctl.settings import Settings, settings_of
from orderctl.trade import Amount, Slippage, TokenIn, TokenOut, TradeCommand, check
from orderctl.watching import watch as follow_to_the_end
from orderd.domain.errors import ErrorCode
from orderd.wire import Method, PreviewResult, SubmitParams, SubmitResult

COMMAND_CLASS = TradeCommand

_TELLS_NOTHING = frozenset({ErrorCode.SERVICE_TIMEOUT, ErrorCode.SERVICE_INTERNAL})
"""Answers that leave open whether the order was taken."""


def run(
    ctx: typer.Context,
    token_in: TokenIn,
    token_out: TokenOut,
    amount: Amount,
    slippage: Slippage = None,
    watch: Annotated[
        bool | None,
        typer.Option("--watch/--no-watch", help="Follow the order to its end; on a terminal unless told otherwise."),
    ] = None,
    client_order_id: Annotated[
        str | None,
        typer.Option("--client-order-id", metavar="ID", help="Your own id; the same id never makes a second order."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the route and the chain's simulation; trade nothing.")
    ] = False,
    output: Annotated[SubmitFormat, OUTPUT] = "table",
) -> ExitCode:
    """Sell an amount of one token for another.

    The order's client id is told before it is sent. When no answer comes, look it up under that id, or send it again
    with --client-order-id: it cannot be executed twice.
    """
    settings = settings_of(ctx, output)
    check(token_in, token_out, amount, slippage)
    watches = watch if watch is not None else output == "table" and sys.stdout.isatty()
    if watches and output == "id":
        raise ConfigError("The options contradict each other", "-o id prints the id alone", "leave out --watch")
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
        return follow_to_the_end(client, settings, str(result.order.id), "table" if output == "table" else "jsonl")


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
    match output:
        case "json":
            print_json(document("submission", result))
        case "jsonl":
            print_json_line(document("submission", result))
        case "id":
            print_line(str(result.order.id))
        case "table":
            print_line(f"{result.order.id}  {result.order.status}")
            narrate(settings, f"follow it with: orderctl watch {result.order.id}")


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
