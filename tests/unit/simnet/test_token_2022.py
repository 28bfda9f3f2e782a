"""Tokens with a transfer fee: the local chain creates accounts and moves amounts like the real Token-2022 program."""

from dataclasses import replace

import pytest
from solders.instruction import Instruction
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account

from orderd.simnet.account import LedgerAccount, rent_exempt_minimum
from orderd.solana.programs import associated_token, token
from orderd.solana.programs.token import TokenAccount
from tests.samples.mints import extended, fee, plain
from tests.unit.simnet.world import ALICE, BOB, FRESH, NOBODY, PAYER, Accounts, by_litesvm, by_simnet, signed, world
from tests.unit.venues.taxed import WITHHELD

PROGRAM = token.TOKEN_2022_PROGRAM_ID
MINT = Pubkey([0xFE] * 32)
HELD = 1_000_000
NEW = FRESH.pubkey()


def at(owner: Pubkey) -> Pubkey:
    return associated_token.address(owner, MINT, PROGRAM)


def made(data: bytes) -> LedgerAccount:
    return LedgerAccount(rent_exempt_minimum(len(data)), PROGRAM, data)


def taxed_world(bps: int, maximum: int, later: tuple[int, int, int] | None) -> Accounts:
    accounts = world()
    mint = replace(plain(6, mint_authority=PAYER.pubkey()), supply=2 * HELD)
    accounts[MINT] = made(extended(mint, fee(bps, maximum, later=later)).data)
    for owner in (ALICE.pubkey(), BOB.pubkey()):
        accounts[at(owner)] = made(replace(TokenAccount.new(MINT, owner, HELD), extensions=WITHHELD).encode())
    return accounts


def move(amount: int, to: Pubkey | None = None) -> Instruction:
    return token.transfer_checked(at(ALICE.pubkey()), MINT, to or at(BOB.pubkey()), ALICE.pubkey(), amount, 6, PROGRAM)


def allocate(size: int) -> Instruction:
    lamports = rent_exempt_minimum(size)
    return create_account(
        CreateAccountParams(from_pubkey=PAYER.pubkey(), to_pubkey=NEW, lamports=lamports, space=size, owner=PROGRAM)
    )


CASES = {
    "moves an amount": [move(12_345)],
    "moves one unit": [move(1)],
    "moves nothing": [move(0)],
    "moves all it has": [move(HELD)],
    "moves more than it has": [move(HELD + 1)],
    "moves twice": [move(5), move(7)],
    "moves to itself": [move(9, at(ALICE.pubkey()))],
    "moves without naming the mint": [token.transfer(at(ALICE.pubkey()), at(BOB.pubkey()), ALICE.pubkey(), 5, PROGRAM)],
    "makes an account and moves to it": [
        associated_token.create_idempotent(PAYER.pubkey(), NOBODY.pubkey(), MINT, PROGRAM),
        move(777, at(NOBODY.pubkey())),
    ],
    "finds an account that is there": [associated_token.create_idempotent(PAYER.pubkey(), BOB.pubkey(), MINT, PROGRAM)],
    "makes an account as pools do": [allocate(178), token.initialize_account3(NEW, MINT, BOB.pubkey(), PROGRAM)],
    "makes an account that is too small": [
        allocate(165),
        token.initialize_account3(NEW, MINT, BOB.pubkey(), PROGRAM),
    ],
    "mints to an account": [token.mint_to(MINT, at(BOB.pubkey()), PAYER.pubkey(), 55, PROGRAM)],
}
FEES = {
    "a percent": (100, 2**63, None),
    "at most three": (100, 3, None),
    "nothing": (0, 0, None),
    "nearly all": (9_999, 2**63, None),
    "another one later": (100, 2**63, (2**40, 500, 9)),
    "another one now": (100, 2**63, (0, 500, 2**63)),
}


@pytest.mark.parametrize("fees", FEES.values(), ids=FEES.keys())
@pytest.mark.parametrize("instructions", CASES.values(), ids=CASES.keys())
def test_the_local_token_2022_answers_like_the_real_program(
    instructions: list[Instruction], fees: tuple[int, int, tuple[int, int, int] | None]
) -> None:
    svm = LiteSVM()
    needed = {meta.pubkey for each in instructions for meta in each.accounts if meta.is_signer}
    signers = [each for each in (PAYER, ALICE, FRESH) if each is PAYER or each.pubkey() in needed]
    transaction = signed(instructions, signers, svm.latest_blockhash())

    real = by_litesvm(svm, transaction, taxed_world(*fees))
    ours = by_simnet(transaction, taxed_world(*fees))

    assert ours == real
