"""Tokens that nobody has configured are traded by mint; the amounts of one with a transfer fee are exact."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from solders.pubkey import Pubkey

from orderctl.config.settings import Settings
from orderd.client.connection import Client
from orderd.client.errors import RefusedError
from orderd.domain.errors import ErrorCode
from orderd.domain.order import OrderStatus
from orderd.pools.raydium_cpmm import addresses
from orderd.pools.raydium_cpmm.simnet import genesis as cpmm
from orderd.process.temporary import running_daemon
from orderd.simnet.chain import ledger_path
from orderd.simnet.genesis import Genesis
from orderd.simnet.genesis.accounts import SOL, FirstAccounts
from orderd.simnet.ledger.ledger import Ledger
from orderd.solana.mints import metadata_address
from orderd.solana.programs import token
from orderd.solana.programs.token import Extension, Mint
from orderd.wire.balances import BalancesResult
from orderd.wire.message import NoParams
from orderd.wire.pools import PoolsParams, PoolsResult
from orderd.wire.quotes import QuoteParams, QuoteResult
from orderd.wire.rpc import Method
from orderd.wire.submissions import SubmitParams
from orderd.wire.tokens import TokensNameParams, TokensNameResult
from tests.acceptance.trader import Trader, order, trading
from tests.samples.mints import SOMEBODY, extended, fee, named, plain

SETTINGS = {
    "ORDERD_RATE_LIMIT": "0",
    "ORDERD_SIMNET_SLOT_MS": "50",
    "ORDERD_SIMNET_MARKET": "false",
    "ORDERD_RETRY_BASE_MS": "50",
    "ORDERD_POOL_MAX_AGE_MS": "0",
}
PLAIN, TAXED, HOOKED = (Pubkey([0xF0, number] + [7] * 30) for number in (1, 2, 3))
RATES = {"trade_fee_rate": 2_500, "protocol_fee_rate": 120_000, "fund_fee_rate": 40_000, "creator_fee_rate": 0}
FEE_BPS = 150


def create_chain(state_dir: Path) -> None:
    """Create a chain with two unlisted tokens, each in a pool with SOL, and a third that has a transfer hook."""
    first = Genesis(int(time.time())).block()
    more = FirstAccounts(first.time, dict(first.changed))  # type: ignore[arg-type]  # no first account is None
    more.mint(PLAIN, plain(4, mint_authority=SOMEBODY))
    more.data(metadata_address(PLAIN), named(PLAIN, "").owner, named(PLAIN, "USD Coin").data)
    taxed = Mint.decode(extended(plain(9), fee(FEE_BPS, 2**63)).data)
    more.mint(TAXED, taxed, token.TOKEN_2022_PROGRAM_ID)
    hook = (Extension.TRANSFER_HOOK, bytes(32) + bytes(SOMEBODY))
    more.mint(HOOKED, Mint.decode(extended(plain(6), hook).data), token.TOKEN_2022_PROGRAM_ID)
    for number, mint in enumerate((PLAIN, TAXED), start=50):
        pool = addresses.pool_address(addresses.config_address(number), token.NATIVE_MINT, mint)
        cpmm.add(more, pool, number, RATES, mint, (1_000 * SOL, 50_000 * 10**9), {})
    directory = state_dir / "simnet"
    directory.mkdir()
    with closing(Ledger(ledger_path(directory))) as ledger:
        ledger.append(replace(first, changed=dict(more.accounts)), ())


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, shared_database: dict[str, str]) -> Iterator[str]:
    state_dir = tmp_path_factory.mktemp("tokens")
    create_chain(state_dir)
    with running_daemon(state_dir, SETTINGS | shared_database) as daemon:
        yield daemon.url


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(Settings(url=url)) as client:
        yield client


@pytest.fixture
def trader(url: str) -> Iterator[Trader]:
    with trading(url) as trader:
        yield trader


def held(client: Client) -> dict[str, Decimal]:
    """The wallet's balance per mint."""
    balances = client.call(Method.BALANCES, NoParams(), BalancesResult).balances
    return {each.mint: Decimal(each.amount) for each in balances}


def quoted(client: Client, token_in: str, token_out: str, amount: str) -> QuoteResult:
    return client.call(Method.QUOTE, QuoteParams(token_in=token_in, token_out=token_out, amount_in=amount), QuoteResult)


def traded(trader: Trader, what: SubmitParams) -> tuple[Decimal, Decimal]:
    """Trade an order; returns the amounts sold and received, as the daemon reports them."""
    order_id = trader.submit(what)
    trader.follow(order_id, seconds=60)
    ended = trader.detail(order_id).order
    assert ended.status is OrderStatus.CONFIRMED, ended.error
    assert ended.amount_in is not None
    assert ended.amount_out is not None
    return Decimal(ended.amount_in), Decimal(ended.amount_out)


@pytest.mark.parametrize("name", ["STACC", "CHILLGUY", str(PLAIN), str(TAXED)])
def test_a_token_is_bought_and_sold_at_its_quote(client: Client, trader: Trader, name: str) -> None:
    quote = quoted(client, "SOL", name, "0.123456789")
    mint = quote.tokens[1].mint
    before = held(client).get(mint, Decimal(0))
    _, arrived = traded(trader, order("SOL", name, "0.123456789"))
    after = held(client)[mint]
    assert after - before == arrived == Decimal(quote.chosen.amount_out)

    back = quoted(client, name, "SOL", f"{arrived:f}")
    given, received = traded(trader, order(name, "SOL", f"{arrived:f}"))
    assert (given, received) == (arrived, Decimal(back.chosen.amount_out))
    assert held(client).get(mint, Decimal(0)) == before


def test_a_token_is_bought_with_another_through_sol(client: Client, trader: Trader) -> None:
    quote = quoted(client, "USDC", str(TAXED), "25")
    assert {leg.hop for leg in quote.route} == {1, 2}
    before = held(client).get(str(TAXED), Decimal(0))
    _, arrived = traded(trader, order("USDC", str(TAXED), "25"))
    assert held(client)[str(TAXED)] - before == arrived


def test_an_exact_amount_of_a_token_with_a_transfer_fee_is_received(client: Client, trader: Trader) -> None:
    before = held(client).get(str(TAXED), Decimal(0))
    what = order("SOL", str(TAXED), "1").model_copy(update={"amount_in": None, "exact_out": "3.000000001"})
    traded(trader, what)
    assert held(client)[str(TAXED)] - before == Decimal("3.000000001")


def test_a_quote_warns_of_authorities_and_transfer_fees(client: Client) -> None:
    _, unlisted = quoted(client, "SOL", str(PLAIN), "1").tokens
    assert (unlisted.symbol, unlisted.decimals, unlisted.name) == (str(PLAIN), 4, "USD Coin"), (
        "the name was taken for a symbol"
    )
    assert [each.code for each in unlisted.warnings] == ["mint_authority"]
    sol, taxed = quoted(client, "SOL", str(TAXED), "1").tokens
    assert (sol.warnings, [each.code for each in taxed.warnings]) == ((), ["transfer_fee"])


def test_a_mint_with_a_transfer_hook_is_refused(client: Client) -> None:
    with pytest.raises(RefusedError) as refused:
        quoted(client, "SOL", str(HOOKED), "1")
    assert refused.value.problem.code is ErrorCode.TOKEN_TRANSFER_HOOK


def test_a_token_is_traded_by_the_symbol_that_a_user_gave_it(client: Client, trader: Trader) -> None:
    params = TokensNameParams(symbol="TAX", mint=str(TAXED))
    assert client.call(Method.TOKENS_NAME, params, TokensNameResult).token.symbol == "TAX"
    traded(trader, order("SOL", "tax", "0.5"))
    pools = client.call(Method.POOLS, PoolsParams(token=("TAX",)), PoolsResult).pools
    assert [(pool.token_a, pool.token_b) for pool in pools] == [("TAX", "SOL")]
