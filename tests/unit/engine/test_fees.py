"""The priority fee: a percentile of fees paid for the same accounts, within limits, queried once."""

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from orderd.engine.execution.fees import FeeEstimate, FeeMarket, percentile
from orderd.solana.rpc import RpcClient, RpcTransportError
from orderd.solana.rpc_types import PrioritizationFee

PROGRAM, POOL, VAULT, OWNER = (Pubkey.from_bytes(bytes([number]) * 32) for number in (1, 2, 3, 4))
SWAP = Instruction(
    PROGRAM, b"", [AccountMeta(OWNER, True, True), AccountMeta(POOL, False, True), AccountMeta(PROGRAM, False, False)]
)
OTHER = Instruction(PROGRAM, b"", [AccountMeta(VAULT, False, True)])


class Chain(RpcClient):
    """Answers with ``paid`` or fails; records the queried accounts."""

    def __init__(self, *paid: int) -> None:
        self.paid = paid
        self.asked: list[tuple[Pubkey, ...]] = []
        self.is_down = False

    def get_recent_prioritization_fees(self, writable: object = ()) -> list[PrioritizationFee]:
        assert isinstance(writable, tuple)
        self.asked.append(writable)
        if self.is_down:
            raise RpcTransportError("refused")
        return [PrioritizationFee(slot, fee) for slot, fee in enumerate(self.paid)]


def market(chain: Chain, max_age: float = 60.0) -> FeeMarket:
    return FeeMarket(chain, percentile=75, floor=1_000, cap=50_000, max_age=max_age)


@pytest.mark.parametrize(
    ("paid", "price"),
    [((), 1_000), ((0, 0, 0, 0), 1_000), ((10, 2_000, 3_000, 9_000), 3_000), ((60_000, 60_000), 50_000)],
    ids=["no slots", "no fees", "within limits", "above the cap"],
)
def test_the_price_is_a_percentile_between_floor_and_cap(paid: tuple[int, ...], price: int) -> None:
    assert market(Chain(*paid)).price([SWAP]) == price


def test_only_shared_writable_accounts_are_queried() -> None:
    chain = Chain(5_000)
    market(chain).price([SWAP, OTHER])
    assert chain.asked == [(POOL, VAULT)]


def test_a_temporary_account_is_not_queried() -> None:
    chain = Chain(5_000)
    market(chain).price([SWAP, OTHER], VAULT)
    assert chain.asked == [(POOL,)]


def test_the_same_accounts_are_queried_once() -> None:
    chain = Chain(5_000)
    fees = market(chain)
    for swaps in ([SWAP], [SWAP], [SWAP, OTHER], [OTHER, SWAP]):
        fees.price(swaps)
    assert chain.asked == [(POOL,), (POOL, VAULT)]


def test_the_last_price_is_used_while_the_chain_is_unavailable() -> None:
    chain = Chain(5_000)
    fees = market(chain, max_age=-1.0)
    assert fees.last == 1_000
    assert fees.price([SWAP]) == 5_000
    chain.is_down = True
    assert fees.price([SWAP]) == fees.last == 5_000


@pytest.mark.parametrize(("rank", "value"), [(1, 1), (25, 1), (26, 2), (75, 3), (76, 4), (100, 4)])
def test_a_percentile_is_one_of_the_values(rank: int, value: int) -> None:
    assert percentile([4, 2, 1, 3], rank) == value


def test_an_estimate_is_the_signature_fee_plus_the_priority_fee() -> None:
    assert FeeEstimate(units=150_000, unit_price=10_000).lamports == 5_000 + 1_500
