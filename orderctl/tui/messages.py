"""The messages of widgets to the screens around them."""

from uuid import UUID

from textual.message import Message

from orderctl.tui.prices import Pair


class OrderHighlighted(Message):
    """The cursor has come to an order, or there is none left to be on."""

    def __init__(self, order: UUID | None) -> None:
        super().__init__()
        self.order = order


class OrderChosen(Message):
    """The trader wants to see all of an order."""

    def __init__(self, order: UUID) -> None:
        super().__init__()
        self.order = order


class FamilyFolded(Message):
    """The orders of this order's family are to be shown, or no longer."""

    def __init__(self, order: UUID) -> None:
        super().__init__()
        self.order = order


class PairChosen(Message):
    """The order under the cursor is of this pair: its prices are wanted."""

    def __init__(self, pair: Pair) -> None:
        super().__init__()
        self.pair = pair


class SortChosen(Message):
    """The heading of a column was clicked."""

    def __init__(self, column: str) -> None:
        super().__init__()
        self.column = column


class ChartChosen(Message):
    """Other candles are needed than the loaded ones."""
