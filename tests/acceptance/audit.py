"""Invariants that hold after any run: compares what the trader and orderd report with the chain's own ledger."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from orderd.domain.errors import OrderdError
from orderd.domain.events import Confirmed
from orderd.domain.money import parse_amount
from orderd.domain.order import OrderStatus
from orderd.domain.tokens import WSOL_MINT
from orderd.domain.well_known import registry_of
from orderd.wire.orders import OrderView
from tests.acceptance.ledger import Landed, Ledger, Mint
from tests.acceptance.trader import Story, Trader

_TOKENS = registry_of("simnet")
_LAMPORT_DECIMALS = 9


def audit(trader: Trader, stories: Sequence[Story], ledger: Ledger, before: Mapping[Mint, int]) -> None:
    """Check all invariants after every order has ended. ``before`` are the wallet's balances at the start."""
    check_no_order_is_lost(trader, stories)
    landed: dict[UUID, list[Landed]] = defaultdict(list)
    transactions = ledger.transactions()
    for transaction in transactions:
        landed[transaction.order_id].append(transaction)
    assert landed.keys() <= {story.id for story in stories}, "the wallet signed for an order that nobody submitted"
    for story in stories:
        check_events_are_gapless(story)
        check_attempts_match_ledger(story, landed[story.id])
    check_balances(stories, transactions, before, ledger.balances())


def check_no_order_is_lost(trader: Trader, stories: Sequence[Story]) -> None:
    """Every acknowledged order is stored under its client order id, and no other order is stored."""
    stored = {order.client_order_id: order.id for order in trader.orders()}
    assert stored == trader.acknowledged
    assert [story.id for story in stories] == [*trader.acknowledged.values()]


def check_events_are_gapless(story: Story) -> None:
    """Events are numbered 1 to n, live and stored events are equal, and the last event is the order's state."""
    assert [event.seq for event in story.events] == list(range(1, len(story.events) + 1))
    assert story.events == [*story.stored.events]
    assert (story.order.status, story.order.seq) == (story.events[-1].status, len(story.events))


def check_attempts_match_ledger(story: Story, landed: Sequence[Landed]) -> None:
    """At most one transaction succeeded, and each landed transaction is a recorded attempt with its real outcome."""
    order, attempts, failures = story.order, story.attempts, story.failures
    succeeded = [transaction for transaction in landed if transaction.succeeded]
    assert len(succeeded) <= 1, f"order {story.id} was executed {len(succeeded)} times"

    outcomes = {attempt.signature: (attempt.number, attempt.outcome, attempt.slot) for attempt in attempts}
    for transaction in landed:
        outcome = "landed" if transaction.succeeded else "failed"
        assert outcomes.pop(transaction.signature) == (transaction.attempt, outcome, transaction.slot)
    assert {outcome for _, outcome, _ in outcomes.values()} <= {"expired"}, f"{outcomes} never landed"

    assert [failure.attempt for failure in failures] == list(range(1, len(failures) + 1))
    counted = [failure for failure in failures if not OrderdError(failure.code, "").is_awaited]
    assert len(counted) <= 3
    if order.status is OrderStatus.CONFIRMED:
        (transaction,) = succeeded
        confirmed = story.events[-1].data
        assert isinstance(confirmed, Confirmed)
        assert (confirmed.signature, confirmed.attempt, confirmed.slot) == (
            transaction.signature,
            transaction.attempt,
            transaction.slot,
        )
        assert (
            confirmed.signature,
            confirmed.amount_in,
            confirmed.amount_out,
            confirmed.executed_price,
            confirmed.network_fee,
        ) == (
            order.signature,
            order.amount_in,
            order.amount_out,
            order.executed_price,
            order.network_fee,
        )
        assert _fill(order) == {
            mint: amount
            for mint, amount in transaction.received.items()
            if mint not in _left_between_hops(order, transaction)
        }
        assert parse_amount(confirmed.network_fee, _LAMPORT_DECIMALS) == transaction.fee
        check_fill_matches_ledger(story, confirmed, transaction)
        assert order.min_amount_out is not None
        bought = _TOKENS.resolve(order.token_out)
        assert transaction.received[bought.mint] >= parse_amount(order.min_amount_out, bought.decimals)
        assert order.error is None
    else:
        assert succeeded == [], f"order {story.id} is {order.status}, but it was executed"
        assert [fill for fill in story.stored.fills if fill.rolled_back_at is None] == []
    if order.status is OrderStatus.FAILED:
        assert order.error is not None
        assert failures[-1].code == order.error.code
        assert len(counted) == 3 if order.error.retryable else failures, [failure.code for failure in failures]


def check_fill_matches_ledger(story: Story, confirmed: Confirmed, transaction: Landed) -> None:
    """The order has one valid fill, whose row agrees with the event and with the ledger."""
    (fill,) = [fill for fill in story.stored.fills if fill.rolled_back_at is None]
    assert (fill.attempt, fill.signature, fill.slot, fill.amount_in, fill.amount_out, fill.price, fill.network_fee) == (
        confirmed.attempt,
        confirmed.signature,
        confirmed.slot,
        confirmed.amount_in,
        confirmed.amount_out,
        confirmed.executed_price,
        confirmed.network_fee,
    )
    assert fill.at == story.events[-1].at
    assert fill.rent is not None
    assert parse_amount(fill.rent, _LAMPORT_DECIMALS) if confirmed.rent else fill.rent == "0"


def check_balances(
    stories: Sequence[Story],
    transactions: Sequence[Landed],
    before: Mapping[Mint, int],
    after: Mapping[Mint, int],
) -> None:
    """The final balances equal the initial ones plus fills minus network fees and rent, to the base unit."""
    expected = Counter(before)
    for story in stories:
        if story.order.status is OrderStatus.CONFIRMED:
            expected.update(_fill(story.order))
            expected.update(_left_between_hops(story.order, _succeeded(story, transactions)))
            expected[WSOL_MINT] -= parse_amount(story.order.network_fee or "", _LAMPORT_DECIMALS)
    expected[WSOL_MINT] -= sum(transaction.fee for transaction in transactions if not transaction.succeeded)
    expected[WSOL_MINT] -= sum(transaction.rent for transaction in transactions)
    assert Counter(after) == expected, "the balances differ from the fills"


def _succeeded(story: Story, transactions: Sequence[Landed]) -> Landed:
    (found,) = [each for each in transactions if each.order_id == story.id and each.succeeded]
    return found


def _left_between_hops(order: OrderView, transaction: Landed) -> dict[Mint, int]:
    """What a two-hop route left of the token between its hops: the first hop pays more than its minimum."""
    if not order.route or order.route[-1].hop == 1:
        return {}
    between = _TOKENS.resolve(order.route[-1].token_in)
    bought, spent = (
        sum(parse_amount(getattr(leg, side), between.decimals) for leg in order.route if leg.hop == hop)
        for hop, side in ((1, "amount_out"), (2, "amount_in"))
    )
    kept = transaction.received.get(between.mint, 0)
    # The price of the first hop may have improved since the quote.
    assert 0 <= kept <= bought - spent + bought // 20
    return {between.mint: kept}


def _fill(order: OrderView) -> dict[Mint, int]:
    """The amounts that the order reports as sold and bought, in base units."""
    sold, bought = _TOKENS.pair(order.token_in, order.token_out)
    assert order.amount_in is not None
    assert order.amount_out is not None
    return {
        sold.mint: -parse_amount(order.amount_in, sold.decimals),
        bought.mint: parse_amount(order.amount_out, bought.decimals),
    }
