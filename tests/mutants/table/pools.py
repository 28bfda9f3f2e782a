"""Faulty pools: each affects only itself, and is left out of routes after it refuses."""

from typing import Final

from tests.mutants.mutant import Mutant

_GUEST: Final = "tests/unit/venues/test_guest.py::"
_COOLING: Final = "tests/unit/engine/test_cooling.py::"
_REROUTING: Final = "tests/unit/engine/test_rerouting.py::"

MUTANTS: Final = (
    Mutant(
        "reserved-bytes-overlooked",
        6,
        "orderd/solana/programs/unsupported.py",
        "        if any(value) if isinstance(value, bytes) else value:\n",
        "        if not isinstance(value, bytes) and value:\n",
        (
            "tests/unit/solana/test_reserved_bytes.py::test_a_reserved_byte_in_use_refuses_the_pool_with_the_fields_name",
        ),
        "An upgraded program takes a fee that no quote knows of, and orders go on as before.",
    ),
    Mutant(
        "purchases-left-behind",
        6,
        "orderd/pools/meteora_dlmm/program.py",
        '6104: ProgramError("InsufficientInAmount", ErrorCode.TX_SLIPPAGE_EXCEEDED),',
        '6104: ProgramError("InsufficientInAmount"),',
        ("tests/unit/simnet/test_swaps.py::test_the_error_of_a_purchase_above_its_limit_means_slippage",),
        "A purchase that the market has left behind is given up, and not tried again at its new price.",
    ),
    Mutant(
        "guests-break-the-read",
        11,
        "orderd/venues/guest.py",
        "        except Exception as error:\n            refusal = self.unforeseen(pool, error)\n",
        "        except ArithmeticError as error:\n            refusal = self.unforeseen(pool, error)\n",
        (f"{_GUEST}test_an_exception_from_a_pools_data_is_a_refusal_of_the_pool",),
        "One odd pool, which anybody can make, keeps a whole kind of pools from being traded in.",
    ),
    Mutant(
        "guests-break-the-search",
        11,
        "orderd/venues/guest.py",
        "            return self.side.quote(amount_in)\n        except SwapError:\n            raise\n"
        "        except Exception as error:\n",
        "            return self.side.quote(amount_in)\n        except SwapError:\n            raise\n"
        "        except ArithmeticError as error:\n",
        (f"{_GUEST}test_a_side_raises_nothing_but_swap_errors",),
        "One odd pool, which anybody can make, keeps every order of its pair from being routed.",
    ),
    Mutant(
        "refused-and-chosen-again",
        11,
        "orderd/engine/routing/quote_collection.py",
        "elif (reason := self._cooling.reason(pool.address)) is not None:",
        'elif (reason := self._cooling.reason(pool.address)) == "":',
        (f"{_COOLING}test_a_refusing_pool_is_not_chosen_until_it_has_cooled_down",),
        "A pool that promises most and always refuses takes a part of each order's time.",
    ),
    Mutant(
        "cooling-for-ever",
        11,
        "orderd/engine/routing/cooling.py",
        "return rest.reason if rest is not None and rest.until > self._clock() else None",
        "return rest.reason if rest is not None else None",
        (f"{_COOLING}test_a_refusing_pool_is_not_chosen_until_it_has_cooled_down",),
        "The deepest pool was closed for a minute, and is not traded in until the daemon starts anew.",
    ),
    Mutant(
        "refused-and-taken-again",
        6,
        "orderd/engine/execution/rerouting.py",
        "            self._pools.add(refusal.pool)\n",
        "            pass\n",
        (f"{_REROUTING}test_no_route_uses_a_pool_that_refused",),
        "The attempt takes the same route until its time is up, though another would do.",
    ),
    Mutant(
        "rerouting-for-ever",
        6,
        "orderd/engine/execution/rerouting.py",
        "        if self._clock() >= self._until:\n            raise refusal.error\n",
        "",
        (f"{_REROUTING}test_rerouting_ends_at_its_deadline",),
        "The attempt outlives its lease, is taken away from its worker, and is never worked to an end.",
    ),
    Mutant(
        "wrapped-at-one-address",
        11,
        "orderd/engine/execution/building.py",
        "        return secrets.token_urlsafe(6)",
        "        return str(self.limit)",
        (
            "tests/unit/engine/test_building.py::"
            "test_a_trade_besides_existing_wrapped_sol_uses_an_unpredictable_account",
        ),
        "Whoever sends a lamport to the address that the first trade showed keeps all others from being made.",
    ),
    Mutant(
        "wrapped-and-unwrapped",
        11,
        "orderd/solana/wrap.py",
        "if sells_native or token.NATIVE_MINT in",
        "if mint_in == token.NATIVE_MINT or token.NATIVE_MINT in",
        ("tests/unit/engine/test_building.py::test_a_sale_of_wrapped_sol_neither_wraps_nor_unwraps",),
        "An order that sells a part of the wallet's wrapped SOL unwraps the rest, which other orders were to sell.",
    ),
    Mutant(
        "wrapped-promised-twice",
        11,
        "orderd/engine/execution/wallet_funds.py",
        "self.wrapped += need.amount",
        "self.wrapped += 0",
        ("tests/unit/engine/test_building.py::test_two_orders_of_a_batch_cannot_spend_the_same_sol",),
        "All orders of a batch that together sell more than the wallet has wrapped are sent, and pay for failing.",
    ),
)
