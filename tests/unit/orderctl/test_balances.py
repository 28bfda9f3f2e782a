"""Reserved amounts are shown besides balances, and amounts in words are shown as words."""

import pytest

from orderctl.commands.submit import _sums
from orderd.wire.balances import Balance, BalancesResult
from orderd.wire.rpc import Method
from orderd.wire.submissions import SubmitParams
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon


@pytest.mark.parametrize("reserved", ["4.000405", "0", None])
def test_reserved_amounts_are_shown_if_there_are_any(
    daemon: FakeDaemon, orderctl: Orderctl, reserved: str | None
) -> None:
    available = None if reserved is None else "5.999595"
    sol = Balance(token="SOL", mint="mint", amount="10", tradable="10", reserved=reserved, available=available)
    daemon.answers(Method.BALANCES, BalancesResult(wallet="w", balances=(sol,)))
    head, row = (line.split() for line in orderctl("balances").out.splitlines())
    is_shown = reserved == "4.000405"
    assert head == ["TOKEN", "AMOUNT", "MINT", *(["RESERVED", "AVAILABLE"] if is_shown else [])]
    assert row == ["SOL", "10", "mint", *([reserved, available] if is_shown else [])]


def test_amounts_in_words_are_confirmed_in_words() -> None:
    orders = [
        SubmitParams(token_in="SOL", token_out="USDC", amount_in=amount, client_order_id=amount.strip("%"))
        for amount in ("1", "2", "50%")
    ]
    assert _sums(orders) == "sell 3 SOL and 50% of SOL"
