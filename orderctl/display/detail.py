"""Renders all details of one order."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from orderctl.display.facts import describe, rent
from orderctl.display.formats import clock, duration, shorten
from orderctl.display.prices import described_price
from orderctl.display.resting import guards, is_family, rests
from orderctl.display.states import UNKNOWN
from orderctl.display.tables import pairs, plain_table, print_whole, status_text
from orderctl.display.terms import terms, validity
from orderctl.display.timeline import OrderTimeline
from orderctl.output.colours import OUTCOME_TONES, UNKNOWN_TONE, Tone
from orderd.client.errors import with_order_id
from orderd.domain.accounts import DEFAULT
from orderd.domain.events import Accepted, Confirmed, Routed
from orderd.domain.order import IDLE, TERMINAL
from orderd.wire.order_detail import AttemptView, FailureView, OrderDetail
from orderd.wire.orders import OrderView

SIGNATURE = 88
"""Characters of a full signature."""
SIGNATURE_WIDTH = 24
BRIEF_WIDTH = 13
_NEGLIGIBLE_BPS = Decimal("0.005")
"""Smaller differences from the quote, in basis points, are shown as none."""


def print_detail(detail: OrderDetail, console: Console, *, wide: bool = False) -> None:
    """Print the details; with ``wide``, signatures and addresses are not shortened."""
    for name, value in _facts(detail):
        # Not a table, because a long value must stay in one piece to be copied.
        console.print(Text.assemble((f"{name:<11}", "dim"), value), soft_wrap=True)
    for part in _story(detail, wide=wide):
        print_whole(part, console)


def detail_view(detail: OrderDetail) -> Group:
    """The details, wrapped to the available width."""
    facts = pairs()
    for name, value in _facts(detail):
        facts.add_row(name, value)
    return Group(facts, *_story(detail))


def brief_view(detail: OrderDetail) -> Group:
    """The details for a narrow pane: addresses are shortened, and descriptions are below their events."""
    order = detail.order
    facts = pairs()
    for name, value in _facts(detail, BRIEF_WIDTH):
        if name not in ("order", "client id", "sell", "buy"):
            facts.add_row(name, value)
    parts: list[RenderableType] = [Text(terms(order)), Text(), facts, Text()]
    for event in detail.events:
        since = (event.at - detail.events[0].at).total_seconds()
        parts.append(Text.assemble((f"+{since:.3f} s  ", "dim"), (event.data.kind, "bold")))
        if not isinstance(event.data, Accepted):
            text = Text("\n".join(describe(event.data, order, BRIEF_WIDTH)))
            parts.append(Padding(text, (0, 0, 0, 2)))
    return Group(*parts)


def _story(detail: OrderDetail, *, wide: bool = False) -> Iterator[RenderableType]:
    """The timeline, the child orders, the attempts and the failures, each after an empty line."""
    yield Text()
    yield from timeline_lines(detail, wide=wide)
    if detail.children:
        from orderctl.display.cells import Showing
        from orderctl.display.orders import family_table

        yield Text()
        yield Text("EXECUTED BY" if is_family(detail.order) else "FOLLOWED BY", "dim")
        yield family_table(detail.children, Showing(datetime.now(UTC)))
    if detail.attempts:
        yield Text()
        yield _attempts(detail.attempts, wide=wide)
    for failure in detail.failures:
        yield Text()
        yield from _failure(failure)


def _facts(detail: OrderDetail, width: int = SIGNATURE) -> list[tuple[str, Text]]:
    """Names and values; addresses and signatures are shortened to ``width`` characters."""
    order = detail.order
    took = duration((order.updated_at - order.created_at).total_seconds())
    state = f" in {took}" if order.status in TERMINAL else ""
    verb, _, text = terms(order).partition(" ")
    facts = [
        ("order", Text(str(order.id), "bold")),
        ("client id", Text(order.client_order_id)),
        *([] if order.account in (None, DEFAULT) else [("account", Text(order.account or ""))]),
        (
            "status",
            Text.assemble(status_text(order.status), state, f", attempt {order.attempt}" if order.attempt else ""),
        ),
        *_unknown(order),
        (
            verb,
            Text(text),
        ),
    ]
    facts += _waits(order)
    facts += _parts(detail)
    if order.quoted_amount_out is not None:
        least = "" if order.min_amount_out is None else f", at least {order.min_amount_out}"  # none after an amendment
        expected = f"{order.quoted_amount_out} {order.token_out}{least}"
        if order.quoted_amount_in is not None:
            expected = f"{order.quoted_amount_in} {order.token_in}, at most {order.max_amount_in}"
        facts.append(("quoted", Text(f"{expected}")))
    if order.amount_out is not None:
        received = (f"{order.amount_out} {order.token_out}", Tone.GOOD.bold)
        paid = "" if order.exact_out is None else f" for {order.amount_in} {order.token_in},"
        price = _price(order)
        facts.append(("received", Text.assemble(received, f"{paid}{price}{_against_quote(order)}")))
    if order.network_fee is not None:
        fill = OrderTimeline(order, detail.events).end
        rest = rent(fill) if isinstance(fill, Confirmed) else ""
        facts.append(("fee", Text(f"{order.network_fee} SOL{rest}")))
    facts += _route(detail, width)
    if order.signature is not None:
        facts.append(("signature", Text(shorten(order.signature, width))))
    if order.error is not None:
        facts.append(("error", Text.assemble((order.error.code, Tone.BAD), f": {order.error.detail}")))
        facts.append(("next", Text(with_order_id(order.error.next_step, order.id))))
    return facts


def _against_quote(order: OrderView) -> str:
    """How much better or worse than its quote the fill is; empty for an order with children, which have their own
    quotes."""
    quoted, got = order.quoted_amount_out, order.amount_out
    sign = 1
    if order.exact_out is not None:
        quoted, got, sign = order.quoted_amount_in, order.amount_in, -1
    if quoted is None or got is None or order.filled_amount_in is not None:
        return ""
    better = sign * (Decimal(got) / Decimal(quoted) - 1) * 10_000
    if abs(better) < _NEGLIGIBLE_BPS:
        return ", as quoted"
    return f", {abs(better):.2f} bp {'better' if better > 0 else 'worse'} than quoted"


def _price(order: OrderView) -> str:
    if order.executed_price is None:
        return ""
    return f" at {described_price(order.token_in, order.token_out, order.executed_price)}"


def _parts(detail: OrderDetail) -> list[tuple[str, Text]]:
    """What child orders have executed so far, and the slippage from the mid price at the first fill."""
    order = detail.order
    fills = sorted((each for each in detail.fills if each.rolled_back_at is None), key=lambda each: each.at)
    if order.filled_amount_in is None:
        return []
    counted = f", fills: {len(fills)}" if fills else ""
    facts = [("sold", Text(f"{order.filled_amount_in} of {order.amount_in} {order.token_in}{counted}"))]
    if fills and fills[0].mid is not None and order.executed_price is not None:
        began = Decimal(fills[0].mid)
        below = (1 - Decimal(order.executed_price) / began) * 10_000
        word = "worse" if below >= 0 else "better"
        mid = described_price(order.token_in, order.token_out, fills[0].mid)
        facts.append(("slippage", Text(f"{abs(below):.1f} bp {word} than {mid}, the mid price at the first fill")))
    return facts


def _waits(order: OrderView) -> list[tuple[str, Text]]:
    """The condition of a resting order, when it was met, and until when the order is valid."""
    if not rests(order):
        return []
    from orderctl.display.conditions import conditions, reading, what_follows

    waits = order.status in IDLE
    facts = [
        (
            "waits for" if waits else "waited for",
            Text(reading(order) if waits else conditions(order)),
        )
    ]
    if waits:
        facts.append(("then", Text(what_follows(order))))
    if order.min_liquidity is not None:
        facts.append(("guards", Text(guards(order))))
    if order.confirm is not None and (order.min_liquidity is None or order.confirm > 1):
        lasting = "" if order.confirm_for is None else f", for at least {order.confirm_for}"
        facts.append(("confirm", Text(f"met in {order.confirm} different slots{lasting}")))
    if order.max_slippage is not None:
        facts.append(
            ("may lose", Text(f"{order.max_slippage} % through fees, impact and a falling price once it triggers"))
        )
    if order.triggered_at is not None:
        facts.append(("triggered", Text(f"at {clock(order.triggered_at)}")))
    if order.status not in TERMINAL:
        facts.append(("valid", Text(validity(order))))
    return facts


def _unknown(order: OrderView) -> list[tuple[str, Text]]:
    if order.unknown_since is None:
        return []
    since = f" since {clock(order.unknown_since)}; to check the chain: orderctl resolve {order.id}"
    return [("outcome", Text.assemble((UNKNOWN, UNKNOWN_TONE), since))]


def _route(detail: OrderDetail, width: int) -> list[tuple[str, Text]]:
    """The pools of the route, and its gain over the best single pool."""
    order = detail.order
    if order.venue is None:
        return []
    if not order.route:
        pool = "" if order.pool is None else f", pool {shorten(order.pool, width)}"  # children have their own pools
        return [("venue", Text(f"{order.venue}{pool}"))]
    facts: list[tuple[str, Text]] = []
    for leg in order.route:
        amounts = f"{leg.amount_in} {leg.token_in} for {leg.amount_out} {leg.token_out}"
        pool = f"{leg.pool_kind} {shorten(leg.pool, width)}"
        facts.append(("" if facts else "route", Text(f"{leg.share} % over {pool}: {amounts}")))
    routed = OrderTimeline(order, detail.events).routed
    if routed is not None and routed.gain_bps is not None:
        compared = "more" if order.exact_out is None else "less"
        facts.append(("gain", Text(f"{routed.gain_bps} basis points {compared} than the best single pool")))
    return facts


def timeline_lines(detail: OrderDetail, *, wide: bool = False) -> Iterator[Text]:
    """One line per event, followed by its details."""
    if not detail.events:
        yield Text("its events have been deleted", "dim")
        return
    yield Text(f"{'TIME':<12}  {'SINCE':>10}  EVENT", "dim")
    width = SIGNATURE if wide else SIGNATURE_WIDTH
    for event in detail.events:
        since = f"+{(event.at - detail.events[0].at).total_seconds():.3f} s"
        first, *rest = describe(event.data, detail.order, width, wide=wide) or [""]
        head = Text.assemble(f"{clock(event.at)}  {since:>10}  ", (f"{event.data.kind:<9}", "bold"))
        if isinstance(event.data, Routed):
            first, rest = "", [first, *rest]
        yield Text.assemble(head, f"  {first}" if first else "")
        yield from (Text(f"  {line}") for line in rest)


def _attempts(attempts: tuple[AttemptView, ...], *, wide: bool) -> Table:
    table = plain_table(
        ("ATTEMPT", "right"),
        ("OUTCOME", "left"),
        ("VENUE", "left"),
        ("SENDS", "right"),
        ("SLOT", "right"),
        ("SIGNATURE", "left"),
    )
    for attempt in attempts:
        table.add_row(
            str(attempt.number),
            Text(f"{attempt.outcome}{'' if attempt.is_final else ', not final'}", OUTCOME_TONES[attempt.outcome]),
            attempt.venue,
            str(attempt.sends or "-"),  # known once the attempt has ended
            str(attempt.slot) if attempt.slot is not None else "-",
            shorten(attempt.signature, SIGNATURE if wide else SIGNATURE_WIDTH),
        )
    return table


def _failure(failure: FailureView) -> Iterator[Text]:
    where = f"attempt {failure.attempt} failed at {clock(failure.at)}: "
    yield Text.assemble(where, (failure.code, Tone.BAD), f": {failure.detail}")
    for line in failure.logs:
        yield Text(f"  {line}", "dim")
