"""orderctl quote: the route of an order, and the quotes of all pools."""

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.quoted import Refused
from orderd.wire.rpc import Method
from tests.samples.orders import QUOTE, SPLIT, SPLIT_QUOTE
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon


class TestQuote:
    def test_the_route_is_first_and_pools_are_sorted_by_output(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.QUOTE, QUOTE)

        lines = [line.rstrip() for line in orderctl("quote", "SOL", "USDC", "1.5").out.splitlines()]

        assert lines == [
            "sell 1.5 SOL for USDC",
            "receive 152.310211 USDC at 101.540141 USDC per SOL, fee 0.00375 SOL, impact 0.021 %",
            "  SOL to USDC: 100 % raydium_cpmm 7Xawhb…mX",
            "EACH POOL ALONE    USDC OUT       PRICE          FEE   IMPACT  POOL",
            "raydium_cpmm     152.310211  101.540141  0.00375 SOL  0.021 %  7Xawhb…mX",
            "meteora_dlmm        152.104  101.402667  0.00375 SOL   0.05 %  5rCf1D…S6",
            "at least 151.54866 USDC at 0.5 % slippage; network fee about 0.0000063 SOL",
        ]

    def test_a_purchase_has_its_price_in_the_same_unit_as_a_sale(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        chosen = QUOTE.chosen.model_copy(update={"amount_out": "1.5", "price": "0.00983410072"})
        answer = QUOTE.model_copy(
            update={
                "token_in": "USDC",
                "token_out": "SOL",
                "amount_in": "152.53",
                "min_amount_out": "1.49",
                "chosen": chosen,
                "quotes": (chosen,),
            }
        )
        daemon.answers(Method.QUOTE, answer)

        lines = orderctl("quote", "USDC", "SOL", "152.53").out.splitlines()

        assert lines[1].startswith("receive 1.5 SOL at 101.68698 USDC per SOL, ")
        assert any(line.startswith("raydium_cpmm") and " 101.68698 " in line for line in lines)
        assert "0.00983" not in "".join(lines)

    @pytest.mark.parametrize(
        ("least", "expected"),
        [
            ("151.9", ["at least 151.9 USDC, as requested; network fee about 0.0000063 SOL"]),
            (
                "152.5",
                [
                    "at least 152.5 USDC, as requested; network fee about 0.0000063 SOL",
                    "the best route pays 0.189789 USDC less than the minimum: the order would fail now",
                ],
            ),
        ],
    )
    def test_a_minimum_is_compared_with_the_best_route(
        self, daemon: FakeDaemon, orderctl: Orderctl, least: str, expected: list[str]
    ) -> None:
        daemon.answers(Method.QUOTE, QUOTE.model_copy(update={"min_out": least, "min_amount_out": least}))
        outcome = orderctl("quote", "SOL", "USDC", "1.5", "--min-out", least)
        assert [line.rstrip() for line in outcome.out.splitlines()][6:] == expected
        assert daemon.calls[-1][1]["min_out"] == least

    @pytest.mark.parametrize(
        ("option", "expected"),
        [
            (("--min-out", "0"), "error[AMOUNT_NOT_POSITIVE]"),
            (("--min-out", "1.1234567"), "error[AMOUNT_TOO_PRECISE]"),
            (("--max-cost", "101"), "error[COST_OUT_OF_RANGE]"),
            (("--floor", "none"), "'none' is not one of 'first', 'each'"),
        ],
    )
    def test_an_invalid_limit_is_not_sent(
        self, daemon: FakeDaemon, orderctl: Orderctl, option: tuple[str, str], expected: str
    ) -> None:
        for verb in ("quote", "submit"):
            outcome = orderctl(verb, "SOL", "USDC", "1.5", *option)
            assert (outcome.code, expected in outcome.err) == (2, True), outcome.err
        assert daemon.calls == []

    def test_a_split_is_shown_before_single_pools(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.QUOTE, SPLIT_QUOTE)

        lines = [line.rstrip() for line in orderctl("quote", "SOL", "USDC", "1.5").out.splitlines()]

        assert lines[:6] == [
            "sell 1.5 SOL for USDC",
            "receive 152.5 USDC at 101.666667 USDC per SOL, fee 0.00375 SOL, impact 0.014 %",
            "  SOL to USDC:",
            "    ━━━━━━━━━━━━────────   62.5 % raydium_cpmm    7Xawhb…mX",
            "    ━━━━━━━━────────────   37.5 % meteora_dlmm    5rCf1D…S6",
            "12.46 basis points more than the best single pool",
        ]

    def test_wide_explains_the_choice(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.QUOTE, SPLIT_QUOTE)

        lines = [line.rstrip() for line in orderctl("quote", "SOL", "USDC", "1.5", "-o", "wide").out.splitlines()]

        assert lines[3:9] == [
            f"    ━━━━━━━━━━━━────────   62.5 % raydium_cpmm    {SPLIT[0].pool}",
            f"    ━━━━━━━━────────────   37.5 % meteora_dlmm    {SPLIT[1].pool}",
            "  hop 1: 62.5 % raydium_cpmm: 0.9375 SOL for 95.2 USDC",
            "  hop 1: 37.5 % meteora_dlmm: 0.5625 SOL for 57.3 USDC",
            "chosen because together they pay 12.46 basis points more than the best single pool",
            "190000 compute units at 10000 micro-lamports each",
        ]
        assert [line.split()[-4:] for line in lines[10:12]] == [
            ["12.45", "bp", "812", SPLIT[0].pool],
            ["25.97", "bp", "812", SPLIT[1].pool],
        ]

    def test_venues_without_a_quote_show_the_reason(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        refusal = Refused(venue="raydium", code=ErrorCode.ROUTE_NOT_FOUND, detail="it has no pool for this pair")
        daemon.answers(Method.QUOTE, QUOTE.model_copy(update={"refusals": (refusal,)}))

        assert "raydium: ROUTE_NOT_FOUND: it has no pool for this pair\n" in orderctl("quote", "SOL", "USDC", "1.5").out

    def test_a_refusal_of_the_market_exits_with_1(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.QUOTE, OrderdError(ErrorCode.ROUTE_PRICE_IMPACT, "7.1 % is more than 5 %"))

        outcome = orderctl("quote", "SOL", "USDC", "15000")

        assert outcome.code == 1
        assert "7.1 % is more than 5 %" in outcome.err
