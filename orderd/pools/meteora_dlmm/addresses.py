"""Addresses of the accounts of a Meteora DLMM pool. Seeds: MeteoraAg/dlmm-sdk, ``commons/src/pda.rs``."""

from functools import lru_cache
from typing import Final

from solders.pubkey import Pubkey

from orderd.pools.meteora_dlmm.accounts import LbPair
from orderd.pools.meteora_dlmm.program import PROGRAM_ID

EVENT_AUTHORITY_ADDRESS: Final = Pubkey.find_program_address([b"__event_authority"], PROGRAM_ID)[0]


@lru_cache(maxsize=4096)
def bin_array_address(lb_pair: Pubkey, index: int) -> Pubkey:
    seeds = [b"bin_array", bytes(lb_pair), index.to_bytes(8, "little", signed=True)]
    return Pubkey.find_program_address(seeds, PROGRAM_ID)[0]


@lru_cache(maxsize=512)
def bitmap_extension_address(lb_pair: Pubkey) -> Pubkey:
    return Pubkey.find_program_address([b"bitmap", bytes(lb_pair)], PROGRAM_ID)[0]


def reserve_address(lb_pair: Pubkey, mint: Pubkey) -> Pubkey:
    return Pubkey.find_program_address([bytes(lb_pair), bytes(mint)], PROGRAM_ID)[0]


def oracle_address(lb_pair: Pubkey) -> Pubkey:
    return Pubkey.find_program_address([b"oracle", bytes(lb_pair)], PROGRAM_ID)[0]


def bump_of(pair: LbPair) -> int:
    """The bump of the address derived from the pair's seeds."""
    return Pubkey.find_program_address(pair.seeds, PROGRAM_ID)[1]


def pair_address(mint_x: Pubkey, mint_y: Pubkey, bin_step: int, base_factor: int) -> Pubkey:
    """The usual address of a permissionless pool. Other schemes exist, so clients must find pools and not derive their
    address."""
    low, high = sorted((bytes(mint_x), bytes(mint_y)))
    seeds = [low, high, bin_step.to_bytes(2, "little"), base_factor.to_bytes(2, "little")]
    return Pubkey.find_program_address(seeds, PROGRAM_ID)[0]
