"""A mutant: one wrong, put into one file by replacing one text, and the tests that must fail then."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

INVARIANTS: Final = {
    1: "at most one transaction of an order can land",
    2: "an acknowledged order is never lost",
    3: "a terminal state is terminal",
    4: "events are numbered without gaps, and told once and in order",
    5: "the same client order id with the same terms is the same order, with others it is refused",
    6: "waiting is no attempt",
    7: "money is integers of base units, and agrees with the ledger to the last one",
    8: "bad input gets a typed error and changes nothing",
    9: "starting and recovering from a crash are the same code",
    10: "what was agreed holds over all attempts, is checked before each signature and enforced on chain",
    11: "no pool, client or stranger stops or takes what is not its own",
    12: "what is told is what is so: never no for unknown",
    13: "what an order does not need may fail without ending anything",
    14: "from the commit of a halt on, nothing new is signed",
}
"""What always holds, by number."""


class DoesNotApplyError(Exception):
    """The file has changed: the text that a mutant replaces is not there, or not once."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """``old`` occurs in ``file`` exactly once, and gives way to ``new``.

    ``tests`` are ids as pytest takes them, without parameters; at least one of them has to fail. ``harm`` is what the
    mutant would do to somebody's money or trust. One of which the tests notice that nothing comes ``hangs``.
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
        """Raises DoesNotApplyError."""
        if (times := source.count(self.old)) != 1:
            raise DoesNotApplyError(f"{self.id}: its old text occurs {times} times in {self.file}, not once")
        return source.replace(self.old, self.new)

    def apply(self, root: Path) -> None:
        """Put the wrong into the tree at ``root``. Raises DoesNotApplyError."""
        path = root / self.file
        path.write_text(self.applied(path.read_text()))
