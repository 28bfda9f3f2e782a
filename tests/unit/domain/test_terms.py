"""Each term has its three forms (typed, parsed, displayed), and keeps its meaning in all of them."""

from dataclasses import replace

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import Floor
from orderd.domain.terms import OrderTerms
from orderd.domain.terms_formatted import FormattedTerms
from orderd.domain.terms_formatting import format_terms
from orderd.domain.terms_given import GivenTerms, Typed
from orderd.domain.terms_parsing import understood
from orderd.domain.tokens import Token
from orderd.domain.well_known import registry_of
from tests.samples.terms import GIVEN, GIVEN_TO_BUY, SAMPLES, with_another, with_one

DEFAULT_SLIPPAGE = "0.7"


def meant(given: GivenTerms) -> OrderTerms:
    return understood(given, registry_of("simnet"), DEFAULT_SLIPPAGE)


def test_each_term_is_covered() -> None:
    assert SAMPLES.keys() == GivenTerms.model_fields.keys()


@pytest.mark.parametrize("name", GivenTerms.model_fields)
def test_a_term_defines_its_command_line_option(name: str) -> None:
    (typed,) = (each for each in GivenTerms.model_fields[name].metadata if isinstance(each, Typed))
    assert typed.help.endswith(".")
    assert typed.metavar.isupper() or GivenTerms.model_fields[name].annotation is bool, "only a flag has no metavar"


@pytest.mark.parametrize("name", GivenTerms.model_fields)
def test_a_different_term_makes_another_order(name: str) -> None:
    terms = meant(with_one(name))
    assert terms.is_same_as(meant(with_one(name)))
    assert not terms.is_same_as(meant(with_another(name)))


@pytest.mark.parametrize("name", GivenTerms.model_fields)
def test_a_term_is_displayed_as_it_was_given(name: str) -> None:
    assert getattr(format_terms(meant(with_one(name))), name) == SAMPLES[name][0]
    assert getattr(format_terms(meant(with_another(name))), name) == SAMPLES[name][1]


def test_exactly_the_given_terms_are_displayed() -> None:
    # An amount in words is displayed as its resolved amount; a default slippage of a stop may widen.
    sold_text = GivenTerms.model_fields.keys() | {"amount_word", "slippage_widens"}
    assert FormattedTerms.model_fields.keys() == sold_text == format_terms(meant(GIVEN)).model_fields_set


def test_the_default_slippage_is_the_daemons() -> None:
    assert format_terms(meant(GIVEN.model_copy(update={"slippage": None}))).slippage == DEFAULT_SLIPPAGE


@pytest.mark.parametrize(
    ("term", "given", "code"),
    [
        ("min_out", "0", ErrorCode.AMOUNT_NOT_POSITIVE),
        ("min_out", "abc", ErrorCode.AMOUNT_INVALID),
        ("min_out", "0.0000001", ErrorCode.AMOUNT_TOO_PRECISE),
        ("min_out", "18446744073709.551616", ErrorCode.AMOUNT_TOO_LARGE),
        ("max_in", "0", ErrorCode.AMOUNT_NOT_POSITIVE),
        ("exact_out", "0", ErrorCode.AMOUNT_NOT_POSITIVE),
        ("exact_out", "0.0000001", ErrorCode.AMOUNT_TOO_PRECISE),
        ("max_cost", "abc", ErrorCode.COST_OUT_OF_RANGE),
        ("max_cost", "-1", ErrorCode.COST_OUT_OF_RANGE),
        ("max_cost", "0.001", ErrorCode.COST_OUT_OF_RANGE),
        ("max_cost", "100.01", ErrorCode.COST_OUT_OF_RANGE),
    ],
)
def test_an_invalid_bound_is_refused(term: str, given: str, code: ErrorCode) -> None:
    with pytest.raises(OrderdError) as refused:
        meant(with_one(term).model_copy(update={term: given}))
    assert refused.value.code is code


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"exact_out": "1"}, "both amount_in and exact_out are given"),
        ({"amount_in": None, "exact_out": "1"}, "min_out bounds what amount_in is sold for, not exact_out"),
        ({"max_in": "1"}, "max_in bounds what exact_out is bought for, not amount_in"),
    ],
)
def test_an_order_has_either_an_input_or_an_output_amount(changes: dict[str, str | None], why: str) -> None:
    with pytest.raises(OrderdError, match=why) as refused:
        meant(GIVEN.model_copy(update=changes))
    assert refused.value.code is ErrorCode.AMOUNT_NOT_ONE_SIDE


def test_an_order_needs_an_amount() -> None:
    with pytest.raises(OrderdError, match="amount_in: is required") as refused:
        meant(GIVEN.model_copy(update={"amount_in": None}))
    assert refused.value.code is ErrorCode.REQUEST_INVALID


@pytest.mark.parametrize("price", ["limit_price", "stop_price", "take_profit_price", "trail"])
def test_a_resting_order_sells_an_exact_amount(price: str) -> None:
    with pytest.raises(OrderdError, match="order is an amount_in") as refused:
        meant(GivenTerms.model_validate({"token_in": "USDC", "token_out": "SOL", "exact_out": "1", price: "105"}))
    assert refused.value.code is ErrorCode.ORDER_TERMS_CONTRADICT


def test_the_given_amount_is_the_exact_one() -> None:
    assert (meant(GIVEN).amount, meant(GIVEN_TO_BUY).amount) == (1_500_000_000, 150_000_000)
    assert (meant(GIVEN_TO_BUY).amount_in, meant(GIVEN).exact_out) == (None, None)


@pytest.mark.parametrize(("limit_bps", "is_taken"), [(200, True), (199, False)])
def test_an_order_cannot_raise_the_daemons_maximum_cost(limit_bps: int, is_taken: bool) -> None:
    given = GIVEN.model_copy(update={"max_cost": "2"})
    if is_taken:
        assert understood(given, registry_of("simnet"), DEFAULT_SLIPPAGE, limit_bps).max_cost_bps == 200
        return
    with pytest.raises(OrderdError, match=r"2 % is not within 0 and 1\.99 %, the daemon's limit,") as refused:
        understood(given, registry_of("simnet"), DEFAULT_SLIPPAGE, limit_bps)
    assert refused.value.code is ErrorCode.COST_OUT_OF_RANGE


@pytest.mark.parametrize(("token_in", "token_out"), [("USDC", "SOL"), ("CHILLGUY", "USDC")])
def test_only_orders_that_sell_sol_can_use_wrapped_sol(token_in: str, token_out: str) -> None:
    given = GivenTerms(token_in=token_in, token_out=token_out, amount_in="1", use_wrapped=True)
    with pytest.raises(OrderdError, match=f"would sell {token_in} from the wallet's wrapped SOL") as refused:
        meant(given)
    assert refused.value.code is ErrorCode.TOKEN_NOT_WRAPPED
    assert meant(given.model_copy(update={"token_in": "SOL", "token_out": "USDC"})).use_wrapped


def test_the_default_minimum_is_that_of_the_first_route() -> None:
    terms = meant(GivenTerms(token_in="SOL", token_out="USDC", amount_in="1"))
    assert (terms.floor, terms.min_out, terms.max_cost_bps) == (Floor.FIRST, None, None)


def test_terms_of_an_older_daemon_set_a_minimum_in_each_attempt() -> None:
    assert FormattedTerms(token_in="SOL", token_out="USDC", amount_in="1", slippage="0.5").floor is Floor.EACH


def test_an_order_older_than_floors_equals_its_resubmission() -> None:
    repeated = meant(GivenTerms(token_in="SOL", token_out="USDC", amount_in="1"))
    before = replace(repeated, floor=None)
    assert before.is_same_as(repeated)
    assert repeated.is_same_as(before)
    assert format_terms(before).floor is Floor.EACH
    assert not replace(before, floor=Floor.EACH).is_same_as(repeated)


def test_a_token_is_identified_by_its_mint() -> None:
    terms = meant(GIVEN)
    renamed = replace(terms, token_in=Token("WSOL", terms.token_in.mint, terms.token_in.decimals))
    assert renamed != terms
    assert renamed.is_same_as(terms)
