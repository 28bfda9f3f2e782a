"""Tokens are found by symbol in any case and by exact mint; an ambiguous symbol is never guessed."""

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.mint import MintFacts, Trait
from orderd.domain.tokens import DEVNET_USDC_MINT, USDC_MINT, WSOL_MINT, Listing, Token, TokenRegistry
from orderd.domain.well_known import EVERYWHERE, WELL_KNOWN, registry_of

REGISTRY = registry_of("simnet")
PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
ONE, OTHER, THIRD = (f"{letter * 43}1" for letter in "ABC")


def refusal(registry: TokenRegistry, name: str) -> OrderdError:
    with pytest.raises(OrderdError) as refused:
        registry.resolve(name)
    return refused.value


def with_facts(*mints: str, decimals: int = 5) -> TokenRegistry:
    registry = registry_of("simnet")
    for mint in mints:
        registry.learn(MintFacts(mint, decimals, PROGRAM))
    return registry


def test_a_token_is_found_by_symbol_or_mint() -> None:
    assert REGISTRY.resolve("sol").mint == WSOL_MINT
    assert REGISTRY.resolve(USDC_MINT).symbol == "USDC"
    assert tuple(REGISTRY) == WELL_KNOWN["simnet"]


def test_a_lookup_by_mint_ignores_symbols() -> None:
    assert REGISTRY.find(USDC_MINT) is REGISTRY.resolve("USDC")
    assert REGISTRY.find("USDC") is None, "a symbol is not a mint"


def test_sol_is_native_and_usdc_is_not() -> None:
    sold, bought = REGISTRY.pair("SOL", "USDC")
    assert (sold.is_native, bought.is_native) == (True, False)


@pytest.mark.parametrize(
    ("name", "message"), [("USDCC", "did you mean USDC?"), ("qqqqqqqq", "there is no token 'qqqqqqqq'")]
)
def test_an_unknown_token_is_refused_with_a_suggestion(name: str, message: str) -> None:
    unknown = refusal(REGISTRY, name)
    assert (unknown.code, message in unknown.detail) == (ErrorCode.TOKEN_UNKNOWN, True)


def test_a_token_cannot_be_traded_for_itself() -> None:
    with pytest.raises(OrderdError) as caught:
        REGISTRY.pair("SOL", WSOL_MINT)
    assert caught.value.code is ErrorCode.TOKEN_SAME


def test_a_pair_is_two_names_separated_by_a_slash() -> None:
    sol, usdc = REGISTRY.named_pair("sol/USDC")
    assert (sol.mint, usdc.mint) == (WSOL_MINT, USDC_MINT)
    with pytest.raises(OrderdError, match="not a pair of tokens"):
        REGISTRY.named_pair("SOL")


def test_each_chain_has_its_own_usdc() -> None:
    assert registry_of("devnet").resolve("USDC").mint == DEVNET_USDC_MINT
    assert registry_of("mainnet").resolve("USDC").mint == USDC_MINT
    assert len({token.symbol: token.decimals for token in EVERYWHERE}) == len(EVERYWHERE) - 1
    assert {token.decimals for token in EVERYWHERE if token.symbol == "USDC"} == {6}


def test_any_mint_can_be_traded_once_it_has_been_read() -> None:
    registry = registry_of("simnet")
    assert (registry.mint_of(ONE), registry.find(ONE), registry.facts(ONE)) == (ONE, None, None)
    assert refusal(registry, ONE).code is ErrorCode.TOKEN_UNREAD, "amounts need the mint's decimals"
    registry.learn(MintFacts(ONE, 4, PROGRAM, name="USDC"))
    assert registry.resolve(ONE) == Token(ONE, ONE, 4), "the mint's own name is not a symbol"
    assert refusal(registry, "USDC4").code is ErrorCode.TOKEN_UNKNOWN


@pytest.mark.parametrize(
    ("trait", "code"),
    [
        (Trait.TRANSFER_HOOK, ErrorCode.TOKEN_TRANSFER_HOOK),
        (Trait.CONFIDENTIAL, ErrorCode.TOKEN_CONFIDENTIAL),
        (Trait.NON_TRANSFERABLE, ErrorCode.TOKEN_NON_TRANSFERABLE),
        (Trait.FROZEN_BY_DEFAULT, ErrorCode.TOKEN_FROZEN_BY_DEFAULT),
        (Trait.UNKNOWN_EXTENSION, ErrorCode.TOKEN_EXTENSION_UNKNOWN),
    ],
)
def test_an_untradable_mint_is_refused_with_its_trait(trait: Trait, code: ErrorCode) -> None:
    registry = registry_of("simnet")
    registry.learn(MintFacts(ONE, 4, PROGRAM, frozenset({trait, Trait.MINT_AUTHORITY})))
    assert refusal(registry, ONE).code is code
    assert registry.find(ONE) is not None, "balances of it must still be shown"


def test_a_shared_symbol_means_the_verified_token() -> None:
    registry = with_facts(ONE, OTHER)
    registry.set_listed([Listing("XYZ", ONE), Listing("xyz", OTHER, "Its name", verified=True)])
    assert registry.resolve("Xyz") == Token("xyz", OTHER, 5)
    assert registry.symbol_of(ONE) == ONE, "the symbol belongs to the verified mint"
    assert registry.resolve(registry.symbol_of(ONE)).mint == ONE


def test_a_unique_symbol_needs_no_verification() -> None:
    registry = with_facts(ONE)
    registry.set_listed([Listing("NEW", ONE)])
    assert registry.resolve("new").mint == ONE


@pytest.mark.parametrize("verified", [False, True])
def test_an_ambiguous_symbol_is_refused_with_the_candidates(verified: bool) -> None:
    registry = with_facts(ONE, OTHER)
    registry.set_listed([Listing("NEW", ONE, "First", verified=verified), Listing("NEW", OTHER, verified=verified)])
    ambiguous = refusal(registry, "NEW")
    assert ambiguous.code is ErrorCode.TOKEN_AMBIGUOUS
    mark = "verified" if verified else "not verified"
    assert f"{OTHER} ({mark})" in ambiguous.detail
    assert f"{ONE} ({'verified First' if verified else 'First'})" in ambiguous.detail


def test_a_long_list_of_candidates_is_shortened() -> None:
    registry = registry_of("simnet")
    registry.set_listed([Listing("NEW", f"{letter * 43}1") for letter in "ABCDEFGH"])
    assert refusal(registry, "NEW").detail.endswith("and 3 more")


def test_a_pinned_mint_has_its_symbol_whatever_else_is_listed() -> None:
    registry = with_facts(ONE, OTHER, THIRD)
    registry.set_listed([Listing("NEW", OTHER, verified=True)])
    registry.set_named([Listing("NEW", ONE, verified=True)])
    assert refusal(registry, "NEW").code is ErrorCode.TOKEN_AMBIGUOUS
    registry.set_named([Listing("NEW", THIRD, verified=True), Listing("NEW", ONE, verified=True, pinned=True)])
    assert registry.resolve("NEW").mint == ONE
    assert [token.mint for token in registry if token not in WELL_KNOWN["simnet"]] == [THIRD, ONE]


@pytest.mark.parametrize("symbol", ["USDC", "usdc", "SOL", "USDT"])
def test_a_well_known_symbol_cannot_be_taken(symbol: str) -> None:
    """USDT is well known on another chain; a user may not know which chain this is."""
    registry = with_facts(ONE)
    registry.set_listed([Listing(symbol, ONE, verified=True)])
    registry.set_named([Listing(symbol, ONE, verified=True, pinned=True)])
    assert registry.symbol_of(ONE) == ONE
    assert symbol == "USDT" or registry.resolve(symbol).mint != ONE
    with pytest.raises(OrderdError) as refused:
        registry.check_free(symbol)
    assert refused.value.code is ErrorCode.TOKEN_NAME_REFUSED


@pytest.mark.parametrize("symbol", ["", "A B", "A,B", "U\N{CYRILLIC CAPITAL LETTER ES}DC", "A" * 21, ONE, "A\n"])
def test_a_symbol_has_only_characters_that_can_be_typed(symbol: str) -> None:
    with pytest.raises(OrderdError) as refused:
        REGISTRY.check_free(symbol)
    assert refused.value.code is ErrorCode.TOKEN_NAME_REFUSED


def test_an_unused_symbol_can_be_taken() -> None:
    REGISTRY.check_free("$NEW.1")


def test_a_named_but_unread_mint_is_not_listed() -> None:
    registry = registry_of("simnet")
    registry.set_named([Listing("NEW", ONE, verified=True)])
    assert tuple(registry) == WELL_KNOWN["simnet"]


def test_a_search_lists_the_closest_and_verified_tokens_first() -> None:
    registry = registry_of("simnet")
    registry.set_listed(
        [
            Listing("XSOLX", THIRD, "with SOL in it", verified=True),
            Listing("SOLX", OTHER, "scam"),
            Listing("SOLY", ONE, "good", verified=True),
        ]
    )
    assert [each.symbol for each in registry.search("sol", 9)] == ["SOL", "SOLY", "SOLX", "XSOLX"]
    assert [each.symbol for each in registry.search("sol", 2)] == ["SOL", "SOLY"]
    assert [each.mint for each in registry.search("Good", 9)] == [ONE], "the search must match names"
    assert [each.symbol for each in registry.search(OTHER, 9)] == ["SOLX"], "the search must match mints"
    assert registry.search("nothing", 9) == []


def test_well_known_symbols_and_mints_map_to_each_other() -> None:
    assert (REGISTRY.mint_of("sol"), REGISTRY.symbol_of(USDC_MINT)) == (WSOL_MINT, "USDC")


def test_a_pair_is_written_with_a_slash() -> None:
    assert [token.symbol for token in REGISTRY.named_pair("sol/USDC")] == ["SOL", "USDC"]
    with pytest.raises(OrderdError) as refused:
        REGISTRY.named_pair("SOLUSDC")
    assert refused.value.code is ErrorCode.TOKEN_UNKNOWN
