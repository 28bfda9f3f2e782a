"""Creates tokens and pools while the chain runs, to test orders that wait for them.

Both appear in the open block without a transaction. Pools are of Raydium CPMM. Other amounts for an existing pool add
or remove liquidity.
"""

from dataclasses import replace
from hashlib import sha256
from itertools import count
from typing import Final

from solders.pubkey import Pubkey

from orderd.domain.pool_kind import PoolKind
from orderd.simnet.account import LedgerAccount
from orderd.simnet.actors import FAUCET
from orderd.simnet.bank import Bank
from orderd.simnet.genesis.accounts import USDC, FirstAccounts
from orderd.simnet.rpc.protocol import Json, Node, Params, integer, invalid_params, pubkey
from orderd.solana.pool_programs import part
from orderd.solana.programs import token
from orderd.solana.programs.token import Mint, OptionalKey, TokenAccount

_DECIMALS: Final = 6
_FIRST_CONFIG: Final = 1_000
"""Index of the first fee configuration of these pools; there is one per basis point."""
_RATES_PER_BPS: Final = 100
_RATES: Final = {"protocol_fee_rate": 120_000, "fund_fee_rate": 40_000, "creator_fee_rate": 0}
_MAX_BPS: Final = 5_000


class Launches:
    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._numbers = count(1)

    def create_mint(self, node: Node, params: Params) -> Json:  # noqa: ARG002
        """``[{decimals?, mintAuthority?, freezeAuthority?, owner?, amount?}]``: creates a token and returns its mint.

        The faucet holds the requested authorities; ``amount`` base units go to the owner.
        """
        wanted = params.options(0) if len(params) else {}
        name = f"mint {self._bank.open.slot}.{next(self._numbers)}"
        mint = Pubkey.from_bytes(sha256(name.encode()).digest())
        decimals = integer(wanted.get("decimals", _DECIMALS), "decimals")
        state = replace(
            Mint.new(decimals, authority=FAUCET.pubkey() if wanted.get("mintAuthority") else None),
            freeze_authority=OptionalKey.of(FAUCET.pubkey() if wanted.get("freezeAuthority") else None),
        )
        first = FirstAccounts(self._bank.open.time)
        first.mint(mint, state)
        if "owner" in wanted:
            first.tokens(pubkey(wanted["owner"]), mint, integer(wanted.get("amount", 0), "amount"))
        self._bank.replace(first.accounts)
        return str(mint)

    def set_pool(self, node: Node, params: Params) -> Json:  # noqa: ARG002
        """``[{mint, amount, quote?, quoteAmount, feeBps?}]``: sets the amounts of the pool of two tokens with this fee.

        Amounts are in base units; ``quote`` is USDC by default. The pool is created if it does not exist. Returns its
        address.
        """
        wanted = params.options(0)
        mint, quote = pubkey(wanted.get("mint")), pubkey(wanted.get("quote", str(USDC)))
        fee_bps = integer(wanted.get("feeBps", 25), "feeBps")
        if fee_bps > _MAX_BPS:
            raise invalid_params(f"Invalid params: feeBps: {fee_bps} is above {_MAX_BPS}")
        amounts = {
            mint: integer(wanted.get("amount"), "amount"),
            quote: integer(wanted.get("quoteAmount"), "quoteAmount"),
        }
        if len(amounts) == 1:
            raise invalid_params("Invalid params: quote: it is the mint itself")
        mint_0, mint_1 = sorted(amounts, key=bytes)
        genesis, addresses = (part(PoolKind.RAYDIUM_CPMM, each) for each in ("simnet.genesis", "addresses"))
        config = _FIRST_CONFIG + fee_bps
        pool = addresses.pool_address(addresses.config_address(config), mint_0, mint_1)
        there = {each: self._without(each, addresses.vault_address(pool, each)) for each in amounts}
        first = FirstAccounts(self._bank.open.time, dict(there))
        rates = _RATES | {"trade_fee_rate": fee_bps * _RATES_PER_BPS}
        genesis.add(first, pool, config, rates, mint_1, (amounts[mint_0], amounts[mint_1]), {}, mint_0)
        self._bank.replace(first.accounts)
        return str(pool)

    def _without(self, mint: Pubkey, vault: Pubkey) -> LedgerAccount:
        """The mint's account as if the vault were empty: the amount for the vault is added to the supply."""
        account = self._bank.accounts.get(mint)
        if account is None or account.owner not in token.PROGRAM_IDS:
            raise invalid_params(f"Invalid param: {mint} is not a mint on this chain")
        held = self._bank.accounts.get(vault)
        if held is None or mint == token.NATIVE_MINT:
            return account
        state = Mint.decode(account.data)
        supply = max(state.supply - TokenAccount.decode(held.data).amount, 0)
        return account._replace(data=replace(state, supply=supply).encode())
