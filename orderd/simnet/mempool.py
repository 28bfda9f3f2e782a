"""Between sendTransaction and its block: here a transaction is lost, held up, or goes straight through."""

from collections import defaultdict
from typing import Final

import structlog

from orderd.simnet.bank import Bank
from orderd.simnet.block import Block
from orderd.simnet.errors import TransactionError
from orderd.simnet.faults import Dice
from orderd.simnet.transaction import Transaction

_log: Final = structlog.get_logger(__name__)


class Mempool:
    """Where sent transactions go. The sender learns nothing of what happens here, as on a cluster."""

    def __init__(self, bank: Bank, dice: Dice) -> None:
        self._bank = bank
        self._dice = dice
        self._late: defaultdict[int, list[Transaction]] = defaultdict(list)
        bank.on_opened.append(self._land_late)

    def send(self, transaction: Transaction) -> None:
        """Take a transaction on its way; it may be dropped, come late, or be refused when it arrives."""
        if self._dice.drops_send():
            _log.debug("send dropped", signature=str(transaction.signature))
            return
        slots = self._dice.late_by()
        if slots:
            self._late[self._bank.open.slot + slots].append(transaction)
            _log.debug("send delayed", signature=str(transaction.signature), slots=slots)
            return
        self._land(transaction)

    def send_again(self, transaction: Transaction) -> None:
        """A transaction was on a fork that was given up: a leader may still have it, and bring it in a little later."""
        if self._dice.lands_again():
            self._late[self._bank.open.slot + self._dice.again_after()].append(transaction)

    def _land_late(self, block: Block) -> None:
        for slot in sorted(each for each in self._late if each <= block.slot):
            for transaction in self._late.pop(slot):
                self._land(transaction)

    def _land(self, transaction: Transaction) -> None:
        try:
            transaction.verify()
            self._bank.process(transaction)
        except TransactionError as error:
            _log.debug("transaction refused", signature=str(transaction.signature), error=str(error))
