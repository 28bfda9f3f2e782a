"""Messages from widgets to their screens."""

from uuid import UUID

from textual.message import Message

from orderctl.tui.prices import Pair


class OrderHighlighted(Message):
    """The cursor has moved to another order, or there is no order."""

    def __init__(self, order: UUID | None) -> None:
        super().__init__()
        self.order = order


class OrderChosen(Message):
    """The trader has opened an order."""

    def __init__(self, order: UUID) -> None:
        super().__init__()
        self.order = order


class FamilyFolded(Message):
    """The trader has folded or unfolded the order's family."""

    def __init__(self, order: UUID) -> None:
        super().__init__()
        self.order = order


class PairChosen(Message):
    """The order under the cursor has this pair, whose prices are to be shown."""

    def __init__(self, pair: Pair) -> None:
        super().__init__()
        self.pair = pair


class SortChosen(Message):
    """The heading of a column was clicked."""

    def __init__(self, column: str) -> None:
        super().__init__()
        self.column = column


class ChartChosen(Message):
    """The chart needs other candles."""
