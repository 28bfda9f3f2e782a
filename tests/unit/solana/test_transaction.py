"""Our transactions, executed by the real System, Token, Associated Token, Memo and Compute Budget programs."""

import base64
from typing import Any

import pytest
from solders.account import Account
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import CreateAccountParams, create_account
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.solana.attempt import attempt_instructions, budget_config
from orderd.solana.keys import Wallet
from orderd.solana.program_failure import read_failure
from orderd.solana.programs import associated_token, compute_budget, memo, system, token
from orderd.solana.transaction import MAX_SIZE, decode, sign, unsigned
from orderd.solana.wrap import account_of, swap_with_accounts

KEYPAIR = Keypair.from_seed(b"\x11" * 32)
WALLET = Wallet(KEYPAIR)
OWNER = WALLET.address
SOL = 10**9
RENT = 2_039_280


@pytest.fixture
def chain() -> LiteSVM:
    svm = LiteSVM()
    svm.airdrop(OWNER, 10 * SOL)
    native = token.Mint.new(9).encode()
    svm.set_account(token.NATIVE_MINT, Account(RENT, native, token.PROGRAM_ID))
    return svm


def run(chain: LiteSVM, *instructions: Instruction) -> TransactionMetadata | FailedTransactionMetadata:
    signed = sign(instructions, WALLET, chain.latest_blockhash())
    return chain.send_transaction(VersionedTransaction.from_bytes(signed.raw))


def succeed(chain: LiteSVM, *instructions: Instruction) -> TransactionMetadata:
    result = run(chain, *instructions)
    assert isinstance(result, TransactionMetadata), result.meta().logs()
    return result


def token_account(chain: LiteSVM, mint: Pubkey) -> token.TokenAccount:
    account = chain.get_account(associated_token.address(OWNER, mint))
    assert account is not None
    return token.TokenAccount.decode(bytes(account.data))


def make_mint(chain: LiteSVM, decimals: int = 6) -> Pubkey:
    """A mint whose authority is the wallet."""
    mint = Keypair()
    allocate = create_account(
        CreateAccountParams(
            from_pubkey=OWNER,
            to_pubkey=mint.pubkey(),
            lamports=chain.minimum_balance_for_rent_exemption(token.MINT_SIZE),
            space=token.MINT_SIZE,
            owner=token.PROGRAM_ID,
        )
    )
    instructions = [allocate, token.initialize_mint2(mint.pubkey(), decimals, OWNER)]
    message = MessageV0.try_compile(OWNER, instructions, [], chain.latest_blockhash())
    result = chain.send_transaction(VersionedTransaction(message, [KEYPAIR, mint]))
    assert isinstance(result, TransactionMetadata), result.meta().logs()
    return mint.pubkey()


def test_sol_is_wrapped_for_a_swap_and_unwrapped_after_it(chain: LiteSVM) -> None:
    mint = make_mint(chain)
    before = chain.get_balance(OWNER)
    account = associated_token.address(OWNER, token.NATIVE_MINT)
    elsewhere = Pubkey.from_bytes(b"\x09" * 32)
    succeed(chain, associated_token.create_idempotent(OWNER, elsewhere, token.NATIVE_MINT))
    pool = associated_token.address(elsewhere, token.NATIVE_MINT)
    paid = token.transfer_checked(account, token.NATIVE_MINT, pool, OWNER, SOL, 9)
    succeed(chain, *swap_with_accounts([paid], OWNER, token.NATIVE_MINT, [(mint, token.PROGRAM_ID)], SOL))
    assert chain.get_account(account) is None
    pool_account = chain.get_account(pool)
    assert pool_account is not None
    assert token.TokenAccount.decode(bytes(pool_account.data)).amount == SOL
    assert token_account(chain, mint).amount == 0
    after = chain.get_balance(OWNER)
    assert before is not None
    assert after == before - SOL - 2 * RENT - 2 * 5000  # two remaining accounts, and two signatures


def test_bought_sol_is_unwrapped(chain: LiteSVM) -> None:
    mint = make_mint(chain)
    succeed(chain, associated_token.create_idempotent(OWNER, OWNER, mint))
    account = associated_token.address(OWNER, token.NATIVE_MINT)
    before = chain.get_balance(OWNER)
    bought = [system.transfer(OWNER, account, SOL), token.sync_native(account)]
    succeed(chain, *swap_with_accounts(bought, OWNER, mint, [(token.NATIVE_MINT, token.PROGRAM_ID)], 1))
    assert chain.get_account(account) is None
    assert before is not None
    assert chain.get_balance(OWNER) == before - 5000


def test_a_trade_of_wrapped_sol_leaves_the_rest_wrapped(chain: LiteSVM) -> None:
    mint, elsewhere = make_mint(chain), Pubkey.new_unique()
    kept = associated_token.address(OWNER, token.NATIVE_MINT)
    wrap = [associated_token.create_idempotent(OWNER, OWNER, token.NATIVE_MINT), system.transfer(OWNER, kept, 7 * SOL)]
    succeed(chain, *wrap, token.sync_native(kept), associated_token.create_idempotent(OWNER, OWNER, mint))
    succeed(chain, associated_token.create_idempotent(OWNER, elsewhere, token.NATIVE_MINT))
    pool = associated_token.address(elsewhere, token.NATIVE_MINT)
    lamports = chain.get_balance(OWNER)

    paid = token.transfer_checked(kept, token.NATIVE_MINT, pool, OWNER, 2 * SOL, 9)
    bought = [(mint, token.PROGRAM_ID)]
    succeed(chain, *swap_with_accounts([paid], OWNER, token.NATIVE_MINT, bought, 2 * SOL, use_wrapped=True))

    wrapped = chain.get_account(kept)
    assert wrapped is not None
    assert token.TokenAccount.decode(bytes(wrapped.data)).amount == 5 * SOL
    assert lamports is not None
    assert chain.get_balance(OWNER) == lamports - 5_000, "only the network fee is paid"


def test_a_trade_with_a_temporary_account_leaves_existing_wrapped_sol(chain: LiteSVM) -> None:
    mint = make_mint(chain)
    kept = associated_token.address(OWNER, token.NATIVE_MINT)
    wrap = [associated_token.create_idempotent(OWNER, OWNER, token.NATIVE_MINT), system.transfer(OWNER, kept, 7 * SOL)]
    succeed(chain, *wrap, token.sync_native(kept))
    elsewhere = Pubkey.from_bytes(b"\x09" * 32)
    succeed(chain, associated_token.create_idempotent(OWNER, elsewhere, token.NATIVE_MINT))
    pool = associated_token.address(elsewhere, token.NATIVE_MINT)
    before = chain.get_balance(OWNER)
    own = account_of(OWNER, token.NATIVE_MINT, seed="trade")

    paid = token.transfer_checked(own, token.NATIVE_MINT, pool, OWNER, SOL, 9)
    sell = swap_with_accounts([paid], OWNER, token.NATIVE_MINT, [(mint, token.PROGRAM_ID)], SOL, "trade")
    succeed(chain, *sell)
    assert before is not None
    assert chain.get_balance(OWNER) == before - SOL - RENT - 5000  # the account of the bought token remains

    received = [system.transfer(OWNER, own, SOL), token.sync_native(own)]
    buy = swap_with_accounts(received, OWNER, mint, [(token.NATIVE_MINT, token.PROGRAM_ID)], 1, "trade")
    succeed(chain, *buy)
    assert chain.get_account(own) is None
    assert chain.get_balance(OWNER) == before - SOL - RENT - 2 * 5000
    wrapped = chain.get_account(kept)
    assert wrapped is not None
    assert token.TokenAccount.decode(bytes(wrapped.data)).amount == 7 * SOL


def test_the_rent_of_a_token_account_is_that_of_the_chain(chain: LiteSVM) -> None:
    assert chain.minimum_balance_for_rent_exemption(token.ACCOUNT_SIZE) == token.ACCOUNT_RENT


def test_creating_an_account_is_idempotent(chain: LiteSVM) -> None:
    mint = make_mint(chain)
    create = associated_token.create_idempotent(OWNER, OWNER, mint)
    succeed(chain, create)
    succeed(chain, create, memo.memo("again"))
    account = token_account(chain, mint)
    assert (account.mint, account.owner, account.amount, account.state) == (mint, OWNER, 0, 1)
    assert account.encode() == token.TokenAccount.new(mint, OWNER).encode()


def test_tokens_are_minted_and_moved(chain: LiteSVM) -> None:
    mint = make_mint(chain, decimals=6)
    other = Pubkey.from_bytes(b"\x08" * 32)
    succeed(
        chain,
        associated_token.create_idempotent(OWNER, OWNER, mint),
        associated_token.create_idempotent(OWNER, other, mint),
        token.mint_to(mint, associated_token.address(OWNER, mint), OWNER, 1_000),
        token.transfer_checked(
            associated_token.address(OWNER, mint), mint, associated_token.address(other, mint), OWNER, 300, 6
        ),
        token.transfer(associated_token.address(OWNER, mint), associated_token.address(other, mint), OWNER, 100),
    )
    assert token_account(chain, mint).amount == 600
    mint_account = chain.get_account(mint)
    assert mint_account is not None
    decoded = token.Mint.decode(bytes(mint_account.data))
    assert (decoded.supply, decoded.decimals, decoded.mint_authority.key) == (1_000, 6, OWNER)
    assert decoded.encode() == bytes(mint_account.data)


def test_an_attempt_has_its_budget_and_its_memo(chain: LiteSVM) -> None:
    pay = system.transfer(OWNER, Pubkey.from_bytes(b"\x07" * 32), SOL)
    attempt = attempt_instructions("0198c0de:1", [pay], units=50_000, micro_lamports_per_unit=1_000_000)
    before = chain.get_balance(OWNER)
    result = succeed(chain, *attempt)
    assert any("0198c0de:1" in line for line in result.logs())
    assert before is not None
    assert chain.get_balance(OWNER) == before - SOL - 5000 - compute_budget.priority_fee(50_000, 1_000_000)


def test_equal_orders_never_sign_the_same_bytes() -> None:
    pay = system.transfer(OWNER, Pubkey.from_bytes(b"\x07" * 32), 1)
    first, again, second = (
        sign(attempt_instructions(name, [pay], units=1, micro_lamports_per_unit=0), WALLET, Hash.default())
        for name in ("order-1:1", "order-1:1", "order-2:1")
    )
    assert first == again
    assert first.signature != second.signature


@pytest.mark.parametrize("made", [{}, {"legacy": True}, {"config": budget_config(5_000, 7)}], ids=["0", "legacy", "1"])
def test_a_signed_transaction_is_read_back(made: dict[str, Any]) -> None:
    pay = system.transfer(OWNER, Pubkey.from_bytes(b"\x07" * 32), 1)
    signed = sign([pay], WALLET, Hash.default(), **made)
    transaction = decode(signed.raw)
    assert transaction.signatures == [signed.signature]
    assert transaction.message.account_keys[0] == OWNER
    assert signed.signature.verify(OWNER, to_bytes_versioned(transaction.message))
    assert base64.b64decode(signed.base64) == signed.raw
    tried = decode(unsigned(signed.raw))
    assert (tried.message, tried.signatures) == (transaction.message, [Signature.default()])


@pytest.mark.parametrize("damaged", [b"", b"\x01", b"\xff" * 200], ids=["empty", "cut off", "garbage"])
def test_bytes_that_are_not_a_transaction_are_refused(damaged: bytes) -> None:
    with pytest.raises(ValueError, match="not a transaction"):
        decode(damaged)


def test_bytes_after_a_transaction_are_refused() -> None:
    raw = sign([memo.memo("x")], WALLET, Hash.default()).raw
    with pytest.raises(ValueError, match=r"follow|not a transaction"):
        decode(raw + b"\x00")


def test_a_transaction_too_large_for_a_packet_is_refused() -> None:
    room = MAX_SIZE - len(sign([memo.memo("")], WALLET, Hash.default()).raw)
    fits = sign([memo.memo("x" * (room - 1))], WALLET, Hash.default())
    assert len(fits.raw) == MAX_SIZE
    with pytest.raises(OrderdError) as error:
        sign([memo.memo("x" * room)], WALLET, Hash.default())
    assert error.value.code == ErrorCode.TX_TOO_LARGE
    assert "1233 bytes" in error.value.detail


def test_a_second_signer_is_refused() -> None:
    with pytest.raises(ValueError, match="2 signers"):
        sign([memo.memo("x", Pubkey.from_bytes(b"\x06" * 32))], WALLET, Hash.default())


def test_the_real_programs_failures_are_read(chain: LiteSVM) -> None:
    mint = make_mint(chain)
    create = associated_token.create_idempotent(OWNER, OWNER, mint)
    account = associated_token.address(OWNER, mint)
    poor = run(chain, create, token.transfer(account, account, OWNER, 5))
    assert isinstance(poor, FailedTransactionMetadata)
    failure = read_failure({"InstructionError": [1, {"Custom": 1}]}, poor.meta().logs())
    assert (failure.program, failure.name, failure.number) == (str(token.PROGRAM_ID), "InsufficientFunds", 1)

    broke = run(chain, system.transfer(OWNER, Pubkey.from_bytes(b"\x05" * 32), 100 * SOL))
    assert isinstance(broke, FailedTransactionMetadata)
    failure = read_failure({"InstructionError": [0, {"Custom": 1}]}, broke.meta().logs())
    assert (failure.program, failure.name) == (str(system.PROGRAM_ID), "ResultWithNegativeLamports")
