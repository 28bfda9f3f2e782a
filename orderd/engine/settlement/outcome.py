"""The change that an attempt's end leads to: a fill, another attempt after a pause, or the order's failure."""

from typing import Final

from db.journal import AttemptEnd, Change
from db.leases import LiveAttempt
from orderd.domain.errors import OrderdError
from orderd.domain.events import Confirmed, LeftOver
from orderd.domain.money import LAMPORT_DECIMALS, format_amount, format_price
from orderd.domain.pool_kind import VenueName
from orderd.domain.retry import RetryPolicy
from orderd.domain.tokens import TokenRegistry
from orderd.domain.well_known import EVERYWHERE
from orderd.engine.chain_errors import explain
from orderd.engine.failure import AttemptFailedError, change_after
from orderd.engine.settlement.fill import SettledFill, read_fill
from orderd.solana.rpc_types import TransactionInfo

_TOKENS: Final = TokenRegistry(EVERYWHERE)


class Outcomes:
    """Determines the outcomes of attempts, for one wallet."""

    def __init__(self, wallet: str, policy: RetryPolicy) -> None:
        self._wallet = wallet
        self._policy = policy

    def landed(
        self, attempt: LiveAttempt, transaction: TransactionInfo, *, sends: int, awaits_finality: bool = False
    ) -> Change:
        """The outcome of an attempt that is in a block. Raises ValueError if it succeeded and its balances show no
        trade."""
        if transaction.err is not None:
            error = explain(transaction.err, transaction.logs)
            return self._failed(attempt, error, AttemptEnd("failed", transaction.slot, sends))
        order = attempt.order
        fill = read_fill(transaction, self._wallet, order.mint_in, order.mint_out)
        end = AttemptEnd("landed", fill.slot, sends, awaits_finality)
        return Change(
            order.id, _confirmed(attempt, attempt.signature, fill), order.version, _filled(fill), attempt_end=end
        )

    def landed_as(self, attempt: LiveAttempt, signature: str, transaction: TransactionInfo, *, sends: int) -> Change:
        """The change for an attempt whose order has succeeded with another transaction. Raises the errors of
        ``landed``."""
        order = attempt.order
        fill = read_fill(transaction, self._wallet, order.mint_in, order.mint_out)
        columns = _filled(fill) | {"signature": signature}
        end = AttemptEnd("expired", None, sends)
        return Change(order.id, _confirmed(attempt, signature, fill), order.version, columns, attempt_end=end)

    def expired(self, attempt: LiveAttempt, error: OrderdError, *, sends: int) -> Change:
        """The change for an attempt that is proved expired."""
        return self._failed(attempt, error, AttemptEnd("expired", None, sends))

    def _failed(self, attempt: LiveAttempt, error: OrderdError, end: AttemptEnd) -> Change:
        failed = AttemptFailedError(attempt.order, error)
        return change_after(failed, self._policy, signature=attempt.signature, attempt_end=end)


def _filled(fill: SettledFill) -> dict[str, object]:
    return {"filled_in": fill.amount_in, "filled_out": fill.amount_out, "network_fee": fill.network_fee}


def _confirmed(attempt: LiveAttempt, signature: str, fill: SettledFill) -> Confirmed:
    order = attempt.order
    return Confirmed(
        attempt=attempt.number,
        signature=signature,
        venue=VenueName(order.venue or ""),
        slot=fill.slot,
        amount_in=format_amount(fill.amount_in, order.decimals_in),
        amount_out=format_amount(fill.amount_out, order.decimals_out),
        executed_price=format_price(fill.amount_in, order.decimals_in, fill.amount_out, order.decimals_out),
        network_fee=format_amount(fill.network_fee, LAMPORT_DECIMALS),
        rent=format_amount(fill.rent, LAMPORT_DECIMALS) if fill.rent else None,
        left_over=tuple(_left_over(mint, amount) for mint, amount in fill.left_over.items()),
    )


def _left_over(mint: str, amount: int) -> LeftOver:
    token = _TOKENS.find(mint)
    if token is None:  # a token that the route passed through, unknown by now
        return LeftOver(token=mint, amount=str(amount))
    return LeftOver(token=token.symbol, amount=format_amount(amount, token.decimals))
