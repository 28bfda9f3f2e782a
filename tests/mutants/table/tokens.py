"""Tokens: which mint a symbol denotes, which tokens are traded, and the fees of their transfers."""

from typing import Final

from tests.mutants.mutant import Mutant

_TOKENS: Final = "tests/unit/domain/test_tokens.py::"

MUTANTS: Final = (
    Mutant(
        "symbol-guessed",
        12,
        "orderd/domain/tokens.py",
        "return pinned[:1] or (verified if len(verified) == 1 else [*everything.values()])",
        "return pinned[:1] or verified[:1] or [*everything.values()]",
        (f"{_TOKENS}test_an_ambiguous_symbol_is_refused_with_the_candidates",),
        "An order buys the wrong one of two tokens with the same symbol.",
    ),
    Mutant(
        "untradable-mint-traded",
        11,
        "orderd/domain/tokens.py",
        "if facts is not None and facts.objection is not None:",
        "if facts is None:",
        (f"{_TOKENS}test_an_untradable_mint_is_refused_with_its_trait",),
        "An order buys a token whose program can forbid its sale.",
    ),
    Mutant(
        "transfer-fee-rounded-down",
        7,
        "orderd/amm/transfer_fee.py",
        "return min(ceil_div(amount * self.bps, ONE_IN_BPS), self.maximum)",
        "return min(amount * self.bps // ONE_IN_BPS, self.maximum)",
        ("tests/unit/amm/test_transfer_fee.py::test_a_fee_is_a_rate_rounded_up_with_a_maximum",),
        "The quote is one base unit too high, and the chain refuses the swap.",
    ),
    Mutant(
        "transfer-fee-not-a-cost",
        10,
        "orderd/domain/quote.py",
        "            kept *= 1 - Decimal(self.transfer_fee_in) / self.amount_in\n",
        "",
        ("tests/unit/domain/test_quote.py::test_transfer_fees_are_costs",),
        "A token takes half of the sold amount, and no cost limit prevents the order.",
    ),
    Mutant(
        "first-orders-of-any-size",
        10,
        "orderd/config/settings.py",
        'return self.max_notional_per_order or (FIRST_ORDERS_USDC if self.chain == "mainnet" else None)',
        "return self.max_notional_per_order",
        ("tests/unit/test_configuration.py::test_orders_on_mainnet_are_small_by_default",),
        "A first order on mainnet with a mistyped amount is executed in full.",
    ),
    Mutant(
        "decimals-not-checked-again",
        10,
        "orderd/engine/execution/turn.py",
        "        self._decimals.check(terms)\n",
        "",
        ("tests/integration/engine/test_execution.py::test_an_order_whose_token_has_other_decimals_now_ends_unsigned",),
        "The creator of a token recreates its mint with three more decimals, and takes a thousand times the limit.",
    ),
    Mutant(
        "closable-mint-cached",
        10,
        "orderd/engine/execution/mint_decimals.py",
        "        if not can_be_closed(account):\n",
        "        if True:\n",
        ("tests/unit/engine/test_mint_decimals.py::test_a_mint_that_can_be_closed_is_read_each_time",),
        "The same, for a token that this process has traded before.",
    ),
    Mutant(
        "more-decimals-than-stored",
        8,
        "orderd/domain/mint.py",
        "        if self.decimals > MAX_DECIMALS:\n",
        "        if False:\n",
        ("tests/unit/domain/test_mint.py::test_a_mint_with_more_decimals_than_an_order_can_have_is_not_traded",),
        "An order for such a token is answered with an internal error, and its client sends it again for ever.",
    ),
    Mutant(
        "no-curve-under-a-flat-fee",
        11,
        "orderd/amm/transfer_fee.py",
        "return 0 if self.bps == ONE_IN_BPS and self.is_bounded else self.bps",
        "return self.bps",
        ("tests/unit/amm/test_transfer_fee.py::test_a_fee_of_everything_up_to_a_maximum_leaves_a_curve",),
        "A token is bought for an exact amount and cannot be sold again.",
    ),
)
