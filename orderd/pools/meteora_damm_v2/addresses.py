"""Addresses of the accounts of a Meteora DAMM v2 pool. Seeds: MeteoraAg/damm-v2,
``programs/cp-amm/src/constants.rs``."""

from typing import Final

from solders.pubkey import Pubkey

from orderd.pools.meteora_damm_v2.program import PROGRAM_ID

POOL_AUTHORITY_ADDRESS: Final = Pubkey.find_program_address([b"pool_authority"], PROGRAM_ID)[0]
"""The owner of all vaults."""

EVENT_AUTHORITY_ADDRESS: Final = Pubkey.find_program_address([b"__event_authority"], PROGRAM_ID)[0]


def vault_address(pool: Pubkey, mint: Pubkey) -> Pubkey:
    return Pubkey.find_program_address([b"token_vault", bytes(mint), bytes(pool)], PROGRAM_ID)[0]
