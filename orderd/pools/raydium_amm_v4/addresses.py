"""The address of the authority of Raydium AMM v4 pools. Seeds: raydium-io/raydium-amm, ``program/src/processor.rs``."""

from functools import lru_cache

from solders.pubkey import Pubkey

from orderd.pools.raydium_amm_v4.program import PROGRAM_ID


@lru_cache
def authority_address(program_id: Pubkey = PROGRAM_ID) -> tuple[Pubkey, int]:
    """The owner of all vaults, and its bump, which AmmInfo stores as ``nonce``."""
    return Pubkey.find_program_address([b"amm authority"], program_id)
