"""Injected faults: their frequency, and their effects for senders and readers."""

import pytest
from pydantic import ValidationError
from solders.pubkey import Pubkey

from orderd.domain.pool_kind import VenueName
from orderd.simnet.faults import Dice, Faults
from orderd.simnet.mempool import Mempool
from orderd.simnet.transaction import Transaction, decode
from orderd.solana.programs import system
from tests.unit.simnet.conftest import LocalChain
from tests.unit.simnet.world import SOL

SHOP = Pubkey.from_bytes(bytes([7] * 32))


def dice(**faults: object) -> Dice:
    return Dice(Faults.model_validate(faults), seed=1, start=0)


def payment(chain: LocalChain) -> Transaction:
    return chain.transaction([system.transfer(chain.trader.pubkey(), SHOP, SOL)])


def test_no_fault_occurs_without_settings() -> None:
    calm = dice()

    assert not any(calm.drops_send() or calm.refuses() or calm.fails_swaps() for _ in range(1_000))
    assert not any(calm.fork_depth() for _ in range(1_000))
    assert {calm.lag() or calm.late_by() or calm.latency() or calm.reset() for _ in range(1_000)} == {None}


def test_faults_occur_at_their_rates() -> None:
    chances = dice(dropped_sends=0.3, http_429=0.1, connection_resets=0.2)

    assert 0.27 < sum(chances.drops_send() for _ in range(10_000)) / 10_000 < 0.33
    assert 0.08 < sum(chances.refuses() for _ in range(10_000)) / 10_000 < 0.12
    resets = [chances.reset() for _ in range(10_000)]
    assert 0.08 < resets.count("before") / 10_000 < 0.12
    assert 0.08 < resets.count("after") / 10_000 < 0.12


def test_values_stay_within_their_ranges() -> None:
    chances = dice(late_landing=1, late_slots=(3, 5), lagging_reads=1, lag_slots=(2, 4), latency_ms=(10, 20))

    assert {chances.late_by() for _ in range(200)} == {3, 4, 5}
    assert {chances.lag() for _ in range(200)} == {2, 3, 4}
    assert all(0.010 <= chances.latency() <= 0.020 for _ in range(200))


def test_an_answer_is_as_late_as_its_slowest_venue() -> None:
    chances = dice(venue_latency_ms={"raydium": (10, 20), "meteora": (300, 400)})

    assert {chances.venue_latency([]) for _ in range(20)} == {0}
    assert all(0.010 <= chances.venue_latency([VenueName.RAYDIUM]) <= 0.020 for _ in range(200))
    assert all(0.300 <= chances.venue_latency(VenueName) <= 0.400 for _ in range(200))


def test_nodes_of_a_pool_answer_by_their_weights() -> None:
    chances = dice(views={"honest": 3, "forked": 1})

    met = [chances.view() for _ in range(10_000)]

    assert set(met) == {"honest", "forked"}
    assert 0.22 < met.count("forked") / 10_000 < 0.28


def test_forks_occur_at_their_rate_and_depth() -> None:
    chances = dice(fork_rate=0.2, fork_depth=(2, 4), landing_again=0.7, late_slots=(1, 3))

    depths = [chances.fork_depth() for _ in range(10_000)]

    assert set(depths) == {0, 2, 3, 4}
    assert 0.17 < sum(depth > 0 for depth in depths) / 10_000 < 0.23
    assert 0.67 < sum(chances.lands_again() for _ in range(10_000)) / 10_000 < 0.73
    assert {chances.again_after() for _ in range(200)} == {1, 2, 3}


def test_faults_are_repeatable_per_start_and_differ_after_a_restart() -> None:
    faults = Faults(dropped_sends=0.5)

    def throws(start: int) -> list[bool]:
        chances = Dice(faults, seed=9, start=start)
        return [chances.drops_send() for _ in range(64)]

    assert throws(100) == throws(100) != throws(101)


def test_one_fault_does_not_shift_another() -> None:
    alone, together = dice(http_429=0.5), dice(http_429=0.5, dropped_sends=0.5)
    for _ in range(10):
        together.drops_send()

    assert [alone.refuses() for _ in range(64)] == [together.refuses() for _ in range(64)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"dropped_sends": 1.1},
        {"late_slots": (5, 1)},
        {"lag_slots": (1, 1_000)},
        {"venue_outage": ["x"]},
        {"typo": 1},
        {"venue_latency_ms": {"x": (1, 2)}},
        {"venue_latency_ms": {"raydium": (2, 1)}},
    ],
)
def test_invalid_faults_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Faults.model_validate(wrong)


def test_a_dropped_send_never_lands(chain: LocalChain) -> None:
    transaction = payment(chain)
    Mempool(chain.bank, dice(dropped_sends=1)).send(transaction)
    chain.seal(160)

    assert transaction.signature not in chain.bank.statuses
    assert SHOP not in chain.bank.accounts


def test_a_late_transaction_lands_in_its_slot(chain: LocalChain) -> None:
    transaction = payment(chain)
    due = chain.bank.open.slot + 4
    Mempool(chain.bank, dice(late_landing=1, late_slots=(4, 4))).send(transaction)

    chain.seal(3)
    assert transaction.signature not in chain.bank.statuses
    chain.seal()
    assert chain.bank.statuses[transaction.signature].slot == due


def test_a_late_transaction_that_has_expired_does_not_land(chain: LocalChain) -> None:
    transaction = payment(chain)
    mempool = Mempool(chain.bank, dice(late_landing=1, late_slots=(10, 10)))
    chain.seal(145)
    mempool.send(transaction)
    chain.seal(20)

    assert transaction.signature not in chain.bank.statuses


def test_a_late_copy_of_a_landed_transaction_changes_nothing(chain: LocalChain) -> None:
    transaction = payment(chain)
    Mempool(chain.bank, dice(late_landing=1, late_slots=(4, 4))).send(transaction)
    Mempool(chain.bank, dice()).send(transaction)
    chain.seal(10)

    assert chain.account(SHOP).lamports == SOL


def test_an_unsigned_transaction_is_lost_silently(chain: LocalChain) -> None:
    good, other = payment(chain), payment(chain)
    forged = type(good.parsed).populate(other.parsed.message, list(good.signatures))
    Mempool(chain.bank, dice()).send(decode(bytes(forged)))

    assert SHOP not in chain.bank.accounts
