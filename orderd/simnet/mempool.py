"""The path from sendTransaction to a block: a transaction is lost, delayed, or executed immediately."""

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
    """Takes sent transactions. As on a cluster, the sender does not learn what happens to them."""

    def __init__(self, bank: Bank, dice: Dice) -> None:
        self._bank = bank
        self._dice = dice
        self._late: defaultdict[int, list[Transaction]] = defaultdict(list)
        bank.on_opened.append(self._land_late)

    def send(self, transaction: Transaction) -> None:
        """Take a transaction; it may be dropped, delayed, or refused on arrival."""
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
        """Take a transaction of an abandoned fork, which a leader may still have and land a few slots later."""
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
