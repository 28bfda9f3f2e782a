"""RPC methods that read accounts: single, many, by program, by token owner."""

import base64
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from heapq import nlargest
from operator import itemgetter
from typing import Any, Final

import orjson
from solders.pubkey import Pubkey

from orderd.amm.swap import U64_MAX
from orderd.domain.pool_kind import VenueName
from orderd.simnet.account import TOKEN_PROGRAMS, LedgerAccount
from orderd.simnet.bank import View
from orderd.simnet.base58 import b58decode, b58encode
from orderd.simnet.codec import decoded
from orderd.simnet.programs.disturbed import programs_of
from orderd.simnet.record import decimals_of, ui_amount
from orderd.simnet.rpc.protocol import (
    INTERNAL_ERROR,
    Json,
    Node,
    NodeRpcError,
    Params,
    integer,
    invalid_params,
    pubkey,
    with_context,
)
from orderd.solana.programs import token
from orderd.solana.programs.layout import LayoutError
from orderd.solana.programs.token import AccountState, Mint, TokenAccount

MAX_ACCOUNTS: Final = 100
_LARGEST: Final = 20
_MAX_BASE58: Final = 128


class Accounts:
    """The methods. ``outage`` names venues whose programs' accounts cannot be read."""

    def __init__(self, outage: frozenset[VenueName]) -> None:
        self._unreadable = programs_of(outage)
        self._venues = {key: venue for venue in VenueName for key in programs_of(frozenset({venue}))}
        self.venues_read: set[VenueName] = set()
        """The venues whose accounts were read since the set was last cleared."""

    def get_balance(self, node: Node, params: Params) -> Json:
        view = node.view(params.options(1))
        account = view.account(params.pubkey(0))
        return with_context(view, 0 if account is None else account.lamports)

    def get_account_info(self, node: Node, params: Params) -> Json:
        options = params.options(1)
        view = node.view(options)
        return with_context(view, self._encode(view, self._read(view, params.pubkey(0)), options))

    def get_multiple_accounts(self, node: Node, params: Params) -> Json:
        options = params.options(1)
        view = node.view(options)
        accounts = [self._read(view, key) for key in params.pubkeys(0, MAX_ACCOUNTS)]
        return with_context(view, [self._encode(view, account, options) for account in accounts])

    def get_program_accounts(self, node: Node, params: Params) -> Json:
        program, options = params.pubkey(0), params.options(1)
        view = node.view(options)
        self._check_readable(program)
        matches = filters_of(options.get("filters"))
        found = [
            {"pubkey": str(key), "account": self._encode(view, account, options)}
            for key, account in view.owned_by(program)
            if all(match(account.data) for match in matches)
        ]
        return with_context(view, found) if options.get("withContext") else found

    def get_token_account_balance(self, node: Node, params: Params) -> Json:
        view = node.view(params.options(1))
        state = _token_account(view.account(params.pubkey(0)))
        if state is None:
            raise invalid_params("Invalid param: not a Token account")
        return with_context(view, ui_amount(state.amount, decimals_of(state.mint, view.account)))

    def get_token_supply(self, node: Node, params: Params) -> Json:
        view = node.view(params.options(1))
        account = view.account(params.pubkey(0))
        try:
            mint = decoded(Mint, account.data) if account is not None and account.owner in TOKEN_PROGRAMS else None
        except LayoutError:
            mint = None
        if mint is None:
            raise invalid_params("Invalid param: not a Token mint")
        return with_context(view, ui_amount(mint.supply, mint.decimals))

    def get_token_largest_accounts(self, node: Node, params: Params) -> Json:
        """The token accounts of a mint with the largest balances."""
        view, mint = node.view(params.options(1)), params.pubkey(0)
        if view.account(mint) is None:
            raise invalid_params("Invalid param: could not find mint")
        held = [(state.amount, key) for key, _, state in _token_accounts(view, TOKEN_PROGRAMS) if state.mint == mint]
        decimals = decimals_of(mint, view.account)
        largest = nlargest(_LARGEST, held, key=itemgetter(0))
        return with_context(view, [{"address": str(key), **ui_amount(amount, decimals)} for amount, key in largest])

    def get_token_accounts_by_owner(self, node: Node, params: Params) -> Json:
        owner, which, options = params.pubkey(0), params.options(1), params.options(2)
        view = node.view(options)
        if ("mint" in which) == ("programId" in which):
            raise invalid_params("Invalid params: expected either mint or programId")
        mint = pubkey(which["mint"]) if "mint" in which else None
        programs = (pubkey(which["programId"]),) if mint is None else TOKEN_PROGRAMS
        found = [
            {"pubkey": str(key), "account": self._encode(view, account, options)}
            for key, account, state in _token_accounts(view, programs)
            if state.owner == owner and mint in (None, state.mint)
        ]
        return with_context(view, found)

    def _read(self, view: View, key: Pubkey) -> LedgerAccount | None:
        account = view.account(key)
        if account is not None:
            self._check_readable(account.owner)
        return account

    def _check_readable(self, program: Pubkey) -> None:
        if (venue := self._venues.get(program)) is not None:
            self.venues_read.add(venue)
        if program in self._unreadable:
            raise NodeRpcError(INTERNAL_ERROR, f"Internal error: the accounts of {program} cannot be read")

    def _encode(self, view: View, account: LedgerAccount | None, options: dict[str, Any]) -> Json | orjson.Fragment:
        if account is None:
            return None
        if options.get("encoding") == "base64" and options.get("dataSlice") is None:
            return _whole_in_base64(account)
        return encode_account(view, account, options)


@lru_cache(maxsize=256)
def _whole_in_base64(account: LedgerAccount) -> orjson.Fragment:
    """``encode_account`` as JSON text, cached because pools that did not change are requested repeatedly."""
    return orjson.Fragment(orjson.dumps(_described(account, [base64.b64encode(account.data).decode(), "base64"])))


def encode_account(view: View, account: LedgerAccount, options: dict[str, Any]) -> dict[str, Any]:
    """An account as the RPC writes it, in the encoding (and the slice) that ``options`` ask for."""
    return _described(account, _data(view, account, options))


def _described(account: LedgerAccount, data: Json) -> dict[str, Any]:
    return {
        "lamports": account.lamports,
        "owner": str(account.owner),
        "data": data,
        "executable": account.executable,
        "rentEpoch": U64_MAX,
        "space": len(account.data),
    }


def _data(view: View, account: LedgerAccount, options: dict[str, Any]) -> Json:
    encoding = options.get("encoding", "binary")
    if encoding == "jsonParsed":
        parsed = _parsed(view, account)
        if parsed is not None:
            return parsed
        encoding = "base64"
    data = _slice(account.data, options.get("dataSlice"))
    if encoding == "base64":
        return [base64.b64encode(data).decode(), "base64"]
    if encoding == "base64+zstd":
        return [base64.b64encode(_compressed(data)).decode(), encoding]
    if encoding in ("base58", "binary"):
        if len(data) > _MAX_BASE58:
            raise NodeRpcError(
                -32600, f"Encoded binary (base 58) data should be less than {_MAX_BASE58} bytes, please use Base64."
            )
        text = b58encode(data)
        return text if encoding == "binary" else [text, "base58"]
    raise invalid_params(
        f"Invalid params: unknown variant `{encoding}`, expected one of `binary`, `base64`, `base58`, `jsonParsed`, "
        "`base64+zstd`."
    )


def _compressed(data: bytes) -> bytes:
    from zstandard import compress  # imported on demand, because few clients use it

    return compress(data)


def _slice(data: bytes, bounds: Json) -> bytes:
    if bounds is None:
        return data
    if not isinstance(bounds, dict):
        raise invalid_params("Invalid params: dataSlice: expected an object with offset and length.")
    offset = integer(bounds.get("offset"), "dataSlice.offset")
    return data[offset : offset + integer(bounds.get("length"), "dataSlice.length")]


def filters_of(filters: Json) -> list[Callable[[bytes], bool]]:
    """The filters of getProgramAccounts and programSubscribe, as predicates on account data."""
    if filters is None:
        return []
    if not isinstance(filters, list) or len(filters) > 4:
        raise invalid_params("Too many filters provided; max 4")
    return [_Match(each) for each in filters]


class _Match:
    """One filter of getProgramAccounts: on the data's size, on bytes at an offset, or on being a token account."""

    def __init__(self, condition: Json) -> None:
        self._size: int | None = None
        self._offset = 0
        self._bytes = b""
        match condition:
            case {"dataSize": size}:
                self._size = integer(size, "dataSize")
            case {"memcmp": {"offset": offset, "bytes": text, **rest}}:
                self._offset = integer(offset, "memcmp.offset")
                self._bytes = _memcmp_bytes(text, rest.get("encoding", "base58"))
            case "tokenAccountState":
                self._size = token.ACCOUNT_SIZE
                self._offset, self._bytes = 108, b"\x01"
            case _:
                raise invalid_params(f"Invalid params: unknown filter {condition!r}")

    def __call__(self, data: bytes) -> bool:
        end = self._offset + len(self._bytes)
        return (self._size is None or len(data) == self._size) and data[self._offset : end] == self._bytes


def _memcmp_bytes(text: Json, encoding: object) -> bytes:
    try:
        if isinstance(text, list):
            return bytes(text)
        return base64.b64decode(str(text), validate=True) if encoding == "base64" else b58decode(str(text))
    except (ValueError, TypeError) as error:
        raise invalid_params(f"Invalid param: memcmp bytes: {error}") from error


def _token_account(account: LedgerAccount | None) -> TokenAccount | None:
    if account is None or account.owner not in TOKEN_PROGRAMS or len(account.data) < token.ACCOUNT_SIZE:
        return None
    state = decoded(TokenAccount, account.data)
    return None if state.state == AccountState.UNINITIALIZED else state


def _token_accounts(view: View, programs: Iterable[Pubkey]) -> Iterator[tuple[Pubkey, LedgerAccount, TokenAccount]]:
    for program in programs:
        for key, account in view.owned_by(program):
            state = _token_account(account)
            if state is not None:
                yield key, account, state


def _parsed(view: View, account: LedgerAccount) -> dict[str, Any] | None:
    """A token account or mint in ``jsonParsed`` form; None for other accounts."""
    if account.owner not in TOKEN_PROGRAMS:
        return None
    state = _token_account(account)
    if state is not None:
        kind, info = "account", _parsed_token_account(view, state)
    elif len(account.data) == token.MINT_SIZE:
        kind, info = "mint", _parsed_mint(decoded(Mint, account.data))
    else:
        return None
    return {"program": "spl-token", "parsed": {"type": kind, "info": info}, "space": len(account.data)}


def _parsed_token_account(view: View, state: TokenAccount) -> dict[str, Any]:
    decimals = decimals_of(state.mint, view.account)
    info = {
        "isNative": bool(state.is_native.tag),
        "mint": str(state.mint),
        "owner": str(state.owner),
        "state": AccountState(state.state).name.lower(),
        "tokenAmount": ui_amount(state.amount, decimals),
    }
    if state.is_native.tag:
        info["rentExemptReserve"] = ui_amount(state.is_native.value, decimals)
    if state.delegate.key is not None:
        info["delegate"] = str(state.delegate.key)
        info["delegatedAmount"] = ui_amount(state.delegated_amount, decimals)
    if state.close_authority.key is not None:
        info["closeAuthority"] = str(state.close_authority.key)
    return info


def _parsed_mint(mint: Mint) -> dict[str, Any]:
    return {
        "decimals": mint.decimals,
        "freezeAuthority": None if mint.freeze_authority.key is None else str(mint.freeze_authority.key),
        "isInitialized": bool(mint.is_initialized),
        "mintAuthority": None if mint.mint_authority.key is None else str(mint.mint_authority.key),
        "supply": str(mint.supply),
    }
