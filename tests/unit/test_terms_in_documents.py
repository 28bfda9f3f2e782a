"""Documents, examples and dialects match the definition of the terms."""

import inspect
from pathlib import Path

import pytest

from orderctl.commands import submit
from orderd.domain.terms_given import GivenTerms
from orderd.gateway.dialects.orders import FIELDS
from orderd.gateway.docs.examples import ORDER_BODIES
from orderd.gateway.docs.openapi import EXAMPLES
from orderd.gateway.http.submission import OrderBody
from orderd.wire.submissions import SubmitParams

CLI = (Path(__file__).parents[2] / "docs/cli.md").read_text()


@pytest.mark.parametrize("column", SubmitParams.model_fields)
def test_the_columns_of_a_file_are_documented(column: str) -> None:
    many_orders = CLI.partition("## Many orders")[2].partition("\n## ")[0]
    assert f"`{column}`" in many_orders
    documented = " ".join((inspect.getdoc(submit.run) or "").split())
    assert column in documented.partition("A file has the columns ")[2].partition(". ")[0]


def test_the_documented_orders_have_all_fields() -> None:
    assert {name for body in ORDER_BODIES.values() for name in body["value"]} == OrderBody.model_fields.keys()
    for body in ORDER_BODIES.values():
        OrderBody.model_validate(body["value"])


def test_the_documents_have_an_example_of_each_term() -> None:
    assert GivenTerms.model_fields.keys() <= EXAMPLES.keys()


def test_words_of_dialects_mean_existing_terms() -> None:
    """Not every term has such a word; unknown members are refused."""
    assert {*FIELDS.values()} <= GivenTerms.model_fields.keys() | {"wallet"}
    due = {name for name, field in GivenTerms.model_fields.items() if field.is_required()}
    assert due <= {*FIELDS.values()}
