"""Mint accounts, plain ones and those of Token-2022 with extensions, and a node that returns them."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from solders.pubkey import Pubkey

from orderd.solana.mints import METADATA_PROGRAM, TransferFeeConfig, metadata_address
from orderd.solana.programs import token
from orderd.solana.programs.token import Extension, Mint, OptionalKey
from orderd.solana.rpc import ChainAccount, RpcError
from orderd.solana.rpc_types import AtSlot

SOMEBODY = Pubkey([7] * 32)
NOBODY = Pubkey.default()
RENT = 1_461_600


def account(data: bytes, owner: Pubkey = token.PROGRAM_ID) -> ChainAccount:
    return ChainAccount(lamports=RENT, owner=owner, data=data, executable=False)


def plain(decimals: int = 6, *, mint_authority: Pubkey | None = None, freeze: Pubkey | None = None) -> Mint:
    made = Mint.new(decimals, authority=mint_authority)
    return Mint(made.mint_authority, 0, decimals, 1, OptionalKey.of(freeze))


def spl(decimals: int = 6, *, mint_authority: Pubkey | None = None, freeze: Pubkey | None = None) -> ChainAccount:
    return account(plain(decimals, mint_authority=mint_authority, freeze=freeze).encode())


def extended(mint: Mint, *extensions: tuple[int, bytes]) -> ChainAccount:
    """A mint of Token-2022 with extensions, each given as its type and content."""
    data = mint.encode() + bytes(83) + bytes([token.EXTENDED_MINT])
    for kind, content in extensions:
        data += struct.pack("<HH", kind, len(content)) + content
    return account(data, token.TOKEN_2022_PROGRAM_ID)


def fee(bps: int, maximum: int, *, later: tuple[int, int, int] | None = None) -> tuple[int, bytes]:
    """The extension for transfer fees. ``later`` is the next fee: its epoch, rate in basis points, and maximum."""
    epoch, later_bps, later_maximum = later or (0, bps, maximum)
    config = TransferFeeConfig(SOMEBODY, SOMEBODY, 0, 0, maximum, bps, epoch, later_maximum, later_bps)
    return Extension.TRANSFER_FEE, config.encode()


def named(mint: Pubkey, name: str) -> ChainAccount:
    """The account in which Metaplex' program stores the name of a mint."""
    encoded = name.encode()
    return account(
        b"\x04" + bytes(SOMEBODY) + bytes(mint) + struct.pack("<I", len(encoded)) + encoded, METADATA_PROGRAM
    )


@dataclass
class MintChain:
    """A node that returns the accounts it was given. While ``away`` is set, it does not answer."""

    accounts: dict[Pubkey, ChainAccount] = field(default_factory=dict)
    away: bool = False
    asked: list[list[Pubkey]] = field(default_factory=list)

    def has(self, mint: Pubkey, content: ChainAccount, name: str | None = None) -> str:
        """Store the account of a mint and its name, and return its address."""
        self.accounts[mint] = content
        if name is not None:
            self.accounts[metadata_address(mint)] = named(mint, name)
        return str(mint)

    def get_multiple_accounts(self, keys: Sequence[Pubkey]) -> AtSlot[list[ChainAccount | None]]:
        if self.away:
            raise RpcError("the node does not answer")
        self.asked.append([*keys])
        return AtSlot(9, [self.accounts.get(key) for key in keys])
