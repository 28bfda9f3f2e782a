"""``python -m tests.surfpool ADDON DIRECTORY [ORDERS]`` prints a table. Exits with 1 if a fill is not as quoted."""

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.surfpool.chains import Daemons, kinds_of, on_simnet, on_surfpool, trade
from tests.surfpool.validator import missing

ORDERS = 300


def main() -> int:
    addon, directory, *rest = sys.argv[1:]
    if reason := missing(addon, directory):
        print(reason, file=sys.stderr)
        return 2
    count, programs = int(rest[0]) if rest else ORDERS, Path(directory).resolve()
    kinds = kinds_of(programs)
    with TemporaryDirectory() as made:
        state = Path(made)
        chains: dict[str, AbstractContextManager[Daemons]] = {
            "simnet, its handlers": on_simnet(state / "handlers", None),
            "simnet, LiteSVM": on_simnet(state / "litesvm", programs),
            "surfpool": on_surfpool(state / "surfpool", programs, Path(addon)),
        }
        rows = []
        for name, chain in chains.items():
            with chain as daemons:
                rows.append(trade(name, daemons, kinds, count))
            print(f"{name}: {rows[-1].as_quoted} of {rows[-1].orders} as quoted", file=sys.stderr)
    print(f"| | orders | confirmed | received as quoted | transactions | {' | '.join(kinds)} |")
    print(f"| --- | --- | --- | --- | --- |{' --- |' * len(kinds)}")
    for row in rows:
        swaps = " | ".join(str(row.swaps[kind]) for kind in kinds)
        print(f"| {row.name} | {row.orders} | {row.confirmed} | {row.as_quoted} | {row.attempts} | {swaps} |")
    for row in rows:
        for difference in row.differences:
            print(f"{row.name}: {difference}")
    return int(any(row.differences for row in rows))


if __name__ == "__main__":
    sys.exit(main())
