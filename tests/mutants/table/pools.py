"""Faulty pools: each affects only itself, and is left out of routes after it refuses."""

from typing import Final

from tests.mutants.mutant import Mutant

_GUEST: Final = "tests/unit/venues/test_guest.py::"
_COOLING: Final = "tests/unit/engine/test_cooling.py::"
_REROUTING: Final = "tests/unit/engine/test_rerouting.py::"

MUTANTS: Final = (
    Mutant(
        "reserved-bytes-ignored",
        6,
        "orderd/solana/programs/unsupported.py",
        "        if any(value) if isinstance(value, bytes) else value:\n",
        "        if not isinstance(value, bytes) and value:\n",
        (
            "tests/unit/solana/test_reserved_bytes.py::test_a_reserved_byte_in_use_refuses_the_pool_with_the_fields_name",
        ),
        "An upgraded program takes a fee that the quotes do not include.",
    ),
    Mutant(
        "purchase-slippage-not-recognized",
        6,
        "orderd/pools/meteora_dlmm/program.py",
        '6104: ProgramError("InsufficientInAmount", ErrorCode.TX_SLIPPAGE_EXCEEDED),',
        '6104: ProgramError("InsufficientInAmount"),',
        ("tests/unit/simnet/test_swaps.py::test_the_error_of_a_purchase_above_its_limit_means_slippage",),
        "A purchase whose price has risen fails instead of being retried at the new price.",
    ),
    Mutant(
        "pool-data-error-escapes",
        11,
        "orderd/venues/guest.py",
        "        except Exception as error:\n            refusal = self.unforeseen(pool, error)\n",
        "        except ArithmeticError as error:\n            refusal = self.unforeseen(pool, error)\n",
        (f"{_GUEST}test_an_exception_from_a_pools_data_is_a_refusal_of_the_pool",),
        "One malformed pool, which anyone can create, disables a whole pool kind.",
    ),
    Mutant(
        "pool-quote-error-escapes",
        11,
        "orderd/venues/guest.py",
        "            return self.side.quote(amount_in)\n        except SwapError:\n            raise\n"
        "        except Exception as error:\n",
        "            return self.side.quote(amount_in)\n        except SwapError:\n            raise\n"
        "        except ArithmeticError as error:\n",
        (f"{_GUEST}test_a_side_raises_nothing_but_swap_errors",),
        "One malformed pool, which anyone can create, stops every order of its pair.",
    ),
    Mutant(
        "refusing-pool-chosen-again",
        11,
        "orderd/engine/routing/quote_collection.py",
        "elif (reason := self._cooling.reason(pool.address)) is not None:",
        'elif (reason := self._cooling.reason(pool.address)) == "":',
        (f"{_COOLING}test_a_refusing_pool_is_not_chosen_until_it_has_cooled_down",),
        "A pool that quotes best and always refuses delays every order.",
    ),
    Mutant(
        "cooling-for-ever",
        11,
        "orderd/engine/routing/cooling.py",
        "return rest.reason if rest is not None and rest.until > self._clock() else None",
        "return rest.reason if rest is not None else None",
        (f"{_COOLING}test_a_refusing_pool_is_not_chosen_until_it_has_cooled_down",),
        "A deep pool that refused for a minute is not traded until the daemon restarts.",
    ),
    Mutant(
        "refusing-pool-kept-in-the-attempt",
        6,
        "orderd/engine/execution/rerouting.py",
        "            self._pools.add(refusal.pool)\n",
        "            pass\n",
        (f"{_REROUTING}test_no_route_uses_a_pool_that_refused",),
        "The attempt repeats the same route until its deadline although another route would succeed.",
    ),
    Mutant(
        "rerouting-for-ever",
        6,
        "orderd/engine/execution/rerouting.py",
        "        if self._clock() >= self._until:\n            raise refusal.error\n",
        "",
        (f"{_REROUTING}test_rerouting_ends_at_its_deadline",),
        "The attempt outlives its lease, is taken from its worker, and never ends.",
    ),
    Mutant(
        "wrapped-account-predictable",
        11,
        "orderd/engine/execution/swap_plan.py",
        "        return secrets.token_urlsafe(6)",
        "        return str(self.limit)",
        (
            "tests/unit/engine/test_building.py::"
            "test_a_trade_besides_existing_wrapped_sol_uses_an_unpredictable_account",
        ),
        "Anyone can send a lamport to the known address, and block all later trades.",
    ),
    Mutant(
        "sale-unwraps-the-rest",
        11,
        "orderd/solana/wrap.py",
        "if sells_native or token.NATIVE_MINT in",
        "if mint_in == token.NATIVE_MINT or token.NATIVE_MINT in",
        ("tests/unit/engine/test_building.py::test_a_sale_of_wrapped_sol_neither_wraps_nor_unwraps",),
        "An order that sells some wrapped SOL unwraps the rest, which other orders need.",
    ),
    Mutant(
        "wrapped-sol-promised-twice",
        11,
        "orderd/engine/execution/wallet_funds.py",
        "self.wrapped += need.amount",
        "self.wrapped += 0",
        ("tests/unit/engine/test_building.py::test_two_orders_of_a_batch_cannot_spend_the_same_sol",),
        "Orders of a batch that together exceed the wrapped SOL are all sent, and pay fees to fail.",
    ),
)
