"""Tokens and pools created while the chain runs are like all others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from solders.pubkey import Pubkey

from orderd.pools.raydium_cpmm.accounts import AmmConfig, PoolState
from orderd.simnet.actors import FAUCET
from orderd.simnet.genesis import USDC
from orderd.solana.programs import associated_token, token
from orderd.solana.programs.token import Mint, TokenAccount
from tests.integration.simnet.server import RpcFailureError
from tests.integration.simnet.stepped import Stepped, stepped


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Stepped]:
    with stepped(tmp_path) as chain:
        yield chain


def mint_of(chain: Stepped, mint: str) -> Mint:
    return Mint.decode(chain.bank.accounts[Pubkey.from_string(mint)].data)


def held(chain: Stepped, account: Pubkey) -> int:
    return TokenAccount.decode(chain.bank.accounts[account].data).amount


def pool(chain: Stepped, mint: str, **others: Any) -> Pubkey:
    wanted = {"mint": mint, "amount": 1_000_000, "quoteAmount": 5_000, **others}
    return Pubkey.from_string(chain.call("simnet_setPool", wanted))


def test_a_created_token_has_only_the_requested_authorities(chain: Stepped) -> None:
    owner = Pubkey.new_unique()
    plain = mint_of(chain, chain.call("simnet_createMint"))
    assert (plain.decimals, plain.mint_authority.key, plain.freeze_authority.key) == (6, None, None)
    address = chain.call(
        "simnet_createMint",
        {"decimals": 9, "mintAuthority": True, "freezeAuthority": True, "owner": str(owner), "amount": 77},
    )
    risky = mint_of(chain, address)
    assert (risky.decimals, risky.supply) == (9, 77)
    assert risky.mint_authority.key == risky.freeze_authority.key == FAUCET.pubkey()
    assert held(chain, associated_token.address(owner, Pubkey.from_string(address))) == 77


@pytest.mark.parametrize("quote", [str(USDC), str(token.NATIVE_MINT)])
def test_a_pool_is_created_and_its_amounts_are_changed_in_place(chain: Stepped, quote: str) -> None:
    mint = chain.call("simnet_createMint")
    made = pool(chain, mint, quote=quote, feeBps=30)
    state = PoolState.decode(chain.bank.accounts[made].data)
    assert {str(state.mint_0), str(state.mint_1)} == {mint, quote}
    assert {held(chain, state.vault_0), held(chain, state.vault_1)} == {1_000_000, 5_000}
    assert AmmConfig.decode(chain.bank.accounts[state.amm_config].data).trade_fee_rate == 3_000
    assert mint_of(chain, mint).supply == 1_000_000
    assert pool(chain, mint, quote=quote, feeBps=30, amount=400) == made
    assert mint_of(chain, mint).supply == 400
    assert pool(chain, mint, quote=quote, feeBps=31) != made, "another fee is another pool"


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"mint": str(USDC)}, "it is the mint itself"),
        ({"mint": str(FAUCET.pubkey())}, "is not a mint on this chain"),
        ({"mint": str(token.NATIVE_MINT), "feeBps": 5_001}, "is above 5000"),
        ({"mint": str(token.NATIVE_MINT), "amount": -1}, "amount"),
    ],
)
def test_an_impossible_pool_is_refused(chain: Stepped, wanted: dict[str, Any], why: str) -> None:
    with pytest.raises(RpcFailureError, match=why):
        chain.call("simnet_setPool", {"amount": 1, "quoteAmount": 1, **wanted})
