"""A short text about running orders."""

from rich.text import Text

from orderctl.display.cells import sold
from orderctl.output.colours import STATE_TONES, Tone
from orderctl.tui.book import Book
from orderd.domain.order import STAGES, TERMINAL

STAGE_WIDTH = 2


def running_text(book: Book) -> Text:
    """One running order with its stage, or the number of orders per stage."""
    if not book.running:
        return Text()
    if len(book.running) > 1:
        counts = [
            Text.assemble((f"{count} ", "bold"), (stage, STATE_TONES[stage]))
            for stage in STAGES
            if stage not in TERMINAL and (count := book.stages[stage])
        ]
        return Text(" · ", Tone.MUTED).join(counts)
    (order,) = book.running.values()
    done = (STAGES.index(order.status) + 1) * STAGE_WIDTH
    left = len(STAGES) * STAGE_WIDTH - done
    tone = STATE_TONES[order.status]
    return Text.assemble(("━" * done, tone), ("─" * left, Tone.MUTED), (f" {order.status}", tone), f" {sold(order)}")
