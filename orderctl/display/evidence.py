"""Renders the evidence about an unknown outcome."""

from rich.table import Table
from rich.text import Text

from orderctl.display.formats import clock
from orderctl.display.states import UNKNOWN
from orderctl.display.tables import pairs
from orderctl.display.terms import terms
from orderctl.output.colours import UNKNOWN_TONE, Tone
from orderd.wire.order_detail import EvidenceResult


def evidence_view(evidence: EvidenceResult) -> Table:
    order, attempt = evidence.order, evidence.attempt
    table = pairs()
    table.add_row("order", Text(str(order.id), "bold"))
    table.add_row("sell", terms(order).removeprefix("sell "))
    since = order.unknown_since
    outcome = Text("open: the chain may still show it") if since is None else Text(UNKNOWN, UNKNOWN_TONE)
    table.add_row("outcome", outcome if since is None else Text.assemble(outcome, f" since {clock(since)}"))
    table.add_row("attempt", f"{attempt.number}, signed at {clock(attempt.signed_at)}, sent repeatedly since")
    table.add_row("signature", attempt.signature)
    table.add_row("valid until", _validity(evidence))
    answer = f"does not respond: {evidence.trouble}" if evidence.trouble else evidence.status
    table.add_row("the chain", Text(answer, Tone.BAD if evidence.trouble else ""))
    if not evidence.trouble:
        found = "\n".join(evidence.paid_by_wallet) or "no transaction with this order's memo, within the node's history"
        table.add_row("the wallet", f"has paid for {found}")
    return table


def _validity(evidence: EvidenceResult) -> str:
    last, height = evidence.attempt.last_valid_block_height, evidence.finalized_height
    after = f", from slot {evidence.blockhash_slot} on" if evidence.blockhash_slot is not None else ""
    if height is None:
        return f"block {last}{after}"
    left = last - height
    return f"block {last}{after}; block {height} is final: {f'{left} to go' if left > 0 else 'it can no longer land'}"
