"""Building transactions: the minimum they enforce, their simulation, and their compute units."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NoReturn, cast

import pytest
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.domain.quote import Hop, Route, VenueQuote
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.domain.well_known import WELL_KNOWN, registry_of
from orderd.engine.execution.blame import RouteRefusedError
from orderd.engine.execution.building import Builder, units_with_margin
from orderd.engine.execution.swap_plan import SwapPlan
from orderd.engine.execution.wallet_funds import FundsCheck, Promised
from orderd.solana.json_rpc import RpcTransportError
from orderd.solana.keys import Wallet
from orderd.solana.programs import associated_token, system, token
from orderd.solana.programs.compute_budget import MAX_COMPUTE_UNITS
from orderd.solana.rpc import RpcError
from orderd.solana.rpc_types import AtSlot, ChainAccount, LatestBlockhash, Simulation
from orderd.solana.transaction import TransactionVersion, decode, version_of
from orderd.solana.version_choice import VersionChoice
from orderd.venues.guest import PoolRefusedError
from tests.samples.signing import sign_one

CHILLGUY_MINT = WELL_KNOWN["simnet"][2].mint
LEG = VenueQuote(
    venue=VenueName.METEORA,
    pool="pool",
    pool_kind=PoolKind.METEORA_DLMM,
    mint_in=WSOL_MINT,
    mint_out=USDC_MINT,
    amount_in=10**9,
    amount_out=10**8,
    fee=1,
    fee_mint=WSOL_MINT,
    price_impact_bps=Decimal(0),
    slot=7,
    compute_units=500_000,
)


@pytest.mark.parametrize(
    ("consumed", "asked"),
    [(100_000, 145_000), (1_300_000, MAX_COMPUTE_UNITS), (0, MAX_COMPUTE_UNITS)],
    ids=["with a margin", "at most the maximum", "the maximum if unknown"],
)
def test_the_unit_limit_is_the_simulated_use_plus_a_margin(consumed: int, asked: int) -> None:
    assert units_with_margin(consumed) == asked


def test_a_route_above_the_maximum_of_compute_units_does_not_fit() -> None:
    nobody = cast("Any", None)
    builder = Builder(nobody, nobody, Wallet(Keypair()), nobody, nobody, blockhash_age=0.0)
    three = Route((Hop((LEG, replace(LEG, pool="second"), replace(LEG, pool="third"))),))
    assert three.compute_units > MAX_COMPUTE_UNITS
    assert not builder.fits(three)


class Refusing:
    """A router whose only venue can no longer build the swap; records the pools that it must avoid."""

    def __init__(self, *, passing: bool) -> None:
        self.passing = passing
        self.left_alone: list[str] = []

    def venue_of(self, quote: VenueQuote) -> "Refusing":
        return self

    def token_programs(self, quote: VenueQuote) -> NoReturn:
        raise PoolRefusedError(quote.pool, ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY, "it moved", passing=self.passing)

    def refused(self, pool: str, reason: str) -> None:
        self.left_alone.append(pool)


@pytest.mark.parametrize(("passing", "left_alone"), [(True, []), (False, ["pool"])], ids=["moved", "broken"])
def test_a_swap_that_can_no_longer_be_built_refuses_its_route(passing: bool, left_alone: list[str]) -> None:
    router, node, nobody = Refusing(passing=passing), cast("Any", Surroundings()), cast("Any", None)
    builder = Builder(cast("Any", router), node, Wallet(Keypair()), nobody, nobody, blockhash_age=0.0)
    route = Route.single(replace(LEG, mint_in=USDC_MINT, mint_out=CHILLGUY_MINT))
    with pytest.raises(RouteRefusedError) as refused:
        sign_one(builder, SwapPlan(route, 1), "memo")
    assert (refused.value.pool, refused.value.moved) == ("pool", passing)
    assert refused.value.error.code is ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY
    assert router.left_alone == left_alone
    assert not builder.fits(route), "the search must not consider the route either"


def test_seeds_of_plans_are_unique_and_of_equal_length() -> None:
    """The size of a route is checked with another seed than the one it is signed with."""
    seeds = [SwapPlan(Route.single(LEG), 1).wrap_seed for _ in range(100)]
    assert len(set(seeds)) == 100
    assert {len(seed) for seed in seeds} == {8}


SWAP_PROGRAM = Pubkey.from_bytes(b"\x05" * 32)
WALLET = Wallet(Keypair())
WRAPPED_AT = associated_token.address(WALLET.address, token.NATIVE_MINT)


@dataclass
class Surroundings:
    """Stands in for router, venue, node and fee market. The data of a swap instruction is its minimum output.

    ``wrapped`` is the wallet's wrapped SOL at the start of the slot, ``kept`` its current amount.
    """

    refusal: str | None = None
    wrapped: ChainAccount | None = None
    kept: ChainAccount | None = None
    sources: list[Pubkey] = field(default_factory=list)
    simulated: list[bytes] = field(default_factory=list)
    lamports: int = 0
    accounts: dict[Pubkey, ChainAccount] = field(default_factory=dict)
    takes_v1: bool = False
    small: set[bool] = field(default_factory=set)
    named: int = 0
    last: int = 1_000
    """The last price per compute unit that was asked for."""
    newest_slot: int = 7
    simulated_at: int = 7

    def venue_of(self, quote: VenueQuote) -> "Surroundings":
        return self

    def token_programs(self, quote: VenueQuote) -> tuple[Pubkey, Pubkey]:
        return token.PROGRAM_ID, token.PROGRAM_ID

    def account_size(self, quote: VenueQuote) -> int:
        return token.ACCOUNT_SIZE

    def swap_instruction(
        self, quote: VenueQuote, owner: Pubkey, source: Pubkey, destination: Pubkey, min_amount_out: int, *, small: bool
    ) -> Instruction:
        self.sources.append(source)
        self.small.add(small)
        named = [AccountMeta(Pubkey.from_bytes(bytes([7, each] * 16)), False, True) for each in range(self.named)]
        return Instruction(SWAP_PROGRAM, min_amount_out.to_bytes(8, "little"), named)

    def get_latest_blockhash_and_accounts(
        self, _: Sequence[Pubkey]
    ) -> tuple[AtSlot[LatestBlockhash], list[ChainAccount | None]]:
        wallet = ChainAccount(self.lamports, system.PROGRAM_ID, b"", executable=False)
        return AtSlot(7, LatestBlockhash(Hash.default(), 150)), [wallet, self.wrapped or self.kept]

    def simulate_transactions(self, raw: Sequence[bytes], *, replace_blockhash: bool) -> list[Simulation | RpcError]:
        self.simulated += raw
        if not self.takes_v1 and TransactionVersion.V1 in map(version_of, raw):
            return [Simulation("UnsupportedVersion", (), 0)] * len(raw)
        return [Simulation(self.refusal, ("Program log: no",), 100_000, slot=self.simulated_at)] * len(raw)

    def price(self, _: object, __: object) -> int:
        return 1_000

    def get_minimum_balance_for_rent_exemption(self, size: int) -> int:
        return (128 + size) * 10

    def get_balance(self, _: Pubkey) -> AtSlot[int]:
        return AtSlot(7, self.lamports)

    def get_multiple_accounts(self, keys: Sequence[Pubkey]) -> AtSlot[list[ChainAccount | None]]:
        accounts = {WRAPPED_AT: self.kept, **self.accounts}
        return AtSlot(7, [accounts.get(key) for key in keys])


def builder_among(surroundings: Surroundings, versions: VersionChoice | None = None) -> Builder:
    anything = cast("Any", surroundings)
    funds_check = FundsCheck(anything, WALLET.address)
    return Builder(anything, anything, WALLET, anything, funds_check, blockhash_age=60.0, versions=versions)


def floors_in(raw: bytes) -> list[int]:
    message = decode(raw).message
    keys = message.account_keys
    return [
        int.from_bytes(each.data, "little")
        for each in message.instructions
        if keys[each.program_id_index] == SWAP_PROGRAM
    ]


@pytest.mark.parametrize(
    ("parts", "least", "floors"),
    [((10**8,), 99_500_000, [99_500_000]), ((60_000_000, 40_000_000), 99_500_001, [59_700_001, 39_800_001])],
    ids=["one leg", "two legs"],
)
def test_the_simulated_and_signed_transactions_enforce_the_minimum(
    parts: tuple[int, ...], least: int, floors: list[int]
) -> None:
    surroundings = Surroundings()
    route = Route((Hop(tuple(replace(LEG, amount_out=part) for part in parts)),))
    signed = sign_one(builder_among(surroundings), SwapPlan(route, least), "order:1")
    assert floors_in(signed.raw) == floors
    assert [floors_in(raw) for raw in surroundings.simulated] == [floors]
    assert (signed.last_valid_block_height, signed.blockhash_slot) == (150, 7)


def choosing_v1() -> VersionChoice:
    """The choice after a node has accepted version 1."""
    choice = VersionChoice(lambda: True, TransactionVersion.V0)
    choice.refresh()
    return choice


@pytest.mark.parametrize("takes_v1", [True, False], ids=["accepted", "no longer accepted"])
def test_a_version_that_the_node_no_longer_accepts_is_not_signed(takes_v1: bool) -> None:
    surroundings, versions = Surroundings(takes_v1=takes_v1), choosing_v1()
    signed = sign_one(builder_among(surroundings, versions), SwapPlan(Route((Hop((LEG, LEG)),)), 1), "order:1")
    version = TransactionVersion(takes_v1)
    assert (version_of(signed.raw), versions.current) == (version, version)
    assert [version_of(raw) for raw in surroundings.simulated] == ([1] if takes_v1 else [1, 0])
    assert surroundings.small == ({False} if takes_v1 else {False, True}), "version 1 swaps use the larger size"


def test_a_route_that_only_fits_version_1_is_refused_when_version_1_is_not_accepted() -> None:
    """The order is then routed again."""
    surroundings, versions = Surroundings(named=40), choosing_v1()
    builder, route = builder_among(surroundings, versions), Route.single(LEG)
    assert builder.fits(route)
    with pytest.raises(RouteRefusedError) as refused:
        sign_one(builder, SwapPlan(route, 1), "order:1")
    assert (refused.value.error.code, refused.value.pool) == (ErrorCode.TX_TOO_LARGE, None)
    assert versions.current == TransactionVersion.V0
    assert not builder.fits(route)


@pytest.mark.parametrize("takes_v1", [True, False], ids=["accepted", "no longer accepted"])
def test_a_dry_run_switches_versions_like_an_order(takes_v1: bool) -> None:
    surroundings, versions = Surroundings(takes_v1=takes_v1), choosing_v1()
    preview = builder_among(surroundings, versions).preview(SwapPlan(Route((Hop((LEG, LEG)),)), 1))
    assert (preview.error, preview.refusal) == (None, None)
    assert [version_of(raw) for raw in surroundings.simulated] == ([1] if takes_v1 else [1, 0])


def test_a_dry_run_of_a_route_that_only_fits_version_1_is_routed_again() -> None:
    preview = builder_among(Surroundings(named=40), choosing_v1()).preview(SwapPlan(Route.single(LEG), 1))
    assert preview.refusal is not None
    assert preview.error is not None
    assert preview.error.code is ErrorCode.TX_TOO_LARGE


def test_a_dry_run_without_an_answer_is_an_error() -> None:
    class Silent(Surroundings):
        def simulate_transactions(self, raw: Sequence[bytes], *, replace_blockhash: bool) -> Any:
            raise RpcTransportError("Connection refused")

    with pytest.raises(OrderdError) as failure:
        builder_among(Silent()).preview(SwapPlan(Route.single(LEG), 1))
    assert failure.value.code is ErrorCode.RPC_UNAVAILABLE


def test_a_transaction_whose_simulation_fails_is_not_signed() -> None:
    surroundings = Surroundings(refusal="ProgramFailedToComplete")
    with pytest.raises(OrderdError) as refused:
        sign_one(builder_among(surroundings), SwapPlan(Route.single(LEG), 99_500_000), "order:1")
    assert refused.value.code is ErrorCode.TX_FAILED


@pytest.mark.parametrize("version", TransactionVersion)
def test_two_attempts_never_have_the_same_bytes(version: TransactionVersion) -> None:
    """The chain would treat the second as a repetition, and one order would get the other's fill."""
    builder = builder_among(Surroundings(takes_v1=True), VersionChoice.of(version))
    plan = SwapPlan(Route.single(LEG), 99_500_000)
    assert len({sign_one(builder, plan, memo).signature for memo in ("one:1", "one:2", "other:1")}) == 3


def accounts_made_in(raw: bytes) -> list[Pubkey]:
    """The accounts that the System program creates."""
    message = decode(raw).message
    keys = message.account_keys
    return [
        keys[each.accounts[1]]
        for each in message.instructions
        if keys[each.program_id_index] == system.PROGRAM_ID and each.data[:4] == CREATE_WITH_SEED
    ]


CREATE_WITH_SEED = (3).to_bytes(4, "little")


def test_a_trade_besides_existing_wrapped_sol_uses_an_unpredictable_account() -> None:
    """Lamports sent to a predictable address in advance would keep the account from being created."""
    surroundings = Surroundings(wrapped=wrapped(5), lamports=10**10)
    builder = builder_among(surroundings)
    made = [
        accounts_made_in(sign_one(builder, SwapPlan(Route.single(LEG), 99_500_000), f"order:{number}").raw)
        for number in range(1, 4)
    ]
    assert [len(each) for each in made] == [1, 1, 1]
    assert len({account for each in made for account in each}) == 3
    signed = sign_one(builder_among(Surroundings()), SwapPlan(Route.single(LEG), 99_500_000), "order:1")
    assert accounts_made_in(signed.raw) == [], "without wrapped SOL the smaller associated account is used"


def wrapped(amount: int) -> ChainAccount:
    """An account with this amount of wrapped SOL."""
    holding = token.TokenAccount.new(token.NATIVE_MINT, Pubkey.new_unique(), amount, native_rent=1).encode()
    return ChainAccount(10**7 + amount, token.PROGRAM_ID, holding, executable=False)


def programs_in(raw: bytes) -> list[Pubkey]:
    message = decode(raw).message
    return [message.account_keys[each.program_id_index] for each in message.instructions]


def test_a_sale_of_wrapped_sol_neither_wraps_nor_unwraps() -> None:
    surroundings = Surroundings(wrapped=wrapped(10**9))
    builder = builder_among(surroundings)
    signed = sign_one(builder, SwapPlan(Route.single(LEG), 99_500_000, use_wrapped=True), "order:1")
    assert surroundings.sources == [WRAPPED_AT]
    assert programs_in(signed.raw).count(SWAP_PROGRAM) == 1
    assert programs_in(signed.raw).count(associated_token.PROGRAM_ID) == 1, "only the account of USDC is created"
    assert not {system.PROGRAM_ID, token.PROGRAM_ID} & {*programs_in(signed.raw)}


def answers_of_a_batch(surroundings: Surroundings, *plans: SwapPlan) -> list[ErrorCode | None]:
    """The code with which each plan is refused, or None."""
    answers = builder_among(surroundings).sign(
        [(plan, f"order:{number}") for number, plan in enumerate(plans)], Promised()
    )
    for answer in answers:
        assert not isinstance(answer, Exception) or isinstance(answer, OrderdError)
    return [answer.code if isinstance(answer, OrderdError) else None for answer in answers]


NATIVE, WRAPPED = (SwapPlan(Route.single(LEG), 99_500_000, use_wrapped=each) for each in (False, True))
BUYING = SwapPlan(Route.single(replace(LEG, mint_in=USDC_MINT, mint_out=WSOL_MINT)), 10**9)
NO_FUNDS = ErrorCode.FUNDS_INSUFFICIENT


@pytest.mark.parametrize(
    ("lamports", "kept", "plans", "answers"),
    [
        (10**10, 2 * 10**9, (WRAPPED, WRAPPED, WRAPPED), [None, None, NO_FUNDS]),
        (10**10, 10**9, (WRAPPED, NATIVE, WRAPPED, NATIVE), [None, None, NO_FUNDS, None]),
        (2 * 10**9, 10**9, (NATIVE, NATIVE, WRAPPED), [None, NO_FUNDS, None]),
        (2 * 10**9, 0, (NATIVE, BUYING, NATIVE), [None, None, None]),
    ],
    ids=["wrapped", "wrapped and native", "native", "bought in the batch"],
)
def test_two_orders_of_a_batch_cannot_spend_the_same_sol(
    lamports: int, kept: int, plans: Sequence[SwapPlan], answers: Sequence[ErrorCode | None]
) -> None:
    """Each is simulated alone, where both would succeed."""
    surroundings = Surroundings(lamports=lamports, kept=wrapped(kept))
    assert answers_of_a_batch(surroundings, *plans) == answers


def test_sol_received_since_the_start_of_the_slot_can_be_spent() -> None:
    surroundings = Surroundings(lamports=10**10, wrapped=wrapped(10**9), kept=wrapped(2 * 10**9))
    assert answers_of_a_batch(surroundings, WRAPPED, WRAPPED) == [None, None]


def test_an_order_signed_slightly_later_can_spend_the_same() -> None:
    builder, promised = builder_among(Surroundings(lamports=1_500_000_000)), Promised()
    answers = [builder.sign([(NATIVE, f"order:{number}")], promised)[0] for number in range(2)]
    assert [isinstance(answer, OrderdError) for answer in answers] == [False, True]


def test_sol_needed_for_rent_cannot_be_spent() -> None:
    """The wallet covers two trades and their fees, but not the rent of the second trade's account."""
    surroundings = Surroundings(lamports=2 * (10**9 + 5_145) + 1_000)
    assert answers_of_a_batch(surroundings, NATIVE, NATIVE) == [None, NO_FUNDS]


def test_an_unavailable_rent_is_an_error_of_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """A single order does not query the rent."""

    def away(_: Surroundings, __: int) -> NoReturn:
        raise RpcTransportError("timed out")

    monkeypatch.setattr(Surroundings, "get_minimum_balance_for_rent_exemption", away)
    surroundings = Surroundings(lamports=10**10)
    assert answers_of_a_batch(surroundings, NATIVE, NATIVE) == [None, ErrorCode.RPC_UNAVAILABLE]


def test_a_refusal_names_what_earlier_orders_of_the_batch_take() -> None:
    builder = builder_among(Surroundings(lamports=10**10, kept=wrapped(1_500_000_000)))
    *_, refused = builder.sign([(WRAPPED, "order:1"), (WRAPPED, "order:2")], Promised())
    assert isinstance(refused, OrderdError)
    assert refused.detail == (
        "the wallet holds 1.5 SOL wrapped, of which orders before this one take 1 SOL; the order takes 1 SOL of that, "
        "and 0.000005145 SOL for the network, 0.00000293 SOL rent of new token accounts from SOL that is not wrapped"
    )
    builder = builder_among(Surroundings(lamports=1_500_000_000))
    *_, refused = builder.sign([(NATIVE, "order:1"), (NATIVE, "order:2")], Promised())
    assert isinstance(refused, OrderdError)
    assert refused.detail.startswith("the wallet holds 1.5 SOL, of which orders before this one take 1.000005145 SOL;")


def refused_for_funds(surroundings: Surroundings, leg: VenueQuote, *, use_wrapped: bool = False) -> str:
    plan = SwapPlan(Route.single(leg), 1, use_wrapped, registry_of("simnet").find(leg.mint_in))
    with pytest.raises(OrderdError) as refused:
        sign_one(builder_among(surroundings), plan, "order:1")
    assert refused.value.code is ErrorCode.FUNDS_INSUFFICIENT
    return refused.value.detail


def test_missing_wrapped_sol_and_missing_fees_are_different_errors() -> None:
    short = Surroundings(refusal="InsufficientFundsForFee", lamports=10**9, kept=wrapped(999_999_999))
    assert refused_for_funds(short, LEG, use_wrapped=True).startswith(
        "the wallet holds 0.999999999 SOL wrapped; the order takes 1 SOL of that, and 0.000005145 SOL for the network, "
        "0.00000293 SOL rent of new token accounts from SOL that is not wrapped (the chain answered"
    )
    poor = Surroundings(refusal="InsufficientFundsForFee", lamports=9_000, kept=wrapped(10**9))
    assert refused_for_funds(poor, LEG, use_wrapped=True).startswith(
        "the wallet holds 0.000009 SOL that is not wrapped; besides the sold amount, the order takes 0.000005145 SOL"
    )


@pytest.mark.parametrize(
    ("lamports", "kept", "is_hinted"),
    [(10**8, 10**9, True), (10**8, 10**9 - 1, False), (9_000, 10**9, False)],
    ids=["enough wrapped", "too little wrapped", "fees not covered"],
)
def test_missing_sol_suggests_use_wrapped_if_enough_is_wrapped(lamports: int, kept: int, is_hinted: bool) -> None:
    detail = refused_for_funds(
        Surroundings(refusal="InsufficientFundsForFee", lamports=lamports, kept=wrapped(kept)), LEG
    )
    assert ("; 1 SOL are wrapped beside it, which are sold with --use-wrapped" in detail) is is_hinted


def test_missing_sol_is_reported_with_amounts() -> None:
    detail = refused_for_funds(Surroundings(refusal="InsufficientFundsForFee", lamports=10**9), LEG)
    assert detail.startswith(
        "the wallet holds 1 SOL; the order takes 1 SOL, 0.000005145 SOL for the network, 0.00000293 SOL rent of new "
        "token accounts, 0.00000293 SOL rent for as long as it runs, and 0.00000128 SOL have to stay in the wallet; "
        "at most 0.999987715 SOL can be sold (the chain answered"
    )


def test_a_missing_token_is_reported_with_its_tradable_balance() -> None:
    selling = replace(LEG, mint_in=USDC_MINT, mint_out=CHILLGUY_MINT, amount_in=5_000_000)
    detail = refused_for_funds(Surroundings(refusal="InsufficientFundsForFee", lamports=10**9), selling)
    assert detail.startswith("the wallet holds 0 USDC that can be traded, the order sells 5 USDC (the chain answered")


class Unanswering(Surroundings):
    def get_balance(self, _: Pubkey) -> NoReturn:
        raise RpcTransportError("no answer")


@pytest.mark.parametrize(
    ("surroundings", "code"),
    [
        (Unanswering(), ErrorCode.RPC_UNAVAILABLE),
        (Surroundings(lamports=10**9, newest_slot=8), ErrorCode.RPC_UNAVAILABLE),
        (Surroundings(lamports=10**10, simulated_at=6), ErrorCode.RPC_UNAVAILABLE),
        (Surroundings(lamports=10**10), ErrorCode.TX_FAILED),
    ],
    ids=["no answer", "an answer of a node that is behind", "a simulation that is behind", "enough funds"],
)
def test_missing_funds_end_no_order_unless_a_node_that_is_not_behind_shows_it(
    surroundings: Surroundings, code: ErrorCode
) -> None:
    """The node that simulated the order may be behind, and not show what the wallet has received since."""
    surroundings.refusal = "InsufficientFundsForFee"
    with pytest.raises(OrderdError) as refused:
        sign_one(builder_among(surroundings), SwapPlan(Route.single(LEG), 1), "order:1")
    assert refused.value.code is code


def test_a_balance_of_a_node_that_is_behind_fails_no_order_of_a_batch() -> None:
    surroundings = Surroundings(lamports=2 * 10**9, newest_slot=8)
    assert answers_of_a_batch(surroundings, NATIVE, NATIVE) == [None, ErrorCode.RPC_UNAVAILABLE]


def test_a_token_account_of_a_node_that_is_behind_ends_no_order() -> None:
    class Behind(Surroundings):
        def get_balance(self, _: Pubkey) -> AtSlot[int]:
            return AtSlot(8, 10**10)

    behind = Behind(refusal="InsufficientFundsForFee", newest_slot=8)
    selling = SwapPlan(Route.single(replace(LEG, mint_in=USDC_MINT, mint_out=CHILLGUY_MINT)), 1)
    with pytest.raises(OrderdError) as refused:
        sign_one(builder_among(behind), selling, "order:1")
    assert refused.value.code is ErrorCode.RPC_UNAVAILABLE


def test_rent_is_due_for_accounts_that_a_trade_creates_and_keeps() -> None:
    surroundings = Surroundings()
    builder = builder_among(surroundings)
    buying_usdc = Route.single(LEG)
    assert builder.rent(buying_usdc) == 2_930, "the account of USDC does not exist yet"
    assert builder.rent(Route.single(replace(LEG, mint_in=USDC_MINT, mint_out=WSOL_MINT))) == 0, (
        "native SOL needs no account"
    )
    account = associated_token.address(builder.wallet, Pubkey.from_string(USDC_MINT))
    surroundings.accounts[account] = ChainAccount(1, token.PROGRAM_ID, b"", executable=False)
    assert builder.rent(buying_usdc) == 0
    del surroundings.accounts[account]
    assert builder.rent(buying_usdc) == 0, "an existing account is cached for a while"


def test_the_cost_of_a_path_is_queried_once_for_many_orders() -> None:
    asked: list[Pubkey] = []

    class Counting(Surroundings):
        def get_multiple_accounts(self, keys: Sequence[Pubkey]) -> AtSlot[list[ChainAccount | None]]:
            asked.extend(keys)
            return super().get_multiple_accounts(keys)

    purse = FundsCheck(cast("Any", Counting()), Wallet(Keypair()).address)
    assert [purse.cost_of_way(USDC_MINT) for _ in range(10)] == [2_930] * 10
    assert len(asked) == 1
