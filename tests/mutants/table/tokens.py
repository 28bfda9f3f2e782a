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
        "An order buys one of two tokens with the same symbol, and the trader meant the other one.",
    ),
    Mutant(
        "hook-traded",
        11,
        "orderd/domain/tokens.py",
        "if facts is not None and facts.objection is not None:",
        "if facts is None:",
        (f"{_TOKENS}test_an_untradable_mint_is_refused_with_its_trait",),
        "A token is bought whose own program decides afterwards that it cannot be sold.",
    ),
    Mutant(
        "transfer-fee-rounded-down",
        7,
        "orderd/amm/transfer_fee.py",
        "return min(ceil_div(amount * self.bps, ONE_IN_BPS), self.maximum)",
        "return min(amount * self.bps // ONE_IN_BPS, self.maximum)",
        ("tests/unit/amm/test_transfer_fee.py::test_a_fee_is_a_rate_rounded_up_with_a_maximum",),
        "A quote promises a base unit more than arrives, and the chain refuses the swap for it.",
    ),
    Mutant(
        "transfer-fee-no-cost",
        10,
        "orderd/domain/quote.py",
        "            kept *= 1 - Decimal(self.transfer_fee_in) / self.amount_in\n",
        "",
        ("tests/unit/domain/test_quote.py::test_transfer_fees_are_costs",),
        "A token takes a half of what is sold, and no limit on costs keeps the order from it.",
    ),
    Mutant(
        "first-orders-of-any-size",
        10,
        "orderd/config/settings.py",
        'return self.max_notional_per_order or (FIRST_ORDERS_USDC if self.chain == "mainnet" else None)',
        "return self.max_notional_per_order",
        ("tests/unit/test_configuration.py::test_orders_on_mainnet_are_small_by_default",),
        "A first order on mainnet, typed with a wrong amount, is executed whole.",
    ),
    Mutant(
        "decimals-of-before",
        10,
        "orderd/engine/execution/turn.py",
        "        self._decimals(terms)\n",
        "",
        (
            "tests/integration/engine/test_execution.py::"
            "test_an_order_whose_token_has_other_decimals_by_now_ends_and_nothing_is_signed",
        ),
        "The creator of a token makes its mint again with three decimals more, and gets a thousand times the limit.",
    ),
    Mutant(
        "a-mint-that-can-be-closed-is-taken-to-last",
        10,
        "orderd/engine/execution/mint_decimals.py",
        "        if not can_be_closed(account):\n",
        "        if True:\n",
        ("tests/unit/engine/test_mint_decimals.py::test_a_mint_that_can_be_closed_is_read_each_time",),
        "The same, of a token that this process has traded before.",
    ),
)
