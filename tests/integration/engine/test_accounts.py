"""Which orders are found and listed: those of one account, or of all accounts on request."""

from dataclasses import replace
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from db import journal
from db.accounts import called, name_of
from db.connection import database
from db.models import DEFAULT_ACCOUNT
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Cancelled
from orderd.engine import views
from orderd.engine.order_list import list_orders
from orderd.wire.orders import ListParams
from tests.integration.accounts import account, order_of
from tests.integration.orders import new_order

pytestmark = pytest.mark.usefixtures("connection")


def found(ref: str, *, sees_all: bool = True) -> UUID:
    return views.find(DEFAULT_ACCOUNT, ref, sees_all=sees_all).id


def refusal(ref: str, *, sees_all: bool = True) -> OrderdError:
    with pytest.raises(OrderdError) as refused:
        found(ref, sees_all=sees_all)
    return refused.value


def listed(account_id: UUID | None, **params: object) -> list[UUID]:
    return [order.id for order in list_orders(account_id, ListParams.model_validate(params)).orders]


class TestFinding:
    def test_an_order_of_another_account_is_found_with_access_to_all_accounts(self) -> None:
        theirs = order_of(account(), "theirs")
        for ref in (str(theirs), str(theirs)[:30], "theirs"):
            assert found(ref) == theirs
            assert refusal(ref, sees_all=False).code is ErrorCode.ORDER_NOT_FOUND

    def test_a_client_order_id_of_the_own_account_is_preferred(self) -> None:
        order_of(account(), "same")
        mine = order_of(DEFAULT_ACCOUNT, "same")
        assert found("same") == mine

    def test_a_client_order_id_used_by_several_other_accounts_is_ambiguous(self) -> None:
        first, second = order_of(account("one"), "same"), order_of(account("two"), "same")
        refused = refusal("same")
        assert refused.code is ErrorCode.ORDER_AMBIGUOUS
        assert refused.detail == f"{first} and {second} are both meant by same"
        assert "id" in refused.spec.next_step
        assert found(str(second)) == second

    def test_an_order_id_is_preferred_to_a_client_order_id_that_imitates_it(self) -> None:
        mine = order_of(DEFAULT_ACCOUNT, "mine")
        order_of(account(), str(mine))
        assert found(str(mine)) == mine

    def test_an_id_prefix_that_is_also_a_client_order_id_is_ambiguous(self) -> None:
        mine = str(order_of(DEFAULT_ACCOUNT, "mine"))[:30]
        order_of(account(), mine)
        assert refusal(mine).code is ErrorCode.ORDER_AMBIGUOUS
        assert str(found(mine, sees_all=False)).startswith(mine)

    def test_a_client_order_id_equal_to_the_orders_own_id_prefix_is_not_ambiguous(self) -> None:
        new = new_order()
        name = str(new.id)[:30]
        journal.accept([replace(new, client_order_id=name, account_id=account())])
        assert found(name) == new.id


class TestLists:
    def test_each_account_lists_its_own_orders_newest_first(self) -> None:
        desk = account()
        orders = [order_of(whose) for whose in (DEFAULT_ACCOUNT, desk, desk, DEFAULT_ACCOUNT)]
        assert listed(desk) == [orders[2], orders[1]]
        assert listed(DEFAULT_ACCOUNT) == [orders[3], orders[0]]
        assert listed(None) == orders[::-1]

    def test_orders_of_all_accounts_are_paged_like_those_of_one(self) -> None:
        accounts = [account(name) for name in ("one", "two", "three")]
        orders = [order_of(accounts[number % 3]) for number in range(7)]
        for order_id in orders[::2]:
            journal.apply([journal.Change(order_id, Cancelled(), None)])
        pages, cursor = [], None
        while True:
            page = list_orders(None, ListParams(limit=2, cursor=cursor))
            pages.append([order.id for order in page.orders])
            cursor = page.next_cursor
            if cursor is None:
                break
        newest = orders[::-1]
        assert pages == [newest[:2], newest[2:4], newest[4:6], newest[6:]]

    def test_filters_apply_to_all_accounts(self) -> None:
        desk = account()
        mine, theirs, ended = (order_of(whose) for whose in (DEFAULT_ACCOUNT, desk, desk))
        journal.apply([journal.Change(ended, Cancelled(), None)])
        assert listed(None, status=["pending"]) == [theirs, mine]
        assert listed(None, token="sol") == [ended, theirs, mine]
        assert listed(None, token="SOL", status=["cancelled"]) == [ended]
        assert listed(None, token="CHILLGUY") == []


def test_an_order_and_its_first_event_name_their_account() -> None:
    theirs = order_of(account("desk two"))
    detail = views.get(DEFAULT_ACCOUNT, str(theirs), sees_all=True)
    assert detail.order.account == "desk two"
    assert detail.events[0].data.model_dump()["account"] == "desk two"
    mine = views.get(DEFAULT_ACCOUNT, str(order_of(DEFAULT_ACCOUNT)))
    assert mine.order.account == "default"


def test_an_account_is_resolved_by_a_thread_without_a_connection() -> None:
    """The thread that publishes news has no connection, and must not keep one."""
    desk = account("desk")
    database.close()
    assert name_of(desk) == "desk"
    assert database.is_closed()
    database.connect()


def test_an_account_name_is_preferred_to_an_id() -> None:
    desk = account("desk")
    assert called("desk") == called(str(desk).upper()) == desk
    impostor = account(str(desk))
    assert called(str(desk)) == impostor
    assert called(str(uuid7())) is None
