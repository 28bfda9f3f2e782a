"""``orderctl`` without a command: shows the daemon's status and the active orders."""

import typer

from orderctl.config.settings import settings_of
from orderctl.display.daemon import status_view
from orderctl.display.orders import orders_table
from orderctl.display.tables import print_whole
from orderctl.output.exit_codes import ExitCode
from orderctl.output.overview import Overview
from orderctl.output.streams import Format, console, narrate, print_data
from orderctl.version import warn_of_another_version
from orderd.client.connection import Client
from orderd.domain.order import ACTIVE
from orderd.wire.message import NoParams
from orderd.wire.orders import ListParams, ListResult
from orderd.wire.rpc import Method
from orderd.wire.status import StatusResult

SHOWN = 20


def overview(ctx: typer.Context, output: Format) -> ExitCode:
    settings = settings_of(ctx, output)
    with Client(settings) as client:
        status = client.call(Method.STATUS, NoParams(), StatusResult)
        active = client.call(Method.ORDERS_LIST, ListParams(status=tuple(sorted(ACTIVE)), limit=SHOWN), ListResult)
    ids = (str(order.id) for order in active.orders)
    if not print_data(output, Overview(status=status, active=active), ids=ids):
        out = console(settings)
        print_whole(status_view(status, settings.url), out)
        if active.orders:
            out.print()
            print_whole(orders_table(active.orders, wide=output == "wide"), out)
    warn_of_another_version(settings, status)
    more = ", of which the newest are shown" if active.next_cursor else ""
    count = sum(status.orders.get(state, 0) for state in ACTIVE)
    narrate(settings, f"{count} active order{'s' if count != 1 else ''}{more}; all commands: orderctl --help")
    return ExitCode.OK if status.is_well else ExitCode.CONNECTION
