"""orderctl events"""

from typing import Annotated

import typer

from orderctl.client import Client
from orderctl.commands.show import OrderArgument
from orderctl.exit_codes import ExitCode
from orderctl.output import OUTPUT, StreamFormat, console, document, print_json, print_json_line, schema
from orderctl.protocol import params_of
from orderctl.settings import settings_of
from orderd.wire import GetParams, Method, OrderDetail


def run(ctx: typer.Context, order: OrderArgument, output: Annotated[StreamFormat, OUTPUT] = "table") -> ExitCode:
    """Show an order's events.

    Those that there are until now; orderctl watch waits for the ones to come.
    """
    settings = settings_of(ctx, output)
    with Client(settings) as client:
        detail = client.call(Method.ORDER_GET, params_of(GetParams, order=order), OrderDetail)
    if output == "json":
        events = [event.model_dump(mode="json") for event in detail.events]
        print_json({"schema": schema("events"), "order_id": str(detail.order.id), "events": events})
    elif output == "jsonl":
        for event in detail.events:
            print_json_line(document("event", event))
    else:
        from orderctl.detail import timeline_table

        console(settings).print(timeline_table(detail))
    return ExitCode.OK
