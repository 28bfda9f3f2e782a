"""Addresses of the accounts of a Raydium CPMM pool. Seeds: raydium-io/raydium-cp-swap,
``programs/cp-swap/src/states``."""

from functools import lru_cache

from solders.pubkey import Pubkey

from orderd.pools.raydium_cpmm.program import PROGRAM_ID


@lru_cache
def authority_address(program_id: Pubkey = PROGRAM_ID) -> tuple[Pubkey, int]:
    """The owner of all vaults, and its bump."""
    return Pubkey.find_program_address([b"vault_and_lp_mint_auth_seed"], program_id)


def config_address(index: int, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    return _config(index, program_id)[0]


def config_bump(index: int, program_id: Pubkey = PROGRAM_ID) -> int:
    return _config(index, program_id)[1]


def _config(index: int, program_id: Pubkey) -> tuple[Pubkey, int]:
    return Pubkey.find_program_address([b"amm_config", index.to_bytes(2, "big")], program_id)


def pool_address(config: Pubkey, mint_0: Pubkey, mint_1: Pubkey, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    """The usual address of the pool of two mints, which are in byte order; a pool may have any other address too."""
    return Pubkey.find_program_address([b"pool", bytes(config), bytes(mint_0), bytes(mint_1)], program_id)[0]


def vault_address(pool: Pubkey, mint: Pubkey, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    return Pubkey.find_program_address([b"pool_vault", bytes(pool), bytes(mint)], program_id)[0]


def lp_mint_address(pool: Pubkey, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    return Pubkey.find_program_address([b"pool_lp_mint", bytes(pool)], program_id)[0]


def observation_address(pool: Pubkey, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    return Pubkey.find_program_address([b"observation", bytes(pool)], program_id)[0]
