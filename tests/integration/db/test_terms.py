"""An order's terms are stored in its row."""

from dataclasses import fields, replace

import pytest

from db import journal
from db.connection import database
from db.models import Order
from db.terms import columns_of, terms_of
from orderd.domain.order import Floor
from orderd.domain.terms_formatting import format_terms
from orderd.domain.terms_given import GivenTerms
from orderd.domain.terms_parsing import understood
from orderd.domain.well_known import registry_of
from orderd.engine import views
from tests.integration.orders import new_order, read
from tests.samples.terms import with_another

pytestmark = pytest.mark.usefixtures("connection")


@pytest.mark.parametrize("name", GivenTerms.model_fields)
def test_each_term_is_read_back_as_parsed_and_shown(name: str) -> None:
    terms = understood(with_another(name), registry_of("simnet"), "0.5")
    moved, *_ = journal.accept([replace(new_order(), terms=terms)])

    order = read(moved.order.id)

    assert terms_of(order) == terms
    (accepted,) = views.events_after(order.id, 0)
    for term, value in format_terms(terms):
        assert getattr(views.order_view(order), term) == getattr(accepted.data, term) == value


def test_an_order_older_than_floors_sets_a_minimum_in_each_attempt() -> None:
    (moved,) = journal.accept([new_order()])
    database.execute_sql("UPDATE orders SET floor = DEFAULT, min_out = DEFAULT, max_cost_bps = DEFAULT")
    terms = terms_of(read(moved.order.id))
    assert (terms.floor, terms.min_out, terms.max_cost_bps) == (None, None, None)
    assert format_terms(terms).floor is Floor.EACH


def test_an_order_older_than_use_wrapped_sells_native_sol() -> None:
    order = new_order("mine")
    (moved,) = journal.accept([order])
    database.execute_sql("UPDATE orders SET use_wrapped = DEFAULT")
    assert terms_of(read(moved.order.id)) == order.terms
    assert not order.terms.use_wrapped


def test_each_term_has_its_columns() -> None:
    terms = new_order().terms
    assert columns_of(terms).keys() <= {field.column_name for field in Order._meta.sorted_fields}
    assert {each.name for each in fields(terms)} <= columns_of(terms).keys()
