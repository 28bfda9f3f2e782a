"""The fields of an order's terms: those that belong to the chosen kind of order, and no others."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Grid
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Input, Label, Select

from orderctl.display.resting import pair_of
from orderctl.tui.prices import Pair
from orderd.domain.errors import OrderdError
from orderd.domain.order import OrderKind, TimeInForce
from orderd.domain.times import parse_span
from orderd.domain.well_known import EVERYWHERE

_KINDS: Final = {
    OrderKind.MARKET: "market: at once",
    OrderKind.LIMIT: "limit: at a price or better",
    OrderKind.STOP: "stop: when it gets worse",
    OrderKind.STOP_LIMIT: "stop, then limit",
    OrderKind.TAKE_PROFIT: "take profit: when it pays",
    OrderKind.TRAILING: "trailing stop",
}
_TIMES_IN_FORCE: Final = {
    TimeInForce.GTC: "until filled (gtc)",
    TimeInForce.IOC: "at once (ioc)",
    TimeInForce.FOK: "all at once (fok)",
}
_FIELDS: Final[dict[OrderKind, tuple[str, ...]]] = {
    OrderKind.MARKET: ("slippage",),
    OrderKind.LIMIT: ("limit_price", "time_in_force", "valid"),
    OrderKind.STOP: ("stop_price", "slippage", "valid"),
    OrderKind.STOP_LIMIT: ("stop_price", "limit_price", "valid"),
    OrderKind.TAKE_PROFIT: ("take_profit_price", "slippage", "valid"),
    OrderKind.TRAILING: ("trail", "slippage", "valid"),
}
"""Beside the tokens and the amount, in the order of the form."""
_PRICES: Final = {"stop_price": "Stop at", "take_profit_price": "Take at", "trail": "Trail", "limit_price": "Limit"}
"""What an order of a kind that has them cannot do without, and how they are called."""
_HINTS: Final = {"trail": "like 3% or 2.5", "slippage": "the daemon's own", "valid": "like 2h, or until when"}


class TermsForm(Grid):
    """``terms`` are what has been filled in; whoever holds the form hears of changes by the fields' own messages."""

    def __init__(self, pair: Pair) -> None:
        super().__init__(id="form")
        self._pair = pair

    def compose(self) -> ComposeResult:
        token_in, token_out = self._pair
        tokens = SuggestFromList([*dict.fromkeys(token.symbol for token in EVERYWHERE)], case_sensitive=False)
        yield from _field("Sell", Input(token_in, id="token-in", suggester=tokens, compact=True))
        yield from _field("Amount", Input(placeholder="like 1.5", id="amount", compact=True))
        yield from _field("Buy", Input(token_out, id="token-out", suggester=tokens, compact=True))
        kinds = [(told, kind) for kind, told in _KINDS.items()]
        yield from _field("Kind", Select(kinds, value=OrderKind.MARKET, allow_blank=False, id="kind", compact=True))
        for name, told in _PRICES.items():
            yield from _field(told, Input(placeholder=_HINTS.get(name, ""), id=_id(name), compact=True))
        times = [(told, time) for time, told in _TIMES_IN_FORCE.items()]
        in_force = Select(times, value=TimeInForce.GTC, allow_blank=False, id="time-in-force", compact=True)
        yield from _field("In force", in_force)
        for name, told in (("slippage", "Slippage %"), ("valid", "Valid for")):
            yield from _field(told, Input(placeholder=_HINTS[name], id=name, compact=True))

    def on_mount(self) -> None:
        self._show_fields()

    @property
    def kind(self) -> OrderKind:
        kind = self.query_one("#kind", Select).value
        assert isinstance(kind, OrderKind), "no kind cannot be chosen"
        return kind

    @property
    def missing(self) -> str | None:
        """The price that the kind still lacks, as it is called."""
        names = [name for name in _PRICES if name in _FIELDS[self.kind]]
        return next((_PRICES[name] for name in names if not self.typed(name)), None)

    @property
    def terms(self) -> dict[str, Any]:
        """By the names of GivenTerms; what does not belong to the kind is left out, whatever stands in its field."""
        kind = self.kind
        fields = _FIELDS[kind]
        terms: dict[str, Any] = {name: self.typed(name) for name in ("token_in", "token_out", "amount_in")}
        terms |= {name: self.typed(name) or None for name in ("slippage", *_PRICES) if name in fields}
        if kind is not OrderKind.MARKET:
            terms["type"] = kind
        if "time_in_force" in fields:
            terms["time_in_force"] = self.query_one("#time-in-force", Select).value
        if "valid" in fields and (valid := self.typed("valid")):
            terms["valid_for" if _is_span(valid) else "expires"] = valid
        return terms

    def typed(self, name: str) -> str:
        return self.query_one(f"#{_id(name)}", Input).value.strip()

    @property
    def last_field(self) -> Input:
        return [field for field in self.query(Input) if field.display][-1]

    @on(Select.Changed, "#kind")
    @on(Input.Changed, "#token-in, #token-out")
    def _show_fields(self) -> None:
        with self.app.batch_update():
            for name in ("slippage", "valid", "time_in_force", *_PRICES):
                for widget in self.query(f"#{_id(name)}, #label-{_id(name)}"):
                    widget.display = name in _FIELDS[self.kind]
            pair = pair_of(self.typed("token_in"), self.typed("token_out"))
            for name in _PRICES.keys() - _HINTS.keys():
                self.query_one(f"#{_id(name)}", Input).placeholder = "" if pair is None else pair.unit


def _is_span(text: str) -> bool:
    with suppress(OrderdError):
        return parse_span(text) > 0
    return "-" not in text  # what is neither is told of as a length of time


def _id(name: str) -> str:
    return {"amount_in": "amount"}.get(name, name).replace("_", "-")


def _field(told: str, field: Widget) -> Iterator[Widget]:
    yield Label(told, id=f"label-{field.id}")
    yield field
