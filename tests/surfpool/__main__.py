"""`python -m tests.surfpool ADDON DIRECTORY [ORDERS]`: a table; exit code 1 where an order was not paid as quoted."""

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.acceptance.trader import Trader
from tests.surfpool.chains import on_simnet, on_surfpool
from tests.surfpool.orders import trade
from tests.surfpool.validator import missing

ORDERS = 300


def main() -> int:
    addon, programs, *rest = sys.argv[1:]
    if reason := missing(addon, programs):
        print(reason, file=sys.stderr)
        return 2
    count = int(rest[0]) if rest else ORDERS
    with TemporaryDirectory() as made:
        state = Path(made)
        chains: dict[str, AbstractContextManager[Trader]] = {
            "simnet, its handlers": on_simnet(state / "handlers", Path(programs), binaries=False),
            "simnet, LiteSVM": on_simnet(state / "litesvm", Path(programs), binaries=True),
            "surfpool": on_surfpool(state / "surfpool", Path(programs), Path(addon)),
        }
        rows = []
        for name, chain in chains.items():
            with chain as trader:
                rows.append(trade(name, trader, count))
            print(f"{name}: {rows[-1].as_quoted} of {count} as quoted", file=sys.stderr)
    print("| | orders | confirmed | received as quoted | transactions | pools |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row in rows:
        print(f"| {row.name} | {row.orders} | {row.confirmed} | {row.as_quoted} | {row.attempts} | {len(row.pools)} |")
    for row in rows:
        for difference in row.differences:
            print(f"{row.name}: {difference}")
    return int(any(row.differences for row in rows))


if __name__ == "__main__":
    sys.exit(main())
