"""Orders for a share of the balance, and balances that open orders have reserved, with a real wallet."""

from collections.abc import Iterator

import pytest

from orderctl.config.settings import Settings
from orderd.client.connection import Client
from orderd.client.errors import RefusedError
from orderd.domain.errors import ErrorCode
from orderd.domain.money import parse_amount
from orderd.domain.order import OrderStatus
from orderd.process.temporary import Daemon, running_daemon
from orderd.wire.balances import Balance, BalancesResult
from orderd.wire.message import NoParams
from orderd.wire.rpc import Method
from orderd.wire.submissions import SubmitParams
from tests.acceptance.trader import order, trading
from tests.conftest import QUICK


@pytest.fixture
def daemon(tmp_path_factory: pytest.TempPathFactory, given_database: dict[str, str]) -> Iterator[Daemon]:
    with running_daemon(tmp_path_factory.mktemp("orderd"), QUICK | given_database) as running:
        yield running


def balance(daemon: Daemon, token: str) -> Balance:
    with Client(Settings(url=daemon.url)) as client:
        (found,) = [
            each for each in client.call(Method.BALANCES, NoParams(), BalancesResult).balances if each.token == token
        ]
    return found


@pytest.mark.timeout(120)
def test_the_whole_balance_is_sold_and_open_orders_reserve_their_amount(daemon: Daemon) -> None:
    with trading(daemon.url) as trader:
        sold = trader.submit(order("USDC", "SOL", "max"))  # retried until a worker has read the wallet
        assert trader.follow(sold, 60)[-1].status is OrderStatus.CONFIRMED
        assert balance(daemon, "USDC").total == "0"

        sol = balance(daemon, "SOL")
        assert (sol.total, sol.reserved, sol.available) == (sol.tradable, "0", sol.tradable)
        terms = {"token_in": "SOL", "token_out": "USDC", "amount_in": "60%", "limit_price": "140"}
        half = SubmitParams(**terms, client_order_id="half")
        resting = trader.submit(half)
        detail = trader.detail(resting).order
        assert detail.amount_word == "60%"
        reserved = balance(daemon, "SOL").reserved or "0"
        assert parse_amount(reserved, 9) > parse_amount(detail.amount_in or "0", 9)
        with pytest.raises(RefusedError) as refused:
            trader.submit(half.model_copy(update={"client_order_id": "again", "amount_in": detail.amount_in}))
        assert refused.value.problem.code is ErrorCode.FUNDS_RESERVED
        assert trader.submit(half) == resting, "the same order in the same words is not recognised"
        trader.cancel(resting)
        assert balance(daemon, "SOL").reserved == "0"
