"""Lasting conditions are found in what other processes store, and at the chain's endpoint."""

from collections.abc import Callable
from typing import Any

import pytest

from db import balances, halts
from db.audit import Actor
from db.balances import SellableBalance
from db.connection import database
from orderd.alerts.conditions import Conditions
from orderd.config.alerts import AlertSettings
from orderd.domain.halt import HaltCause
from orderd.domain.tokens import WSOL_MINT
from orderd.domain.well_known import SOL
from orderd.solana.json_rpc import RpcResponseError, RpcTransportError
from tests.integration.orders import pending
from tests.receiver import SECRET

WANTED = AlertSettings.model_validate({"receivers": {"bot": {"webhook": "https://bot.example", "secret": SECRET}}})


class Endpoint:
    """The chain's endpoint as the notifier queries it."""

    def __init__(self) -> None:
        self.slot = 1
        self.error: Exception | None = None
        self.unhealthy: Exception | None = None

    def get_slot(self) -> int:
        if self.error:
            raise self.error
        return self.slot

    def get_health(self) -> None:
        if self.unhealthy:
            raise self.unhealthy


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


Check = Callable[[], dict[str, Any]]


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def check(subscribed: None, endpoint: Endpoint, clock: Clock) -> Check:
    """Evaluate the conditions; returns the newest alert per kind."""
    conditions = Conditions(
        WANTED,
        [(SOL, 50_000_000)],
        endpoint,  # type: ignore[arg-type]
        name="notifier",
        window_seconds=60,
        clock=clock,
    )

    def looked() -> dict[str, Any]:
        database.execute_sql("UPDATE alert_conditions SET since = since - interval '61 seconds'")
        conditions.run_once()
        rows = database.execute_sql("SELECT kind, data FROM alerts ORDER BY at, id")
        return dict(rows.fetchall())

    return looked


def test_no_condition_is_reported_for_a_healthy_daemon(check: Check) -> None:
    balances.store([SellableBalance(WSOL_MINT, False, 50_000_000, True)], slot=1)
    assert check() == {}


def test_a_halt_is_reported_with_its_actor_and_reason_and_so_is_its_end(check: Check) -> None:
    halts.halt(HaltCause.OPERATOR, Actor("me"), "lunch")
    alert = check()["halted"]
    assert (alert["state"], alert["by"], alert["reason"], alert["cause"]) == ("firing", "me", "lunch", "operator")
    halts.lift(Actor("me"), HaltCause.OPERATOR)
    assert check()["halted"] == {"state": "resolved", "key": "halted:operator"}


def test_an_outdated_balance_is_not_reported_as_low(check: Check) -> None:
    balances.store([SellableBalance(WSOL_MINT, False, 1, True)], slot=1)
    database.execute_sql("UPDATE balances SET seen_at = seen_at - interval '1 hour'")
    assert check() == {}
    balances.store([SellableBalance(WSOL_MINT, False, 49_999_999, True)], slot=2)
    alert = check()["balance_low"]
    assert (alert["amount"], alert["least"], alert["text"]) == (
        "0.049999999",
        "0.05",
        "the wallet holds 0.049999999 SOL, less than 0.05",
    )


def test_the_rate_limit_is_saturated_when_an_order_waits_longer_than_a_window(check: Check) -> None:
    order_id = pending()
    database.execute_sql(
        "UPDATE orders SET waits_for = 'rate limit', waits_since = clock_timestamp() - interval '59 seconds' "
        "WHERE id = %s",
        (str(order_id),),
    )
    assert check() == {}
    database.execute_sql("UPDATE orders SET waits_since = waits_since - interval '5 seconds'")
    assert check()["limiter_saturated"]["waited_seconds"] >= 64


def test_an_endpoint_without_new_slots_lags_until_it_advances(check: Check, endpoint: Endpoint, clock: Clock) -> None:
    check()
    clock.now = 30
    assert check() == {}
    clock.now = 31
    assert check()["endpoint_lagging"]["text"] == "it shows no new slot for 31 s"
    endpoint.slot = 2
    assert check()["endpoint_lagging"] == {"state": "resolved", "key": "endpoint"}


def test_an_endpoint_that_does_not_answer_for_long_lags(check: Check, endpoint: Endpoint, clock: Clock) -> None:
    check()
    endpoint.error = RpcTransportError("refused, at https://endpoint.example/key")
    clock.now = 10
    assert check() == {}
    clock.now = 40
    assert check()["endpoint_lagging"]["text"] == "it does not answer: RpcTransportError for 40 s"


def test_an_endpoint_that_reports_itself_behind_lags_at_once(check: Check, endpoint: Endpoint) -> None:
    endpoint.unhealthy = RpcResponseError(-32005, "Node is behind by 42 slots")
    assert "behind by 42 slots" in check()["endpoint_lagging"]["text"]
