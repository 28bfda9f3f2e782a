"""A mutant: one replacement of a text in one file, and the tests of which at least one must fail with it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

INVARIANTS: Final = {
    1: "at most one transaction of an order can land",
    2: "an acknowledged order is never lost",
    3: "a terminal state is terminal",
    4: "events are numbered without gaps, and published once and in order",
    5: "the same client order id with the same terms is the same order, with other terms it is refused",
    6: "waiting does not count as an attempt",
    7: "amounts are integers of base units, and agree with the ledger exactly",
    8: "invalid input gets a typed error and changes nothing",
    9: "starting and recovering from a crash are the same code",
    10: "the agreed limits hold for all attempts, are checked before each signature and enforced on chain",
    11: "no pool, client or third party can stop an order or take money that is not its own",
    12: "reports are true: an unknown outcome is never reported as a failure",
    13: "the failure of a service that an order does not need does not end the order",
    14: "from the commit of a halt on, nothing new is signed",
}
"""The invariants of docs/architecture.md, by number."""


class DoesNotApplyError(Exception):
    """The text that a mutant replaces does not occur exactly once in its file, because the file has changed."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """In ``file``, ``old`` occurs exactly once and is replaced with ``new``.

    ``tests`` are test ids of pytest without parameters; at least one of them has to fail. ``harm`` is what the mutant
    would do to a trader or operator. ``hangs`` is true if its tests detect it by a timeout.
    """

    id: str
    invariant: int
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    harm: str
    hangs: bool = False

    def applied(self, source: str) -> str:
        """The source with the replacement. Raises DoesNotApplyError."""
        if (times := source.count(self.old)) != 1:
            raise DoesNotApplyError(f"{self.id}: its old text occurs {times} times in {self.file}, not once")
        return source.replace(self.old, self.new)

    def apply(self, root: Path) -> None:
        """Apply the mutant to the tree at ``root``. Raises DoesNotApplyError."""
        path = root / self.file
        path.write_text(self.applied(path.read_text()))
