"""Account and instruction layouts: sizes, discriminators, addresses and round trips match the programs."""

import hashlib
import random

import pytest
from solders.pubkey import Pubkey

from orderd.pools.meteora_dlmm import accounts as meteora_dlmm_accounts
from orderd.pools.meteora_dlmm import addresses as meteora_dlmm_addresses
from orderd.pools.meteora_dlmm import bin_array as meteora_dlmm_bin_array
from orderd.pools.meteora_dlmm import instructions as meteora_dlmm_instructions
from orderd.pools.meteora_dlmm.simnet import handler as meteora_dlmm_handler
from orderd.pools.meteora_dlmm.simnet import oracle as meteora_dlmm_oracle
from orderd.pools.raydium_cpmm import accounts as raydium_cpmm_accounts
from orderd.pools.raydium_cpmm import addresses as raydium_cpmm_addresses
from orderd.pools.raydium_cpmm import instructions as raydium_cpmm_instructions
from orderd.pools.raydium_cpmm.simnet import handler as raydium_cpmm_handler
from orderd.pools.raydium_cpmm.simnet import observation as raydium_cpmm_observation
from orderd.solana.programs import associated_token, compute_budget, token
from orderd.solana.programs.layout import LayoutError, Record

ACCOUNTS: list[tuple[type[Record], int]] = [
    (token.Mint, 82),
    (token.TokenAccount, 165),
    (raydium_cpmm_accounts.AmmConfig, 236),
    (raydium_cpmm_accounts.PoolState, 637),
    (raydium_cpmm_observation.ObservationState, 4075),
    (meteora_dlmm_accounts.LbPair, 904),
    (meteora_dlmm_bin_array.BinArray, 10136),
    (meteora_dlmm_bin_array.Bin, 144),
    (meteora_dlmm_accounts.BitmapExtension, 1576),
    (meteora_dlmm_oracle.Oracle, 32),
]


@pytest.mark.parametrize(("kind", "size"), ACCOUNTS, ids=lambda value: getattr(value, "__name__", ""))
def test_an_account_has_the_size_the_program_gives_it(kind: type[Record], size: int) -> None:
    assert kind.size() == size


@pytest.mark.parametrize("kind", [kind for kind, _ in ACCOUNTS], ids=lambda kind: str(kind.__name__))
def test_any_bytes_survive_a_round_trip(kind: type[Record]) -> None:
    generator = random.Random(kind.__name__)
    for _ in range(20):
        data = kind.DISCRIMINATOR + generator.randbytes(kind.size() - len(kind.DISCRIMINATOR))
        assert kind.decode(data).encode() == data


@pytest.mark.parametrize("kind", [kind for kind, _ in ACCOUNTS], ids=lambda kind: str(kind.__name__))
def test_truncated_bytes_are_refused(kind: type[Record]) -> None:
    with pytest.raises(LayoutError, match="takes"):
        kind.decode((kind.DISCRIMINATOR + bytes(kind.size()))[: kind.size() - 1])


def test_an_account_of_another_kind_is_refused() -> None:
    with pytest.raises(LayoutError, match="starts with"):
        raydium_cpmm_accounts.PoolState.decode(bytes(637))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (raydium_cpmm_accounts.AmmConfig, "account:AmmConfig"),
        (raydium_cpmm_accounts.PoolState, "account:PoolState"),
        (raydium_cpmm_observation.ObservationState, "account:ObservationState"),
        (raydium_cpmm_instructions.SwapBaseInput, "global:swap_base_input"),
        (raydium_cpmm_instructions.SwapBaseOutput, "global:swap_base_output"),
        (meteora_dlmm_accounts.LbPair, "account:LbPair"),
        (meteora_dlmm_bin_array.BinArray, "account:BinArray"),
        (meteora_dlmm_accounts.BitmapExtension, "account:BinArrayBitmapExtension"),
        (meteora_dlmm_oracle.Oracle, "account:Oracle"),
        (meteora_dlmm_instructions.Swap2, "global:swap2"),
        (meteora_dlmm_instructions.SwapExactOut2, "global:swap_exact_out2"),
    ],
    ids=lambda value: str(getattr(value, "__name__", "")),
)
def test_discriminators_are_those_of_anchor(kind: type[Record], name: str) -> None:
    assert hashlib.sha256(name.encode()).digest()[:8] == kind.DISCRIMINATOR


def test_fields_have_the_programs_offsets() -> None:
    marked = bytearray(raydium_cpmm_accounts.PoolState.DISCRIMINATOR + bytes(629))
    marked[168:200] = b"\x01" * 32
    marked[329] = raydium_cpmm_accounts.PoolStatus.SWAP_DISABLED
    marked[373:381] = (77).to_bytes(8, "little")
    marked[405:413] = (99).to_bytes(8, "little")
    state = raydium_cpmm_accounts.PoolState.decode(bytes(marked))
    assert (bytes(state.mint_0), state.status, state.open_time, state.creator_fees_1) == (b"\x01" * 32, 4, 77, 99)
    assert raydium_cpmm_accounts.PoolState.offset("mint_0") == 168

    pair = bytearray(meteora_dlmm_accounts.LbPair.DISCRIMINATOR + bytes(896))
    pair[76:80] = (-2287).to_bytes(4, "little", signed=True)
    pair[80:82] = (10).to_bytes(2, "little")
    pair[88:120] = b"\x02" * 32
    pair[216:224] = (5).to_bytes(8, "little")
    pair[552:584] = b"\x03" * 32
    pair[584] = 1
    pair[816:824] = (123).to_bytes(8, "little")
    decoded = meteora_dlmm_accounts.LbPair.decode(bytes(pair))
    assert (decoded.active_id, decoded.bin_step, bytes(decoded.mint_x)) == (-2287, 10, b"\x02" * 32)
    assert (decoded.protocol_fee_x, bytes(decoded.oracle), decoded.bin_array_bitmap) == (5, b"\x03" * 32, 1)
    assert decoded.activation_point == 123


def test_program_addresses_are_those_on_mainnet() -> None:
    authority = Pubkey.from_string("GpMZbSM2GgvTKHJirzeGfMFoaZ8UR2X7F4v8vHTvxFbL")
    assert raydium_cpmm_addresses.authority_address() == (authority, 253)
    assert str(raydium_cpmm_addresses.config_address(0)) == "D4FPEruKEHrG5TenZ2mpDGEfu1iUvTiqBxvpU8HLBvC2"
    assert str(meteora_dlmm_addresses.EVENT_AUTHORITY_ADDRESS) == "D1ZN9Wj1fRSUQfCjhvnu1hqDMT7hzjzBBpi12nVniYD6"


def test_an_associated_account_has_the_address_of_solders() -> None:
    from solders.token.associated import get_associated_token_address

    owner, mint = Pubkey.from_bytes(b"\x07" * 32), token.NATIVE_MINT
    assert associated_token.address(owner, mint) == get_associated_token_address(owner, mint)


def test_swaps_decode_to_what_was_encoded() -> None:
    for order in (raydium_cpmm_instructions.SwapBaseInput(5, 4), raydium_cpmm_instructions.SwapBaseOutput(5, 4)):
        assert raydium_cpmm_handler.decode_instruction(order.encode()) == order
    for swap in (meteora_dlmm_instructions.Swap2(5, 4), meteora_dlmm_instructions.SwapExactOut2(5, 4)):
        assert meteora_dlmm_handler.decode_instruction(swap.encode()) == swap
    assert (
        meteora_dlmm_instructions.Swap2(5, 4).encode().hex()
        == "414b3f4ceb5b5b88" + "05" + "00" * 7 + "04" + "00" * 7 + "00000000"
    )
    assert (
        raydium_cpmm_instructions.SwapBaseInput(5, 4).encode().hex()
        == "8fbe5adac41e33de" + "05" + "00" * 7 + "04" + "00" * 7
    )


@pytest.mark.parametrize("decode", [raydium_cpmm_handler.decode_instruction, meteora_dlmm_handler.decode_instruction])
def test_another_instruction_of_a_dex_is_not_a_swap(decode: object) -> None:
    with pytest.raises(LayoutError, match="not a swap"):
        decode(b"\x00" * 24)  # type: ignore[operator]


TOKEN_INSTRUCTIONS = [
    token.Transfer(5),
    token.MintTo(5),
    token.Burn(5),
    token.CloseAccount(),
    token.TransferChecked(5, 6),
    token.SyncNative(),
    token.InitializeAccount3(token.NATIVE_MINT),
    token.InitializeMint2(6, token.NATIVE_MINT),
]


@pytest.mark.parametrize("instruction", TOKEN_INSTRUCTIONS, ids=lambda each: type(each).__name__)
def test_token_instructions_decode_to_what_was_encoded(instruction: token.TokenInstruction) -> None:
    assert token.decode_instruction(instruction.encode()) == instruction


@pytest.mark.parametrize("data", [b"", b"\xff"])
def test_an_unknown_tag_is_refused(data: bytes) -> None:
    with pytest.raises(LayoutError, match="tag"):
        token.decode_instruction(data)
    with pytest.raises(LayoutError, match="tag"):
        compute_budget.decode_instruction(data)


def test_compute_budget_instructions_are_parsed() -> None:
    limit, price = compute_budget.budget(80_000, 10_000)
    assert compute_budget.decode_instruction(limit.data) == compute_budget.SetComputeUnitLimit(80_000)
    assert compute_budget.decode_instruction(price.data) == compute_budget.SetComputeUnitPrice(10_000)
    assert compute_budget.priority_fee(80_000, 10_000) == 800
    assert compute_budget.priority_fee(1, 1) == 1
    assert len(compute_budget.budget(80_000, 0)) == 1


def test_a_mint_names_its_token_2022_extensions() -> None:
    plain = token.Mint.new(6)
    transfer_fee = (1).to_bytes(2, "little") + (108).to_bytes(2, "little") + bytes(108)
    pointer = (18).to_bytes(2, "little") + (64).to_bytes(2, "little") + bytes(64)
    extended = plain.encode() + bytes(83) + b"\x01" + transfer_fee + pointer
    assert plain.extensions_by_type() == {}
    assert token.Mint.decode(extended).extensions_by_type() == {1: bytes(108), 18: bytes(64)}
    assert token.Mint.decode(extended).encode() == extended
    with pytest.raises(LayoutError, match="extension 18"):
        token.Mint.decode(extended[:-1]).extensions_by_type()
