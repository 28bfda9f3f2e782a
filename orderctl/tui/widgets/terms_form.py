"""The fields for the terms of the chosen order shape."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Grid
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Input, Label, Select

from orderctl.display.pairs import pair_of
from orderctl.tui.prices import Pair
from orderctl.tui.shapes import FIELDS, HINTS, IN_FORCE, PRICES, SHAPES, Shape
from orderd.domain.errors import OrderdError
from orderd.domain.order import OrderKind
from orderd.domain.times import parse_span


class TermsForm(Grid):
    """The form. ``terms`` are the entered terms; changes are reported by the messages of the fields."""

    def __init__(self, pair: Pair, symbols: Iterable[str]) -> None:
        """``symbols`` are suggested during typing; other tokens are checked by the daemon only."""
        super().__init__(id="form")
        self._pair = pair
        self._symbols = [*symbols]

    def compose(self) -> ComposeResult:
        token_in, token_out = self._pair
        tokens = SuggestFromList(self._symbols, case_sensitive=False)
        yield from _field("Sell", Input(token_in, id="token-in", suggester=tokens, compact=True))
        yield from _field("Amount", Input(id="amount", compact=True))
        yield from _field("Buy", Input(token_out, id="token-out", suggester=tokens, compact=True))
        shapes = [(shape.label, name) for name, shape in SHAPES.items()]
        yield from _field("Kind", Select(shapes, value="market", allow_blank=False, id="kind", compact=True))
        for name, label in FIELDS.items():
            yield from _field(label, Input(placeholder=HINTS.get(name, ""), id=_id(name), compact=True))
            if name == "limit_price":
                times = [(label, time) for time, (label, _) in IN_FORCE.items()]
                in_force = Select(times, value="gtc", allow_blank=False, id="in-force", compact=True)
                yield from _field("In force", in_force)

    def on_mount(self) -> None:
        self._show_fields()

    @property
    def shape(self) -> Shape:
        return SHAPES[str(self.query_one("#kind", Select).value)]

    @property
    def missing(self) -> str | None:
        """The label of the first required field that is empty."""
        return next((FIELDS[name] for name in self.shape.needs if not self.typed(name)), None)

    @staticmethod
    def labelled(detail: str) -> str:
        """The detail of an error with the label of a field in place of the name of its term."""
        name, _, why = detail.partition(": ")
        return f"{FIELDS[name]}: {why}" if name in FIELDS else detail

    @property
    def amount(self) -> str:
        return self.typed("amount")

    @property
    def terms(self) -> dict[str, Any]:
        """The entered terms, named as in GivenTerms; fields of other shapes are ignored."""
        shape = self.shape
        terms: dict[str, Any] = {name: self.typed(name) for name in ("token_in", "token_out")}
        terms[shape.amount] = self.amount
        for name in shape.fields:
            if name == "in_force":
                terms |= IN_FORCE[str(self.query_one("#in-force", Select).value)][1]
            elif name == "min_fill" and not self._is_partial:
                continue
            elif typed := self.typed(name):
                terms[_valid(typed) if name == "valid" else name] = typed
        if shape.kind is not OrderKind.MARKET:
            terms["type"] = shape.kind
        return terms

    @property
    def _is_partial(self) -> bool:
        """Whether the order can be executed in parts."""
        return "partial" in IN_FORCE[str(self.query_one("#in-force", Select).value)][1]

    def typed(self, name: str) -> str:
        return self.query_one(f"#{_id(name)}", Input).value.strip()

    @property
    def last_field(self) -> Input:
        return [field for field in self.query(Input) if field.display][-1]

    @on(Select.Changed, "#kind, #in-force")
    @on(Input.Changed, "#token-in, #token-out")
    def _show_fields(self) -> None:
        shape, is_partial = self.shape, self._is_partial
        with self.app.batch_update():
            for widget in self.children:
                name = str(widget.id).removeprefix("label-").replace("-", "_")
                if name in FIELDS or name == "in_force":
                    widget.display = name in shape.fields and (name != "min_fill" or is_partial)
            pair = pair_of(self.typed("token_in"), self.typed("token_out"))
            for name in PRICES:
                self.query_one(f"#{_id(name)}", Input).placeholder = "" if pair is None else pair.unit
            bought = f"of {self.typed('token_out')}, like 1.5"
            self.query_one("#amount", Input).placeholder = "like 1.5" if shape.amount == "amount_in" else bought


def _valid(typed: str) -> str:
    """The name of the term for an entered validity: a duration or a time."""
    with suppress(OrderdError):
        parse_span(typed)
        return "valid_for"
    return "expires" if "-" in typed else "valid_for"  # an invalid text is reported as an invalid duration


def _id(name: str) -> str:
    return name.replace("_", "-")


def _field(label: str, field: Widget) -> Iterator[Widget]:
    yield Label(label, id=f"label-{field.id}")
    yield field
