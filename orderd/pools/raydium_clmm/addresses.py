"""Addresses of the accounts of a Raydium CLMM pool. Seeds: raydium-io/raydium-clmm, ``programs/amm/src/states``."""

from functools import lru_cache

from solders.pubkey import Pubkey

from orderd.pools.raydium_clmm.accounts import PoolState
from orderd.pools.raydium_clmm.program import PROGRAM_ID


def config_address(index: int, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    return _config(index, program_id)[0]


def config_bump(index: int, program_id: Pubkey = PROGRAM_ID) -> int:
    return _config(index, program_id)[1]


def _config(index: int, program_id: Pubkey) -> tuple[Pubkey, int]:
    return Pubkey.find_program_address([b"amm_config", index.to_bytes(2, "big")], program_id)


def pool_address(config: Pubkey, mint_0: Pubkey, mint_1: Pubkey, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    """The address of the pool of two mints, which are in byte order."""
    return Pubkey.find_program_address([b"pool", *map(bytes, (config, mint_0, mint_1))], program_id)[0]


def pool_bump(pool: PoolState, program_id: Pubkey = PROGRAM_ID) -> int:
    """The bump of the address derived from the pool's seeds."""
    return Pubkey.find_program_address(pool.seeds, program_id)[1]


def vault_address(pool: Pubkey, mint: Pubkey, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    return Pubkey.find_program_address([b"pool_vault", bytes(pool), bytes(mint)], program_id)[0]


def observation_address(pool: Pubkey, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    return Pubkey.find_program_address([b"observation", bytes(pool)], program_id)[0]


@lru_cache(maxsize=4096)
def tick_array_address(pool: Pubkey, start_tick_index: int, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    seeds = [b"tick_array", bytes(pool), start_tick_index.to_bytes(4, "big", signed=True)]
    return Pubkey.find_program_address(seeds, program_id)[0]


@lru_cache(maxsize=512)
def bitmap_extension_address(pool: Pubkey, program_id: Pubkey = PROGRAM_ID) -> Pubkey:
    return Pubkey.find_program_address([b"pool_tick_array_bitmap_extension", bytes(pool)], program_id)[0]
