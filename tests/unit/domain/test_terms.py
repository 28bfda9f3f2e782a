"""Each term has all three forms, and its meaning is kept in every one of them."""

from dataclasses import replace

import pytest

from orderd.domain.terms import GivenTerms, OrderTerms, ToldTerms, Typed, told, understood
from orderd.domain.tokens import Token, TokenRegistry
from tests.samples.terms import GIVEN, SAMPLES, with_another

DEFAULT_SLIPPAGE = "0.7"


def meant(given: GivenTerms) -> OrderTerms:
    return understood(given, TokenRegistry(), DEFAULT_SLIPPAGE)


def test_each_term_is_tried_here() -> None:
    assert SAMPLES.keys() == GivenTerms.model_fields.keys()


@pytest.mark.parametrize("name", GivenTerms.model_fields)
def test_a_term_says_how_it_is_typed(name: str) -> None:
    (typed,) = (each for each in GivenTerms.model_fields[name].metadata if isinstance(each, Typed))
    assert typed.help.endswith(".")
    assert typed.metavar.isupper()


@pytest.mark.parametrize("name", GivenTerms.model_fields)
def test_a_term_that_differs_makes_another_order(name: str) -> None:
    assert meant(GIVEN).is_same_as(meant(GIVEN))
    assert not meant(GIVEN).is_same_as(meant(with_another(name)))


@pytest.mark.parametrize("name", GivenTerms.model_fields)
def test_a_term_is_told_as_it_was_given(name: str) -> None:
    assert getattr(told(meant(GIVEN)), name) == SAMPLES[name][0]
    assert getattr(told(meant(with_another(name))), name) == SAMPLES[name][1]


def test_no_other_terms_are_told_and_none_is_left_out() -> None:
    assert ToldTerms.model_fields.keys() == GivenTerms.model_fields.keys() == told(meant(GIVEN)).model_fields_set


def test_where_no_slippage_is_given_the_daemons_own_counts() -> None:
    assert told(meant(GIVEN.model_copy(update={"slippage": None}))).slippage == DEFAULT_SLIPPAGE


def test_a_token_is_the_same_by_its_mint_whatever_it_is_called() -> None:
    terms = meant(GIVEN)
    renamed = replace(terms, token_in=Token("WSOL", terms.token_in.mint, terms.token_in.decimals))
    assert renamed != terms
    assert renamed.is_same_as(terms)
