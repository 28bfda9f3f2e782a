"""Reads a token's properties, transfer fee and name from its mint.

The name is in the mint itself (Token-2022), or in an account of Metaplex's Token Metadata program:
https://github.com/metaplex-foundation/mpl-token-metadata, ``programs/token-metadata/program/src/state/metadata.rs``.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from orderd.amm.transfer_fee import FeeSchedule, TransferFee
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.mint import MintFacts, Trait, display_name
from orderd.solana.programs import token
from orderd.solana.programs.layout import U8, U16, U64, Key, LayoutError, Record, Tail
from orderd.solana.programs.token import AccountState, Extension
from orderd.solana.rpc import ChainAccount

METADATA_PROGRAM: Final = Pubkey.from_string("metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s")
_NAME_AT: Final = 65
_EXTENSION_NAME_AT: Final = 64
_HARMLESS: Final = frozenset(
    {
        Extension.CLOSE_AUTHORITY,
        Extension.METADATA_POINTER,
        Extension.METADATA,
        Extension.GROUP_POINTER,
        Extension.GROUP,
        Extension.GROUP_MEMBER_POINTER,
        Extension.GROUP_MEMBER,
    }
)
_BY_PRESENCE: Final[Mapping[int, Trait]] = {
    Extension.CONFIDENTIAL_TRANSFER: Trait.CONFIDENTIAL,
    Extension.CONFIDENTIAL_TRANSFER_FEE: Trait.CONFIDENTIAL,
    Extension.CONFIDENTIAL_MINT_BURN: Trait.CONFIDENTIAL,
    Extension.NON_TRANSFERABLE: Trait.NON_TRANSFERABLE,
    Extension.INTEREST: Trait.SCALED_AMOUNT,
    Extension.SCALED_AMOUNT: Trait.SCALED_AMOUNT,
    Extension.PAUSABLE: Trait.PAUSABLE,
}


@dataclass(frozen=True, slots=True)
class TransferFeeConfig(Record):
    """The transfer fee extension of a mint. An authority of all zeros means that there is none."""

    fee_authority: Key
    withdraw_authority: Key
    withheld: U64
    older_epoch: U64
    older_maximum: U64
    older_bps: U16
    newer_epoch: U64
    newer_maximum: U64
    newer_bps: U16

    @property
    def schedule(self) -> FeeSchedule:
        older = TransferFee(self.older_bps, self.older_maximum)
        return FeeSchedule(older, TransferFee(self.newer_bps, self.newer_maximum), self.newer_epoch)


@dataclass(frozen=True, slots=True)
class _Hook(Record):
    authority: Key
    program: Key


@dataclass(frozen=True, slots=True)
class _Delegate(Record):
    delegate: Key


@dataclass(frozen=True, slots=True)
class _CloseAuthority(Record):
    authority: Key


@dataclass(frozen=True, slots=True)
class _State(Record):
    state: U8
    rest: Tail = b""


def metadata_address(mint: Pubkey) -> Pubkey:
    """The address of the mint's account of Metaplex's Token Metadata program."""
    seeds = [b"metadata", bytes(METADATA_PROGRAM), bytes(mint)]
    return Pubkey.find_program_address(seeds, METADATA_PROGRAM)[0]


def facts_of(mint: Pubkey, account: ChainAccount | None, metadata: ChainAccount | None = None) -> MintFacts:
    """The properties of a mint, with the name from ``metadata`` if given. Raises OrderdError TOKEN_NO_MINT if it is not
    a mint."""
    if account is None:
        raise _no_mint(mint, "there is no such account")
    if account.owner not in token.PROGRAM_IDS:
        raise _no_mint(mint, f"it belongs to {account.owner}, which is not a token program")
    try:
        decoded = token.Mint.decode(account.data)
        added = decoded.extensions_by_type()
        if not decoded.is_initialized or not decoded.is_of(account.owner):
            raise _no_mint(mint, "the account holds something else")
        config = _fee_config(added)
        traits = frozenset(_traits(decoded, added, config))
    except LayoutError as error:
        raise _no_mint(mint, f"its account cannot be read: {error}") from error
    return MintFacts(
        str(mint),
        decoded.decimals,
        str(account.owner),
        traits,
        _name(added.get(Extension.METADATA), metadata),
        0 if config is None else max(config.older_bps, config.newer_bps),
    )


def fee_schedule(mint: token.Mint) -> FeeSchedule | None:
    """The transfer fee of a mint; None if it has none. Raises LayoutError."""
    config = _fee_config(mint.extensions_by_type())
    return None if config is None else config.schedule


def can_be_closed(mint: ChainAccount | None) -> bool:
    """Whether an authority can close this mint while no account holds the token. Raises LayoutError."""
    added = {} if mint is None else token.Mint.decode(mint.data).extensions_by_type()
    data = added.get(Extension.CLOSE_AUTHORITY)
    return data is not None and _is_set(_CloseAuthority.decode(data).authority)


def _fee_config(added: Mapping[int, bytes]) -> TransferFeeConfig | None:
    data = added.get(Extension.TRANSFER_FEE)
    return None if data is None else TransferFeeConfig.decode(data)


def _traits(mint: token.Mint, added: Mapping[int, bytes], config: TransferFeeConfig | None) -> Iterator[Trait]:
    """Raises LayoutError."""
    if mint.mint_authority.key is not None:
        yield Trait.MINT_AUTHORITY
    if mint.freeze_authority.key is not None:
        yield Trait.FREEZE_AUTHORITY
    if config is not None and (config.older_bps or config.newer_bps or _is_set(config.fee_authority)):
        yield Trait.TRANSFER_FEE
    for kind, data in added.items():
        trait = _BY_CONTENT[kind](data) if kind in _BY_CONTENT else _BY_PRESENCE.get(kind)
        if trait is not None:
            yield trait
        elif kind not in _KNOWN:
            yield Trait.UNKNOWN_EXTENSION


def _delegate(data: bytes) -> Trait | None:
    return Trait.PERMANENT_DELEGATE if _is_set(_Delegate.decode(data).delegate) else None


def _default_state(data: bytes) -> Trait | None:
    return None if _State.decode(data).state == AccountState.INITIALIZED else Trait.FROZEN_BY_DEFAULT


def _hook(data: bytes) -> Trait | None:
    hook = _Hook.decode(data)
    if _is_set(hook.program):
        return Trait.TRANSFER_HOOK
    return Trait.HOOK_AUTHORITY if _is_set(hook.authority) else None


_BY_CONTENT: Final[Mapping[int, Callable[[bytes], Trait | None]]] = {
    Extension.PERMANENT_DELEGATE: _delegate,
    Extension.DEFAULT_STATE: _default_state,
    Extension.TRANSFER_HOOK: _hook,
}
_KNOWN: Final = frozenset({*_HARMLESS, *_BY_PRESENCE, *_BY_CONTENT, Extension.TRANSFER_FEE})


def _is_set(key: Pubkey) -> bool:
    return key != Pubkey.default()


def _name(extension: bytes | None, metadata: ChainAccount | None) -> str:
    if extension is not None:
        return _text(extension, _EXTENSION_NAME_AT)
    if metadata is not None and metadata.owner == METADATA_PROGRAM:
        return _text(metadata.data, _NAME_AT)
    return ""


def _text(data: bytes, at: int) -> str:
    """A text after its length. Truncated data and invalid bytes are ignored."""
    if len(data) < at + 4:
        return ""
    (length,) = struct.unpack_from("<I", data, at)
    return display_name(data[at + 4 : at + 4 + length].decode(errors="ignore").replace("\0", ""))


def _no_mint(mint: Pubkey, why: str) -> OrderdError:
    return OrderdError(ErrorCode.TOKEN_NO_MINT, f"{mint} is not a mint: {why}")
