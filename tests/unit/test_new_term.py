"""A term added only to its definition, its parsing and its formatting is supported everywhere."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orderd.domain import terms

LINES = {
    "terms_given": {
        "    slippage: Annotated[": '    memo: Annotated[str | None, Typed("TEXT", "A note.", PROTECTION)] = None\n',
    },
    "terms": {
        "    slippage_bps: int\n": "    memo: str | None\n",
    },
    "terms_formatted": {"    slippage: str\n": "    memo: str | None = None\n"},
    "terms_parsing": {"        slippage_bps=parse_slippage_bps(": "        memo=given.memo,\n"},
    "terms_formatting": {'        "slippage": format_amount(': '        "memo": terms.memo,\n'},
}
"""A term ``memo``: per module, the lines to insert and the line before which they go."""

SCRIPT = """
import importlib.util, inspect, json, sys
from pathlib import Path

for path in sys.argv[2:]:
    name = f"orderd.domain.{Path(path).stem}"
    module = importlib.util.module_from_spec(importlib.util.find_spec(name))
    sys.modules[name] = module
    exec(compile(Path(path).read_text(), path, "exec"), module.__dict__)

from datetime import UTC, datetime
from uuid import UUID, uuid4

from db.audit import Actor
from db.journal import NewOrder
from db.models import DEFAULT_ACCOUNT, Order
from db.terms import columns_of, terms_of
from orderctl.commands import quote, submit
from orderctl.run import run
from orderctl.trading import orders_file
from orderctl.tui.book import accepted
from orderd.domain.events import Accepted, OrderEvent
from orderd.domain.order import OrderStatus
from orderd.domain.terms_parsing import understood
from orderd.domain.terms_formatting import format_terms
from orderd.domain.well_known import registry_of
from orderd.gateway.http.orders import OrderBody
from orderd.wire.orders import OrderView
from orderd.wire.submissions import SubmitParams
from orderd.wire.quotes import QuoteParams, QuoteResult

path = Path(sys.argv[1])
path.write_text("token_in,token_out,amount_in,memo\\nSOL,USDC,1,rent\\n")
(from_file,) = orders_file.read_orders(str(path), {}, "mine")
(from_option,) = orders_file.read_orders(str(path), {"slippage": "1"}, "mine")
terms = understood(from_file, registry_of("simnet"), "0.5")
others = understood(from_file.model_copy(update={"memo": "food"}), registry_of("simnet"), "0.5")
row = Order(**columns_of(terms) | {"memo": "rent"})
row.__data__["memo"] = "rent"  # as its column would be
order = NewOrder(uuid4(), DEFAULT_ACCOUNT, "mine", terms, Actor("test"))
event = OrderEvent(order_id=order.id, seq=1, at=datetime.now(UTC), status=OrderStatus.PENDING, data=order.fact)

again = []
submit.submit_all = lambda client, settings, orders, output, command, watches: again.append(command) or 0
from_file_again = ["--file", str(path), "--memo", "rent", "--client-order-id", "mine", "--yes"]
run(["--url", "ws://127.0.0.1:1/", "submit", *from_file_again])
print(json.dumps({
    "messages": [model.__name__ for model in (SubmitParams, QuoteParams, OrderBody, OrderView, QuoteResult, Accepted)
                 if "memo" not in model.model_fields],
    "options": [verb.__name__ for verb in (submit, quote) if "memo" not in inspect.signature(verb.run).parameters],
    "file": from_file.memo,
    "again": again,
    "formatted": format_terms(terms).memo,
    "same": terms.is_same_as(others),
    "columns": columns_of(terms)["memo"],
    "row": terms_of(row).memo,
    "event": order.fact.memo,
    "book": accepted(event).memo,
}))
"""


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process with these lines in its modules reports about the term."""
    home = tmp_path_factory.mktemp("terms")
    for module, lines in LINES.items():
        source = (Path(terms.__file__).parent / f"{module}.py").read_text()
        for before, line in lines.items():
            assert source.count(before) == 1, before
            source = source.replace(before, line + before)
        (home / f"{module}.py").write_text(source)
    modules = [str(home / f"{module}.py") for module in LINES]
    command = [sys.executable, "-c", SCRIPT, str(home / "orders.csv"), *modules]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_every_message_with_terms_has_the_new_term(known: dict[str, Any]) -> None:
    assert known["messages"] == []


def test_the_new_term_is_an_option_of_both_commands_and_a_column_of_files(known: dict[str, Any]) -> None:
    assert known["options"] == []
    assert known["file"] == "rent"


def test_the_command_to_repeat_an_order_has_the_new_term(known: dict[str, Any]) -> None:
    (again,) = known["again"]
    assert "--memo rent" in again


def test_another_value_of_the_new_term_is_another_order(known: dict[str, Any]) -> None:
    assert known["same"] is False


def test_the_new_term_is_stored_and_shown(known: dict[str, Any]) -> None:
    assert {known[where] for where in ("formatted", "columns", "row", "event", "book")} == {"rent"}
