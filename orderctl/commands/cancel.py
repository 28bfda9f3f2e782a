"""orderctl cancel"""

from typing import Annotated

import typer

from orderctl.client import Client
from orderctl.errors import RefusedError, about_order
from orderctl.exit_codes import ExitCode
from orderctl.output import OUTPUT, SubmitFormat, document, print_json, print_json_line, print_line, report
from orderctl.protocol import params_of
from orderctl.settings import settings_of
from orderd.wire import CancelResult, GetParams, ListResult, Method, OrderView


def run(
    ctx: typer.Context,
    orders: Annotated[
        list[str], typer.Argument(metavar="ID...", help="Ids, unique prefixes of them, or client order ids.")
    ],
    output: Annotated[SubmitFormat, OUTPUT] = "table",
) -> ExitCode:
    """Cancel orders that are not signed yet.

    One that cannot be cancelled does not keep the others from it; the exit code is the first refusal's.
    """
    settings = settings_of(ctx, output)
    wanted = [params_of(GetParams, order=order) for order in orders]
    cancelled: list[OrderView] = []
    outcome = ExitCode.OK
    with Client(settings) as client:
        for params in wanted:
            try:
                order = client.call(Method.ORDER_CANCEL, params, CancelResult).order
            except RefusedError as error:
                error.next_step = about_order(error.next_step, params.order)
                refused = report(error, output, settings.color)
                outcome = outcome or refused
                continue
            cancelled.append(order)
            _print(order, output)
    if output == "json":
        print_json(document("orders", ListResult(orders=tuple(cancelled), next_cursor=None)))
    return outcome


def _print(order: OrderView, output: SubmitFormat) -> None:
    match output:
        case "table":
            print_line(f"{order.id}  {order.status}")
        case "jsonl":
            print_json_line(document("order", order))
        case "id":
            print_line(str(order.id))
        case "json":
            pass
