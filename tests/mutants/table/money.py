"""Amounts: parsing, formatting, rounding of minimum amounts, and what was filled."""

from typing import Final

from tests.mutants.mutant import Mutant

_MONEY: Final = "tests/unit/domain/test_money.py::"
_QUOTE: Final = "tests/unit/domain/test_quote.py::"
_ALLOWANCE: Final = "tests/integration/engine/test_allowance.py::"
_FILL: Final = "tests/unit/engine/test_fill.py::"

MUTANTS: Final = (
    Mutant(
        "minimum-rounded-down",
        7,
        "orderd/domain/money.py",
        "return -(-amount_out * (BPS - slippage_bps) // BPS)",
        "return amount_out * (BPS - slippage_bps) // BPS",
        (f"{_MONEY}test_the_minimum_is_never_below_the_slippage",),
        "The trader accepts one base unit less than agreed: a whole unit of a token without decimals.",
    ),
    Mutant(
        "leg-minimums-rounded-down",
        10,
        "orderd/domain/quote.py",
        "return [_ceil_div(floor * leg.amount_out, self.amount_out) for leg in self.legs]",
        "return [floor * leg.amount_out // self.amount_out for leg in self.legs]",
        (f"{_QUOTE}test_the_minimums_of_all_legs_add_up_to_the_routes_minimum",),
        "The minimums of a split add up to less than the order's minimum, and the chain accepts that.",
    ),
    Mutant(
        "first-hop-without-minimum",
        10,
        "orderd/domain/quote.py",
        "owed = [*(hop.amount_in for hop in self.hops[1:]), min_amount_out]",
        "owed = [*(1 for hop in self.hops[1:]), min_amount_out]",
        (f"{_QUOTE}test_the_first_hop_must_pay_what_the_second_one_spends",),
        "The second hop spends intermediate tokens that the wallet held before.",
    ),
    Mutant(
        "amount-through-float",
        7,
        "orderd/domain/money.py",
        "scaled = Decimal(text).scaleb(decimals)",
        "scaled = Decimal(str(float(text))).scaleb(decimals)",
        (f"{_MONEY}test_an_amount_is_read_back_as_written", f"{_MONEY}test_plain_decimals_are_read"),
        "The last digits of large amounts are wrong, and they never agree with the ledger.",
    ),
    Mutant(
        "amount-truncated",
        8,
        "orderd/domain/money.py",
        "if scaled != scaled.to_integral_value():",
        "if False:",
        (f"{_MONEY}test_an_invalid_amount_is_refused_with_the_reason",),
        "An amount with too many decimals is traded as another amount.",
    ),
    Mutant(
        "negative-amount",
        8,
        "orderd/domain/money.py",
        "if scaled <= 0:",
        "if scaled == 0:",
        (f"{_MONEY}test_an_invalid_amount_is_refused_with_the_reason",),
        "An order with a negative amount is accepted.",
    ),
    Mutant(
        "amount-without-leading-zeros",
        7,
        "orderd/domain/money.py",
        "digits = str(abs(amount)).zfill(decimals + 1)",
        'digits = str(abs(amount)) + "0" * max(decimals + 1 - len(str(abs(amount))), 0)',
        (f"{_MONEY}test_amounts_are_written_short_and_exact",),
        "A fee of 0.000005 SOL is shown as 0.5 SOL.",
    ),
    Mutant(
        "slippage-above-100-percent",
        8,
        "orderd/domain/money.py",
        "not 0 <= bps <= limit_bps",
        "not 0 <= bps <= limit_bps * 100",
        (f"{_MONEY}test_slippage_outside_its_range_is_refused",),
        "A slippage above 100 % is accepted, and the minimum amount out is negative.",
    ),
    Mutant(
        "minimum-of-zero",
        10,
        "orderd/engine/routing/floor.py",
        "if floor < 1:",
        "if floor < 0:",
        ("tests/unit/engine/test_routing.py::test_a_quote_of_zero_after_slippage_is_refused",),
        "An order is signed that accepts nothing in return.",
    ),
    Mutant(
        "sol-with-fees-and-rent",
        7,
        "orderd/engine/settlement/fill.py",
        "return -transaction.token_delta(mint, lambda owner: owner != wallet)",
        "before, after = transaction.lamports[wallet]\n            return after - before",
        (f"{_FILL}test_the_amount_of_sol_excludes_fee_and_rent",),
        "Fees and rent count as traded SOL, so prices and balances are wrong.",
    ),
    Mutant(
        "fill-with-others-share",
        7,
        "orderd/engine/settlement/fill.py",
        "return transaction.token_delta(mint, lambda owner: owner == wallet)",
        "return -transaction.token_delta(mint, lambda owner: owner != wallet)",
        (f"{_FILL}test_a_fill_is_the_balance_changes_of_two_tokens_of_the_wallet",),
        "Fees and amounts paid to others count as received by the wallet.",
    ),
    Mutant(
        "taken-for-dead-is-allowed-again",
        11,
        "orderd/engine/allowance.py",
        " OR may_have_traded(o))",
        " OR o.filled_in IS NOT NULL)",
        (f"{_ALLOWANCE}test_an_order_that_an_operator_took_for_dead_counts",),
        "An API key trades its whole allowance once more after a transaction that may have landed.",
    ),
    Mutant(
        "taken-for-dead-is-uncounted",
        11,
        "db/migrations/0045_abandoned_spending.py",
        "    IF NOT may_have_traded(NEW) THEN\n",
        "    IF NEW.filled_in IS NULL THEN\n",
        (f"{_ALLOWANCE}TestDaemonLimits::test_orders_count_after_an_operator_took_their_transactions_for_dead",),
        "The daemon trades more in a day than its limit, once transactions that may have landed were declared dead.",
    ),
    Mutant(
        "no-trade-is-a-fill",
        12,
        "orderd/engine/settlement/fill.py",
        "if amount_in < 1 or amount_out < 1:",
        "if amount_in < 0 or amount_out < 0:",
        (f"{_FILL}test_balances_without_a_trade_are_not_a_fill",),
        "A transaction without a trade is reported as a fill.",
    ),
)
