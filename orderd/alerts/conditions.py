"""Lasting conditions: one of the notifiers checks them every few seconds.

All but the state of the endpoint is read from Postgres, where the other processes store it. A condition that cannot be
checked stays as it was.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from db import alerts, balances, halts
from db.connection import database
from orderd.best_effort import best_effort
from orderd.config.alerts import AlertSettings
from orderd.domain.alerts import AlertKind
from orderd.domain.events import RATE_LIMIT
from orderd.domain.money import format_amount
from orderd.domain.tokens import Token
from orderd.solana.json_rpc import RpcError, RpcResponseError
from orderd.solana.rpc import RpcClient

CHECK_SECONDS: Final = 5.0
_LEASE_SECONDS: Final = 20.0
Firing = Mapping[str, Mapping[str, Any]]
"""The conditions of one kind that hold now: facts by key, ``text`` for people among them."""


class Conditions:
    """Checks all conditions. To be used by one thread."""

    def __init__(
        self,
        wanted: AlertSettings,
        least: Sequence[tuple[Token, int]],
        rpc: RpcClient,
        *,
        name: str,
        window_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``name`` is this notifier's; ``window_seconds`` the rate limit's."""
        self._wanted = wanted
        self._least = least
        self._rpc = rpc
        self._name = name
        self._window_seconds = window_seconds
        self._clock = clock
        self._slot = -1
        self._slot_at = clock()
        self._checks: dict[AlertKind, Callable[[], Firing | None]] = {
            AlertKind.HALTED: self._halted,
            AlertKind.BALANCE_LOW: self._balance_low,
            AlertKind.STOP_CANNOT_SELL: self._stop_cannot_sell,
            AlertKind.LIMITER_SATURATED: self._limiter_saturated,
        }

    def run_once(self) -> None:
        """Check all conditions and store which began or ended, unless another notifier does this. Raises
        PeeweeException."""
        with database.connection_context():
            if not alerts.watches(self._name, _LEASE_SECONDS):
                return
        checks_endpoint = AlertKind.ENDPOINT_LAGGING in self._wanted.kinds
        lagging = self._endpoint_lagging() if checks_endpoint else {}  # takes as long as the endpoint does
        with database.connection_context():
            for kind, check in self._checks.items():
                with best_effort("alert conditions"):
                    if kind in self._wanted.kinds and (firing := check()) is not None:
                        alerts.settle(kind, firing)
            if checks_endpoint:
                alerts.settle(AlertKind.ENDPOINT_LAGGING, lagging)

    def _halted(self) -> Firing:
        return {
            f"halted:{halt.cause}": {
                "cause": halt.cause,
                "by": halt.actor,
                "reason": halt.reason,
                "since": halt.at,
                "text": halt.summary,
            }
            for halt in halts.current()
        }

    def _balance_low(self) -> Firing | None:
        stored = balances.stored()
        if not stored:
            return None
        return dict(self._low(stored))

    def _low(
        self, stored: Mapping[balances.BalanceKey, balances.SellableBalance]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        for token, least in self._least:
            held = stored.get((token.mint, False))
            if held is None or held.amount >= least:
                continue
            amount, needed = format_amount(held.amount, token.decimals), format_amount(least, token.decimals)
            yield (
                f"balance:{token.symbol}",
                {
                    "token": token.symbol,
                    "amount": amount,
                    "least": needed,
                    "text": f"the wallet holds {amount} {token.symbol}, less than {needed}",
                },
            )

    def _stop_cannot_sell(self) -> Firing:
        return {
            f"stop:{stop.order_id}": {
                "order_id": stop.order_id,
                "client_order_id": stop.client_order_id,
                "triggered_at": stop.triggered_at,
                "waits_for": stop.waits_for,
                "text": f"{stop.token_in} to {stop.token_out}, {stop.client_order_id}, fired at "
                f"{stop.triggered_at:%H:%M:%S} UTC" + (f", waits for {stop.waits_for}" if stop.waits_for else ""),
            }
            for stop in alerts.fired_stops(self._wanted.stop_cannot_sell_seconds)
        }

    def _limiter_saturated(self) -> Firing:
        waited = alerts.longest_wait(RATE_LIMIT)
        if waited <= self._window_seconds:
            return {}
        text = f"an order has waited for {waited:.0f} s, and the window has {self._window_seconds:.0f} s"
        return {"limiter": {"waited_seconds": round(waited), "text": text}}

    def _endpoint_lagging(self) -> Firing:
        why = "it shows no new slot"
        try:
            slot = self._rpc.get_slot()
            if slot > self._slot:
                self._slot, self._slot_at = slot, self._clock()
                self._rpc.get_health()
        except RpcResponseError as error:  # the node itself says that it is behind the others
            why = f"it says {error}"
            return self._lagging(0.0, why)
        except RpcError as error:
            why = f"it does not answer: {type(error).__name__}"
        silent = self._clock() - self._slot_at
        return self._lagging(silent, why) if silent > self._wanted.endpoint_lagging_seconds else {}

    def _lagging(self, seconds: float, why: str) -> Firing:
        newest = None if self._slot < 0 else self._slot
        since = f" for {seconds:.0f} s" if seconds else ""
        return {"endpoint": {"slot": newest, "seconds": round(seconds), "text": f"{why}{since}"}}
