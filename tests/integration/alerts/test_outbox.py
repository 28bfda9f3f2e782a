"""An alert about an order is stored in the transaction of the order's change, and is delivered by one process at a
time."""

from uuid import UUID

from db import alerts, journal, processes, retention
from db.connection import database
from db.journal import AttemptEnd, Change
from db.models import Order
from db.processes import Process
from db.retention import Kept
from orderd.domain.alerts import AlertKind
from orderd.domain.errors import ErrorCode
from orderd.domain.events import Cancelled, Failed, Triggered
from orderd.domain.order import OrderKind, OrderStatus
from tests.integration.orders import FILL, built, claimed, new_order, pending, sign
from tests.samples.orders import FILL as CONFIRMED

EVERYTHING = {"bot": frozenset(AlertKind)}


def confirmed(parent_id: UUID | None = None) -> Order:
    order = sign(built(), "landed").order
    if parent_id is not None:
        database.execute_sql("UPDATE orders SET parent_id = %s WHERE id = %s", (str(parent_id), str(order.id)))
    end = AttemptEnd("landed", 9, sends=1)
    (moved,) = journal.apply([Change(order.id, CONFIRMED, order.version, FILL, attempt_end=end)])
    return moved.order


def failed() -> Order:
    order = claimed()
    fact = Failed(attempt=1, code=ErrorCode.ROUTE_NOT_FOUND, detail="no pool")
    (moved,) = journal.apply([Change(order.id, fact, order.version, {"error_code": fact.code})])
    return moved.order


def stored() -> list[tuple[str, str]]:
    rows = database.execute_sql("SELECT kind, id FROM alerts ORDER BY at, id")
    return [(kind, id_) for kind, id_ in rows]


def test_no_alert_is_stored_without_a_subscription() -> None:
    confirmed()
    failed()
    alerts.store(AlertKind.RESTARTED, {})
    assert stored() == []


def test_only_subscribed_kinds_are_stored() -> None:
    alerts.subscribe([AlertKind.FAILED])
    confirmed()
    order = failed()
    assert stored() == [("failed", f"{order.id}-{order.seq}")]


def test_a_subscription_that_is_not_renewed_expires(subscribed: None) -> None:
    database.execute_sql("UPDATE alert_subscriptions SET until = clock_timestamp() - interval '1 second'")
    confirmed()
    assert stored() == []


def test_an_alert_names_its_event(subscribed: None) -> None:
    order = confirmed()
    alerts.distribute(EVERYTHING)
    (delivery,) = alerts.take("bot", 10)
    alert = delivery.alert
    assert (alert.kind, alert.id, alert.order_id, alert.seq) == (
        AlertKind.FILLED,
        f"{order.id}-{order.seq}",
        order.id,
        order.seq,
    )
    assert alert.event is not None
    assert alert.order is not None
    assert alert.event["kind"] == "confirmed"
    assert alert.order == {
        "client_order_id": order.client_order_id,
        "account": "default",
        "kind": "market",
        "token_in": "SOL",
        "token_out": "USDC",
    }


def test_an_alert_is_rolled_back_with_its_change(subscribed: None) -> None:
    with database.atomic() as transaction:
        confirmed()
        transaction.rollback()
    assert stored() == []


def test_an_unknown_outcome_of_a_child_is_an_alert_and_its_fill_is_not(subscribed: None) -> None:
    confirmed(parent_id=pending())
    part = sign(built(), "unknown outcome").order
    database.execute_sql(
        "UPDATE orders SET parent_id = %s, updated_at = clock_timestamp() - interval '1 hour' WHERE id = %s",
        (str(pending()), str(part.id)),
    )
    journal.flag_unknown(300, 10)
    assert [kind for kind, _ in stored()] == ["unknown"]


def test_a_cancelled_order_is_not_an_alert(subscribed: None) -> None:
    journal.apply([Change(pending(), Cancelled(), None)])
    assert stored() == []


def test_the_death_of_a_process_is_an_alert_when_its_work_is_reclaimed(subscribed: None) -> None:
    process = Process("host:1:a", "machine", 1, 1)
    processes.beat(process)
    processes.release_dead([(process, processes.known()[process])])
    assert [kind for kind, _ in stored()] == ["restarted"]


def test_an_orderly_stop_of_a_process_is_not_an_alert(subscribed: None) -> None:
    processes.beat(Process("host:1:a", "machine", 1, 1))
    processes.unregister("host:1:a")
    assert stored() == []


# Deliveries


def test_each_receiver_gets_its_kinds_once(subscribed: None) -> None:
    confirmed()
    failed()
    wants = {"bot": [AlertKind.FILLED, AlertKind.FAILED], "phone": [AlertKind.FAILED]}
    assert alerts.distribute(wants) == 2
    assert alerts.distribute(wants) == 0
    assert [each.alert.kind for each in alerts.take("bot", 10)] == ["filled", "failed"]
    assert [each.alert.kind for each in alerts.take("phone", 10)] == ["failed"]


def test_a_leased_delivery_is_not_given_out_again_before_the_lease_expires(subscribed: None) -> None:
    confirmed()
    alerts.distribute(EVERYTHING)
    (first,) = alerts.take("bot", 10)
    assert alerts.take("bot", 10) == []
    database.execute_sql("UPDATE alert_deliveries SET due_at = due_at - interval '61 seconds'")
    (again,) = alerts.take("bot", 10)
    assert (again.alert.id, first.tries, again.tries) == (first.alert.id, 1, 2)


def test_a_confirmed_delivery_is_never_due_again(subscribed: None) -> None:
    confirmed()
    alerts.distribute(EVERYTHING)
    (delivery,) = alerts.take("bot", 10)
    alerts.delivered("bot", [delivery.alert.id])
    alerts.postpone("bot", {delivery.alert.id: 0}, "a late report of a slower process")
    assert alerts.take("bot", 10) == []
    assert alerts.waiting() == []


def test_an_unconfirmed_delivery_waits_and_is_listed_with_the_reason(subscribed: None) -> None:
    confirmed()
    alerts.distribute(EVERYTHING)
    (delivery,) = alerts.take("bot", 10)
    alerts.postpone("bot", {delivery.alert.id: 30}, "it answered with status 500")
    assert alerts.take("bot", 10) == []
    ((receiver, count, since, error),) = alerts.waiting()
    assert (receiver, count, since, error) == ("bot", 1, delivery.alert.at, "it answered with status 500")


def test_a_delivery_does_not_wait_long_after_the_clock_was_set_back(subscribed: None) -> None:
    confirmed()
    alerts.distribute(EVERYTHING)
    database.execute_sql("UPDATE alert_deliveries SET due_at = clock_timestamp() + interval '2 hours'")
    assert len(alerts.take("bot", 10)) == 1


def test_an_old_delivery_is_given_up(subscribed: None) -> None:
    confirmed()
    failed()
    alerts.distribute(EVERYTHING)
    database.execute_sql("UPDATE alerts SET at = at - interval '8 days' WHERE kind = 'failed'")
    assert retention.remove(Kept.ALERTS, 7) == 1
    assert [each.alert.kind for each in alerts.take("bot", 10)] == ["filled"]


# Conditions


def states() -> list[str]:
    rows = database.execute_sql("SELECT data->>'state' FROM alerts ORDER BY at, id")
    return [state for (state,) in rows]


def let_a_minute_pass() -> None:
    database.execute_sql("UPDATE alert_conditions SET since = since - interval '61 seconds'")


def test_a_condition_is_reported_at_its_begin_and_its_end(subscribed: None) -> None:
    low = {"balance:SOL": {"text": "little"}}
    for firing in (low, low, {}, {}):
        alerts.settle(AlertKind.BALANCE_LOW, firing)
        let_a_minute_pass()
    assert states() == ["firing", "resolved"]


def test_an_unstable_condition_is_reported_at_most_once_per_minute(subscribed: None) -> None:
    low = {"balance:SOL": {"text": "little"}}
    for firing in (low, {}, low, {}, low, {}):
        alerts.settle(AlertKind.BALANCE_LOW, firing)
    assert states() == ["firing"]
    let_a_minute_pass()
    alerts.settle(AlertKind.BALANCE_LOW, {})
    assert states() == ["firing", "resolved"]


def test_other_kinds_of_conditions_are_not_changed(subscribed: None) -> None:
    alerts.settle(AlertKind.BALANCE_LOW, {"balance:SOL": {}})
    let_a_minute_pass()
    alerts.settle(AlertKind.HALTED, {})
    assert states() == ["firing"]


def test_only_one_notifier_at_a_time_evaluates_conditions() -> None:
    assert alerts.watches("a", 20)
    assert not alerts.watches("b", 20)
    assert alerts.watches("a", 20)
    database.execute_sql("UPDATE alert_watch SET until = clock_timestamp() - interval '1 second'")
    assert alerts.watches("b", 20)


def test_a_fired_stop_without_a_fill_is_found_whatever_it_waits_for() -> None:
    (moved,) = journal.accept([new_order(kind=OrderKind.STOP, stop_price="95")])
    fact = Triggered(price="95", amount_out="95", condition="95", slot=9, met_at_slot=9)
    journal.apply([Change(moved.order.id, fact, moved.order.version, to=OrderStatus.PENDING, valid=True)])
    assert alerts.fired_stops(15) == []
    database.execute_sql("UPDATE orders SET triggered_at = triggered_at - interval '16 seconds'")
    (found,) = alerts.fired_stops(15)
    assert found.order_id == moved.order.id
    journal.apply([Change(moved.order.id, Cancelled(), None)])
    assert alerts.fired_stops(15) == []
