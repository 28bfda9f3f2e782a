"""Mints are read from the chain once and stored; symbols come from the operator first, then from the token list."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import cast

import pytest
from solders.pubkey import Pubkey

from db import audit, tokens
from db.audit import Actor, Filter
from db.connection import database
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.mint import Trait
from orderd.domain.tokens import Listing
from orderd.domain.well_known import WELL_KNOWN, registry_of
from orderd.engine.token_desk import TokenDesk
from orderd.engine.token_list import MAX_BYTES, TokenList, TokenListError
from orderd.solana.programs import token
from orderd.solana.programs.token import Extension
from orderd.solana.rpc import RpcClient
from tests.samples.mints import SOMEBODY, MintChain, extended, fee, plain, spl

BY = Actor("operator")
FIRST, SECOND = Pubkey([1] * 32), Pubkey([2] * 32)


@pytest.fixture
def chain(connected: str) -> MintChain:
    return MintChain()


def desk_on(chain: MintChain, token_list: TokenList | None = None, now: list[float] | None = None) -> TokenDesk:
    """A desk of a new process; ``now`` is its clock."""
    times = now or [0.0]
    desk = TokenDesk(registry_of("simnet"), cast("RpcClient", chain), token_list, clock=lambda: times[0])
    desk.begin()
    return desk


def code_of(call: object, *arguments: object, **options: object) -> ErrorCode:
    with pytest.raises(OrderdError) as refused:
        call(*arguments, **options)  # type: ignore[operator]
    return refused.value.code


def test_a_mint_is_read_once_by_one_process(chain: MintChain) -> None:
    mint = chain.has(FIRST, spl(4, mint_authority=SOMEBODY), "First")
    desk = desk_on(chain)
    desk.learn([mint, "SOL"])
    assert desk.registry.resolve(mint).decimals == 4
    chain.away = True
    desk.learn([mint])
    other = desk_on(chain)
    other.learn([mint])
    facts = other.registry.facts(mint)
    assert facts is not None
    assert (facts.decimals, facts.name, facts.traits) == (4, "First", frozenset({Trait.MINT_AUTHORITY}))
    assert len(chain.asked) == 1


def test_a_mint_that_was_made_again_is_kept_as_it_is_now(chain: MintChain) -> None:
    mint = chain.has(FIRST, extended(plain(6)))
    desk = desk_on(chain)
    desk.learn([mint])
    chain.has(FIRST, spl(9))
    again = desk_on(chain)
    again.learn([mint])
    again.view(again.registry.resolve(mint))
    other = desk_on(chain)
    other.learn([mint])
    facts = other.registry.facts(mint)
    assert facts is not None
    assert (facts.decimals, facts.program) == (9, str(token.PROGRAM_ID))


def test_a_well_known_token_is_not_read_from_the_chain(chain: MintChain) -> None:
    chain.away = True
    desk = desk_on(chain)
    desk.learn(["SOL", "usdc"])
    view = desk.view(desk.registry.resolve("USDC"))
    assert (view.name, view.warnings) == (None, ())


def test_an_unknown_mint_is_an_error_while_the_chain_is_unavailable(chain: MintChain) -> None:
    chain.away = True
    assert code_of(desk_on(chain).learn, [str(FIRST)]) is ErrorCode.TOKEN_UNREAD


def test_an_account_that_is_not_a_mint_is_reported_and_not_stored(chain: MintChain) -> None:
    desk = desk_on(chain)
    assert code_of(desk.learn, [str(FIRST)]) is ErrorCode.TOKEN_NO_MINT
    assert code_of(desk.learn, ["1" * 44]) is ErrorCode.TOKEN_NO_MINT
    chain.has(FIRST, spl(3))
    desk.learn([str(FIRST)])
    assert desk.registry.resolve(str(FIRST)).decimals == 3


def test_warnings_are_refreshed_when_shown(chain: MintChain) -> None:
    mint, now = chain.has(FIRST, spl(4, mint_authority=SOMEBODY)), [0.0]
    desk = desk_on(chain, now=now)
    desk.learn([mint])
    token = desk.registry.resolve(mint)
    assert [each.code for each in desk.view(token).warnings] == ["mint_authority"]
    chain.has(FIRST, spl(4))
    now[0] = 299.0
    assert len(desk.view(token).warnings) == 1
    now[0] = 301.0
    assert desk.view(token).warnings == ()
    chain.has(FIRST, spl(4, freeze=SOMEBODY))
    chain.away, now[0] = True, 900.0
    assert desk.view(token).warnings == (), "the last known warnings are shown while the chain is unavailable"


def test_a_transfer_fee_is_a_warning(chain: MintChain) -> None:
    mint = chain.has(FIRST, extended(plain(), fee(150, 9)))
    desk = desk_on(chain)
    desk.learn([mint])
    (warning,) = desk.view(desk.registry.resolve(mint)).warnings
    assert (warning.code, "1.5 %" in warning.detail) == ("transfer_fee", True)


def test_a_symbol_set_by_the_operator_applies_to_all_processes(chain: MintChain) -> None:
    mint = chain.has(FIRST, spl(4))
    desk, other = desk_on(chain), desk_on(chain)
    assert desk.name("new", mint, BY, pinned=False).symbol == "new"
    assert desk.registry.resolve("NEW").mint == mint
    other.refresh_names()
    assert other.registry.resolve("NEW").decimals == 4
    assert [view.symbol for view in other.listed()][len(WELL_KNOWN["simnet"]) :] == ["new"]
    assert desk.unname("NEW", BY) == 1
    assert code_of(desk.registry.resolve, "NEW") is ErrorCode.TOKEN_UNKNOWN
    assert desk.unname("NEW", BY) == 0
    with database.connection_context():
        assert {row.action for row in audit.read(Filter(action=audit.NAME_TOKEN), 9)} == {"tokens.name"}


def test_a_symbol_of_another_token_cannot_be_reused(chain: MintChain) -> None:
    first, second = chain.has(FIRST, spl(4)), chain.has(SECOND, spl(5))
    desk = desk_on(chain)
    desk.name("NEW", first, BY, pinned=False)
    assert code_of(desk.name, "new", second, BY, pinned=False) is ErrorCode.TOKEN_AMBIGUOUS
    desk.name("new", second, BY, pinned=True)
    assert desk.registry.resolve("NEW").mint == second
    desk.name("NEW", first, BY, pinned=True)
    assert desk.registry.resolve("NEW").mint == first
    assert [each.pinned for each in desk.search("new").tokens if each.mint == second] == [False]


def test_an_untraded_mint_cannot_be_named(chain: MintChain) -> None:
    desk = desk_on(chain)
    hooked = chain.has(FIRST, extended(plain(), (Extension.TRANSFER_HOOK, bytes(32) + bytes(SOMEBODY))))
    assert code_of(desk.name, "NEW", hooked, BY, pinned=True) is ErrorCode.TOKEN_TRANSFER_HOOK
    assert code_of(desk.name, "USDC", hooked, BY, pinned=True) is ErrorCode.TOKEN_NAME_REFUSED
    assert code_of(desk.name, "NEW", "USDC", BY, pinned=True) is ErrorCode.TOKEN_NO_MINT
    with database.connection_context():
        assert tokens.names() == []


def test_unknown_mints_of_a_wallet_are_left_out(chain: MintChain) -> None:
    decimals = [number % 19 for number in range(1, 60)]
    held = [chain.has(Pubkey([number] * 32), spl(each)) for number, each in enumerate(decimals, start=1)]
    desk = desk_on(chain)
    desk.learn_held([*held, str(Pubkey([77] * 32))])
    assert [desk.registry.resolve(mint).decimals for mint in held] == decimals
    assert desk.registry.find(str(Pubkey([77] * 32))) is None
    assert [len(keys) for keys in chain.asked] == [100, 20]


# The token list


def list_of(source: object, folder: Path) -> TokenList:
    return TokenList(str(source), folder / "kept.json", "simnet")


JUPITER = json.dumps([{"id": str(FIRST), "symbol": "NEW", "name": "New", "isVerified": True}]).encode()
LISTED = [Listing("NEW", str(FIRST), "New", verified=True)]


def test_a_token_list_is_read_from_a_file_and_stored(chain: MintChain, tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    file.write_bytes(JUPITER)
    chain.has(FIRST, spl(4))
    desk = desk_on(chain, list_of(file, tmp_path))
    assert code_of(desk.registry.resolve, "NEW") is ErrorCode.TOKEN_UNKNOWN
    desk.refresh_list()
    desk.learn(["NEW"])
    assert desk.registry.resolve("NEW").decimals == 4
    file.unlink()
    again = desk_on(chain, list_of(file, tmp_path))
    again.learn(["NEW"])
    assert again.registry.resolve("NEW").symbol == "NEW"
    again.refresh_list()
    assert again.registry.resolve("NEW").symbol == "NEW", "the stored list is used until a newer one is read"


@pytest.mark.parametrize("content", [b"{", b"[" * 100_000, b" " * (MAX_BYTES + 1)], ids=["cut", "deep", "large"])
def test_an_invalid_token_list_is_ignored(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "list.json"
    file.write_bytes(content)
    with pytest.raises(TokenListError):
        list_of(file, tmp_path).read()
    assert list_of(file, tmp_path).before() == []


def test_a_token_list_that_cannot_be_stored_is_used(tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    file.write_bytes(JUPITER)
    assert TokenList(str(file), tmp_path / "no" / "folder.json", "simnet").read() == LISTED


class Published(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/list" else 500)
        self.end_headers()
        self.wfile.write(JUPITER)

    def log_message(self, *_: object) -> None:
        pass


def test_a_token_list_is_read_from_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with HTTPServer(("127.0.0.1", 0), Published) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert list_of(f"{url}/list", tmp_path).read() == LISTED
        with pytest.raises(TokenListError, match="500"):
            list_of(f"{url}/away", tmp_path).read()
        server.shutdown()
        thread.join()
    with pytest.raises(TokenListError):
        list_of(f"{url}/list", tmp_path).read()
    assert list_of(url, tmp_path).before() == LISTED
