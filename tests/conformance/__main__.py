"""``python -m tests.conformance DIRECTORY [ORDERS ROUTES]`` prints a table. Exits with 1 if handlers and binaries
differ."""

import sys
from collections import Counter
from pathlib import Path

from tests.conformance.exceptions import ACCOUNTS, DUST, OUT_OF_UNITS, VERDICTS
from tests.conformance.runs import rows


def main() -> int:
    table = rows(Path(sys.argv[1]), *map(int, sys.argv[2:]))
    print("| | both landed | both refused | known to differ | differ | units, relative to the binary |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row in table:
        print(f"| {row.name} | {row.landed} | {row.refused} | {row.known} | {len(row.differences)} | {row.units} |")
    print("\nKnown to differ:")
    reasons = [*(each.reason for each in VERDICTS), *(each.reason for each in ACCOUNTS.values()), DUST, OUT_OF_UNITS]
    for reason in dict.fromkeys(reasons):
        print(f"- {reason}.")
    for row in table:
        for difference, count in Counter(row.differences).most_common():
            print(f"{row.name}: {count} x {difference}")
    return int(any(row.differences for row in table))


if __name__ == "__main__":
    sys.exit(main())
