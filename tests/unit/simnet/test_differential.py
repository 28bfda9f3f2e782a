"""The local chain compared with the real runtime and programs: same result, error, accounts and log.

LiteSVM runs the deployed binaries of Token, Associated Token Account and Memo, and Agave's own System and Compute
Budget programs. Compute units of a failure are not compared: they depend on how far the binary got.
"""

import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest
from solders.compute_budget import request_heap_frame, set_compute_unit_limit, set_compute_unit_price
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import TransactionConfig
from solders.pubkey import Pubkey
from solders.system_program import (
    AllocateParams,
    AllocateWithSeedParams,
    AssignParams,
    AssignWithSeedParams,
    CreateAccountParams,
    CreateAccountWithSeedParams,
    TransferParams,
    TransferWithSeedParams,
    allocate,
    allocate_with_seed,
    assign,
    assign_with_seed,
    create_account,
    create_account_with_seed,
    transfer,
    transfer_with_seed,
)

from orderd.simnet.account import LedgerAccount, rent_exempt_minimum
from orderd.solana.programs import associated_token, compute_budget, memo, system, token
from orderd.solana.programs.metas import readonly, signer, writable
from orderd.solana.programs.token import AccountState, OptionalKey, TokenAccount
from tests.unit.simnet.world import (
    ALICE,
    BOB,
    FRESH,
    MINT,
    MINTED,
    NOBODY,
    OTHER_MINT,
    PAYER,
    SOL,
    Accounts,
    ata,
    by_litesvm,
    by_simnet,
    signed,
    token_account,
    world,
)

Alter = Callable[[Accounts], object]
NEW = FRESH.pubkey()


@dataclass(frozen=True)
class Scenario:
    """A transaction, and a change of the accounts before it."""

    instructions: Sequence[Instruction]
    signers: Sequence[Keypair] = (PAYER, ALICE)
    alter: Alter = dict.copy
    legacy: bool = False
    config: TransactionConfig | None = None


def token_instruction(tag: int, data: bytes, *accounts: AccountMeta) -> Instruction:
    return Instruction(token.PROGRAM_ID, bytes([tag]) + data, list(accounts))


def amount(value: int, decimals: int | None = None) -> bytes:
    return struct.pack("<Q", value) + (b"" if decimals is None else bytes([decimals]))


def change(key: Pubkey, **fields: object) -> Alter:
    """Change fields of a token account."""

    def alter(accounts: Accounts) -> None:
        state = replace(TokenAccount.decode(accounts[key].data), **fields)  # type: ignore[arg-type]
        accounts[key] = accounts[key]._replace(data=state.encode())

    return alter


def put(key: Pubkey, account: LedgerAccount) -> Alter:
    return lambda accounts: accounts.__setitem__(key, account)


def both(*alterations: Alter) -> Alter:
    def alter(accounts: Accounts) -> None:
        for each in alterations:
            each(accounts)

    return alter


def pay(lamports: int, source: Keypair = ALICE, to: Pubkey | None = None) -> Instruction:
    to = BOB.pubkey() if to is None else to
    return transfer(TransferParams(from_pubkey=source.pubkey(), to_pubkey=to, lamports=lamports))


def create(lamports: int, space: int, owner: Pubkey = token.PROGRAM_ID, who: Pubkey = NEW) -> Instruction:
    params = CreateAccountParams(from_pubkey=PAYER.pubkey(), to_pubkey=who, lamports=lamports, space=space, owner=owner)
    return create_account(params)


def move(value: int, who: Keypair = ALICE) -> Instruction:
    return token.transfer(ata(ALICE), ata(BOB), who.pubkey(), value)


def move_checked(value: int, mint: Pubkey = MINT, decimals: int = 6) -> Instruction:
    return token.transfer_checked(ata(ALICE), mint, ata(BOB), ALICE.pubkey(), value, decimals)


def make_ata(owner: Pubkey, mint: Pubkey = MINT, tag: bytes = b"\x00", address: Pubkey | None = None) -> Instruction:
    made = associated_token.create_idempotent(PAYER.pubkey(), owner, mint)
    accounts = list(made.accounts)
    if address is not None:
        accounts[1] = AccountMeta(address, is_signer=False, is_writable=True)
    return Instruction(associated_token.PROGRAM_ID, tag, accounts)


def approve(value: int, delegate: Keypair = BOB) -> Instruction:
    accounts = (writable(ata(ALICE)), readonly(delegate.pubkey()), signer(ALICE.pubkey()))
    return token_instruction(4, amount(value), *accounts)


def set_authority(target: Pubkey, kind: int, new: Pubkey | None, by: Keypair = ALICE) -> Instruction:
    data = bytes([kind]) + (b"\x00" if new is None else b"\x01" + bytes(new))
    return token_instruction(6, data, writable(target), signer(by.pubkey()))


def burn(value: int, by: Keypair = ALICE) -> Instruction:
    return token_instruction(8, amount(value), writable(ata(ALICE)), writable(MINT), signer(by.pubkey()))


SEEDED = Pubkey.create_with_seed(ALICE.pubkey(), "seed", token.PROGRAM_ID)
SEEDED_WALLET = Pubkey.create_with_seed(ALICE.pubkey(), "purse", system.PROGRAM_ID)
ALICE_WSOL, BOB_WSOL = ata(ALICE, token.NATIVE_MINT), ata(BOB, token.NATIVE_MINT)
TOKEN_RENT = rent_exempt_minimum(165)
DELEGATED = change(ata(ALICE), delegate=OptionalKey.of(BOB.pubkey()), delegated_amount=100)
FROZEN = change(ata(ALICE), state=AccountState.FROZEN)
EMPTY_TOKEN_ACCOUNT = put(NEW, LedgerAccount(TOKEN_RENT, token.PROGRAM_ID, bytes(165)))
EMPTY_MINT = put(NEW, LedgerAccount(rent_exempt_minimum(82), token.PROGRAM_ID, bytes(82)))

SYSTEM = {
    "pays lamports": Scenario([pay(SOL)]),
    "pays lamports in a legacy message": Scenario([pay(SOL)], legacy=True),
    "pays itself": Scenario([pay(SOL, to=ALICE.pubkey())]),
    "pays nothing": Scenario([pay(0)]),
    "pays all it has": Scenario([pay(10 * SOL)]),
    "pays more than it has": Scenario([pay(10 * SOL + 1)]),
    "leaves itself below the rent": Scenario([pay(10 * SOL - 1)]),
    "pays a new account too little for its rent": Scenario([pay(1, to=NOBODY.pubkey())]),
    "pays a new account its rent": Scenario([pay(890_880, to=NOBODY.pubkey())]),
    "pays without having signed": Scenario(
        [Instruction(system.PROGRAM_ID, bytes(pay(5).data), [writable(BOB.pubkey()), writable(ALICE.pubkey())])]
    ),
    "pays from a read-only account": Scenario(
        [Instruction(system.PROGRAM_ID, bytes(pay(5).data), [signer(ALICE.pubkey()), writable(BOB.pubkey())])]
    ),
    "pays to a read-only account": Scenario(
        [
            Instruction(
                system.PROGRAM_ID,
                bytes(pay(5).data),
                [signer(ALICE.pubkey(), writable=True), readonly(BOB.pubkey())],
            )
        ]
    ),
    "pays from an account with data": Scenario(
        [pay(5, source=FRESH)],
        (PAYER, FRESH),
        put(NEW, LedgerAccount(SOL, system.PROGRAM_ID, bytes(10))),
    ),
    "pays from an account of a program": Scenario(
        [pay(5, source=FRESH)], (PAYER, FRESH), put(NEW, LedgerAccount(SOL, token.PROGRAM_ID))
    ),
    "names one account only": Scenario(
        [Instruction(system.PROGRAM_ID, bytes(pay(5).data), [signer(ALICE.pubkey(), writable=True)])]
    ),
    "cuts the instruction off": Scenario([Instruction(system.PROGRAM_ID, b"\x02\x00\x00\x00\x01", [])]),
    "asks for an unknown instruction": Scenario([Instruction(system.PROGRAM_ID, b"\xc8\x00\x00\x00", [])]),
    "sends no data": Scenario([Instruction(system.PROGRAM_ID, b"", [])]),
    "fails in the second instruction": Scenario([pay(SOL), pay(100 * SOL)]),
    "creates an account": Scenario([create(TOKEN_RENT, 165)], (PAYER, FRESH)),
    "creates an account below its rent": Scenario([create(TOKEN_RENT - 1, 165)], (PAYER, FRESH)),
    "creates an account that exists": Scenario([create(TOKEN_RENT, 165, who=ALICE.pubkey())]),
    "creates an account it cannot pay": Scenario([create(100 * SOL, 165)], (PAYER, FRESH)),
    "creates an account that does not sign": Scenario(
        [
            Instruction(
                system.PROGRAM_ID,
                bytes(create(TOKEN_RENT, 165).data),
                [signer(PAYER.pubkey(), writable=True), writable(NEW)],
            )
        ],
        (PAYER,),
    ),
    "creates too large an account": Scenario([create(100 * SOL, 11 * 1024 * 1024)], (PAYER, FRESH)),
    "creates an account from a seed": Scenario(
        [
            create_account_with_seed(
                CreateAccountWithSeedParams(
                    from_pubkey=PAYER.pubkey(),
                    to_pubkey=SEEDED,
                    base=ALICE.pubkey(),
                    seed="seed",
                    lamports=TOKEN_RENT,
                    space=165,
                    owner=token.PROGRAM_ID,
                )
            )
        ]
    ),
    "creates an account from another seed": Scenario(
        [
            create_account_with_seed(
                CreateAccountWithSeedParams(
                    from_pubkey=PAYER.pubkey(),
                    to_pubkey=SEEDED,
                    base=ALICE.pubkey(),
                    seed="sead",
                    lamports=TOKEN_RENT,
                    space=165,
                    owner=token.PROGRAM_ID,
                )
            )
        ]
    ),
    "allocates": Scenario(
        [allocate(AllocateParams(pubkey=NEW, space=10))],
        (PAYER, FRESH),
        put(NEW, LedgerAccount(SOL, system.PROGRAM_ID)),
    ),
    "allocates twice": Scenario(
        [allocate(AllocateParams(pubkey=NEW, space=10))],
        (PAYER, FRESH),
        put(NEW, LedgerAccount(SOL, system.PROGRAM_ID, bytes(3))),
    ),
    "assigns": Scenario(
        [assign(AssignParams(pubkey=NEW, owner=token.PROGRAM_ID))],
        (PAYER, FRESH),
        put(NEW, LedgerAccount(SOL, system.PROGRAM_ID)),
    ),
    "assigns what is another's": Scenario(
        [assign(AssignParams(pubkey=NEW, owner=system.PROGRAM_ID))],
        (PAYER, FRESH),
        put(NEW, LedgerAccount(SOL, token.PROGRAM_ID)),
    ),
    "allocates with a seed": Scenario(
        [
            allocate_with_seed(
                AllocateWithSeedParams(
                    address=SEEDED, base=ALICE.pubkey(), seed="seed", space=7, owner=token.PROGRAM_ID
                )
            )
        ],
        alter=put(SEEDED, LedgerAccount(SOL, system.PROGRAM_ID)),
    ),
    "assigns with a seed": Scenario(
        [
            assign_with_seed(
                AssignWithSeedParams(address=SEEDED, base=ALICE.pubkey(), seed="seed", owner=token.PROGRAM_ID)
            )
        ],
        alter=put(SEEDED, LedgerAccount(SOL, system.PROGRAM_ID)),
    ),
    "pays from a seeded account": Scenario(
        [
            transfer_with_seed(
                TransferWithSeedParams(
                    from_pubkey=SEEDED_WALLET,
                    from_base=ALICE.pubkey(),
                    from_seed="purse",
                    from_owner=system.PROGRAM_ID,
                    to_pubkey=BOB.pubkey(),
                    lamports=SOL // 2,
                )
            )
        ],
        alter=put(SEEDED_WALLET, LedgerAccount(SOL, system.PROGRAM_ID)),
    ),
    "pays from another's seeded account": Scenario(
        [
            transfer_with_seed(
                TransferWithSeedParams(
                    from_pubkey=SEEDED_WALLET,
                    from_base=ALICE.pubkey(),
                    from_seed="wallet",
                    from_owner=system.PROGRAM_ID,
                    to_pubkey=BOB.pubkey(),
                    lamports=SOL // 2,
                )
            )
        ],
        alter=put(SEEDED_WALLET, LedgerAccount(SOL, system.PROGRAM_ID)),
    ),
}

TOKEN = {
    "transfers": Scenario([move(5)]),
    "transfers all": Scenario([move(MINTED)]),
    "transfers nothing": Scenario([move(0)]),
    "transfers too much": Scenario([move(MINTED + 1)]),
    "transfers another's": Scenario([move(5, who=BOB)], (PAYER, BOB)),
    "transfers unsigned": Scenario(
        [token_instruction(3, amount(5), writable(ata(ALICE)), writable(ata(BOB)), readonly(ALICE.pubkey()))], (PAYER,)
    ),
    "transfers to itself": Scenario([token.transfer(ata(ALICE), ata(ALICE), ALICE.pubkey(), 5)]),
    "transfers too much to itself": Scenario([token.transfer(ata(ALICE), ata(ALICE), ALICE.pubkey(), MINTED + 1)]),
    "transfers to another mint": Scenario([token.transfer(ata(ALICE), ata(ALICE, OTHER_MINT), ALICE.pubkey(), 5)]),
    "transfers from a wallet": Scenario([token.transfer(BOB.pubkey(), ata(BOB), ALICE.pubkey(), 5)]),
    "transfers to a wallet": Scenario([token.transfer(ata(ALICE), BOB.pubkey(), ALICE.pubkey(), 5)]),
    "transfers from an uninitialized account": Scenario(
        [token.transfer(NEW, ata(BOB), ALICE.pubkey(), 5)], alter=EMPTY_TOKEN_ACCOUNT
    ),
    "transfers from a frozen account": Scenario([move(5)], alter=FROZEN),
    "transfers from a read-only account": Scenario(
        [token_instruction(3, amount(5), readonly(ata(ALICE)), writable(ata(BOB)), signer(ALICE.pubkey()))]
    ),
    "transfers with too few accounts": Scenario([token_instruction(3, amount(5), writable(ata(ALICE)))]),
    "transfers with the amount cut off": Scenario(
        [token_instruction(3, b"\x05", writable(ata(ALICE)), writable(ata(BOB)), signer(ALICE.pubkey()))]
    ),
    "transfers a forged account's balance": Scenario(
        [token.transfer(NEW, ata(BOB), ALICE.pubkey(), 5)],
        alter=put(NEW, token_account(ALICE.pubkey(), MINT, MINTED)._replace(owner=memo.PROGRAM_ID)),
    ),
    "transfers checked": Scenario([move_checked(5)]),
    "transfers with the wrong decimals": Scenario([move_checked(5, decimals=9)]),
    "transfers with the wrong mint": Scenario([move_checked(5, mint=OTHER_MINT)]),
    "transfers wrapped SOL": Scenario([token.transfer(ALICE_WSOL, BOB_WSOL, ALICE.pubkey(), SOL // 3)]),
    "transfers as a delegate": Scenario([move(60, who=BOB)], (PAYER, BOB), DELEGATED),
    "transfers all a delegate may": Scenario([move(100, who=BOB)], (PAYER, BOB), DELEGATED),
    "transfers more than a delegate may": Scenario([move(101, who=BOB)], (PAYER, BOB), DELEGATED),
    "transfers as the owner beside a delegate": Scenario([move(60)], alter=DELEGATED),
    "approves": Scenario([approve(7)]),
    "approves another's": Scenario(
        [token_instruction(4, amount(7), writable(ata(ALICE)), readonly(BOB.pubkey()), signer(BOB.pubkey()))],
        (PAYER, BOB),
    ),
    "approves frozen": Scenario([approve(7)], alter=FROZEN),
    "approves checked": Scenario(
        [
            token_instruction(
                13,
                amount(7, 6),
                writable(ata(ALICE)),
                readonly(MINT),
                readonly(BOB.pubkey()),
                signer(ALICE.pubkey()),
            )
        ]
    ),
    "revokes": Scenario([token_instruction(5, b"", writable(ata(ALICE)), signer(ALICE.pubkey()))], alter=DELEGATED),
    "revokes nothing": Scenario([token_instruction(5, b"", writable(ata(ALICE)), signer(ALICE.pubkey()))]),
    "mints": Scenario([token.mint_to(MINT, ata(ALICE), PAYER.pubkey(), 5)], (PAYER,)),
    "mints nothing": Scenario([token.mint_to(MINT, ata(ALICE), PAYER.pubkey(), 0)], (PAYER,)),
    "mints beyond 64 bits": Scenario([token.mint_to(MINT, ata(ALICE), PAYER.pubkey(), 2**64 - 1)], (PAYER,)),
    "mints without authority": Scenario([token.mint_to(MINT, ata(ALICE), ALICE.pubkey(), 5)]),
    "mints what is fixed": Scenario([token.mint_to(OTHER_MINT, ata(ALICE, OTHER_MINT), PAYER.pubkey(), 5)], (PAYER,)),
    "mints to another mint's account": Scenario(
        [token.mint_to(MINT, ata(ALICE, OTHER_MINT), PAYER.pubkey(), 5)], (PAYER,)
    ),
    "mints wrapped SOL": Scenario([token.mint_to(token.NATIVE_MINT, ALICE_WSOL, PAYER.pubkey(), 5)], (PAYER,)),
    "mints checked": Scenario(
        [token_instruction(14, amount(5, 6), writable(MINT), writable(ata(ALICE)), signer(PAYER.pubkey()))], (PAYER,)
    ),
    "mints with the wrong decimals": Scenario(
        [token_instruction(14, amount(5, 5), writable(MINT), writable(ata(ALICE)), signer(PAYER.pubkey()))], (PAYER,)
    ),
    "burns": Scenario([burn(5)]),
    "burns too much": Scenario([burn(MINTED + 1)]),
    "burns another's": Scenario([burn(5, by=BOB)], (PAYER, BOB)),
    "burns as a delegate": Scenario([burn(5, by=BOB)], (PAYER, BOB), DELEGATED),
    "burns wrapped SOL": Scenario(
        [token_instruction(8, amount(5), writable(ALICE_WSOL), writable(token.NATIVE_MINT), signer(ALICE.pubkey()))]
    ),
    "burns checked": Scenario(
        [token_instruction(15, amount(5, 6), writable(ata(ALICE)), writable(MINT), signer(ALICE.pubkey()))]
    ),
    "closes an empty account": Scenario(
        [token.close_account(ata(ALICE), BOB.pubkey(), ALICE.pubkey())], alter=change(ata(ALICE), amount=0)
    ),
    "closes an account with a balance": Scenario([token.close_account(ata(ALICE), BOB.pubkey(), ALICE.pubkey())]),
    "closes another's account": Scenario(
        [token.close_account(ata(ALICE), BOB.pubkey(), BOB.pubkey())], (PAYER, BOB), change(ata(ALICE), amount=0)
    ),
    "closes an account into itself": Scenario(
        [token.close_account(ata(ALICE), ata(ALICE), ALICE.pubkey())], alter=change(ata(ALICE), amount=0)
    ),
    "closes as the close authority": Scenario(
        [token.close_account(ata(ALICE), BOB.pubkey(), BOB.pubkey())],
        (PAYER, BOB),
        change(ata(ALICE), amount=0, close_authority=OptionalKey.of(BOB.pubkey())),
    ),
    "unwraps SOL": Scenario([token.close_account(ALICE_WSOL, ALICE.pubkey(), ALICE.pubkey())]),
    "wraps SOL": Scenario([pay(SOL, to=ALICE_WSOL), token.sync_native(ALICE_WSOL)]),
    "syncs what is not native": Scenario([token.sync_native(ata(ALICE))]),
    "syncs a wallet": Scenario([token.sync_native(BOB.pubkey())]),
    "gives an account away": Scenario([set_authority(ata(ALICE), 2, BOB.pubkey())], alter=DELEGATED),
    "gives wrapped SOL away": Scenario([set_authority(ALICE_WSOL, 2, BOB.pubkey())]),
    "gives an account to nobody": Scenario([set_authority(ata(ALICE), 2, None)]),
    "gives another's account away": Scenario([set_authority(ata(ALICE), 2, BOB.pubkey(), by=BOB)], (PAYER, BOB)),
    "sets a close authority": Scenario([set_authority(ata(ALICE), 3, BOB.pubkey())]),
    "sets a mint authority": Scenario([set_authority(MINT, 0, BOB.pubkey(), by=PAYER)], (PAYER,)),
    "fixes a mint's supply": Scenario([set_authority(MINT, 0, None, by=PAYER)], (PAYER,)),
    "sets the authority of a fixed mint": Scenario([set_authority(OTHER_MINT, 0, None, by=PAYER)], (PAYER,)),
    "sets the freeze authority of a mint without": Scenario([set_authority(MINT, 1, None, by=PAYER)], (PAYER,)),
    "sets a mint's authority on an account": Scenario([set_authority(ata(ALICE), 0, BOB.pubkey())]),
    "sets an account's owner on a mint": Scenario([set_authority(MINT, 2, BOB.pubkey(), by=PAYER)], (PAYER,)),
    "sets an unknown authority": Scenario([set_authority(ata(ALICE), 9, BOB.pubkey())]),
    "initializes an account": Scenario(
        [create(TOKEN_RENT, 165), token.initialize_account3(NEW, MINT, ALICE.pubkey())], (PAYER, FRESH)
    ),
    "initializes wrapped SOL": Scenario(
        [create(TOKEN_RENT + SOL, 165), token.initialize_account3(NEW, token.NATIVE_MINT, ALICE.pubkey())],
        (PAYER, FRESH),
    ),
    "initializes an account twice": Scenario([token.initialize_account3(ata(ALICE), MINT, ALICE.pubkey())]),
    "initializes an account of no mint": Scenario(
        [create(TOKEN_RENT, 165), token.initialize_account3(NEW, BOB.pubkey(), ALICE.pubkey())], (PAYER, FRESH)
    ),
    "initializes an account of another size": Scenario(
        [create(2 * TOKEN_RENT, 166), token.initialize_account3(NEW, MINT, ALICE.pubkey())], (PAYER, FRESH)
    ),
    "initializes a mint": Scenario(
        [create(rent_exempt_minimum(82), 82), token.initialize_mint2(NEW, 7, ALICE.pubkey())], (PAYER, FRESH)
    ),
    "initializes a mint with a freeze authority": Scenario(
        [
            create(rent_exempt_minimum(82), 82),
            token_instruction(20, b"\x07" + bytes(ALICE.pubkey()) + b"\x01" + bytes(BOB.pubkey()), writable(NEW)),
        ],
        (PAYER, FRESH),
    ),
    "initializes a mint twice": Scenario([token.initialize_mint2(MINT, 7, ALICE.pubkey())]),
    "initializes what is not the program's": Scenario(
        [token.initialize_mint2(NEW, 7, ALICE.pubkey())],
        alter=put(NEW, LedgerAccount(SOL, memo.PROGRAM_ID, bytes(82))),
    ),
    "asks for an unknown instruction": Scenario([token_instruction(240, b"")]),
    "sends no data": Scenario([Instruction(token.PROGRAM_ID, b"", [])]),
}

ASSOCIATED = {
    "makes an account": Scenario([make_ata(NEW)], (PAYER,)),
    "makes an account with an empty instruction": Scenario([make_ata(NEW, tag=b"")], (PAYER,)),
    "makes an account idempotently": Scenario([make_ata(NEW, tag=b"\x01")], (PAYER,)),
    "makes an account of wrapped SOL": Scenario([make_ata(NEW, token.NATIVE_MINT)], (PAYER,)),
    "makes an account that was paid before": Scenario(
        [make_ata(NEW)], (PAYER,), put(ata(FRESH), LedgerAccount(1_000_000, system.PROGRAM_ID))
    ),
    "makes an account that was overpaid before": Scenario(
        [make_ata(NEW)], (PAYER,), put(ata(FRESH), LedgerAccount(SOL, system.PROGRAM_ID))
    ),
    "makes an account twice": Scenario([make_ata(ALICE.pubkey())], (PAYER,)),
    "makes an account twice idempotently": Scenario([make_ata(ALICE.pubkey(), tag=b"\x01")], (PAYER,)),
    "makes an account at another address": Scenario([make_ata(NEW, address=BOB.pubkey())], (PAYER,)),
    "takes over an account that was given away": Scenario(
        [make_ata(ALICE.pubkey(), tag=b"\x01")], (PAYER,), change(ata(ALICE), owner=BOB.pubkey())
    ),
    "makes an account of no mint": Scenario([make_ata(NEW, BOB.pubkey())], (PAYER,)),
    "makes an account it cannot pay": Scenario(
        [make_ata(NEW)], (PAYER,), put(PAYER.pubkey(), LedgerAccount(1_500_000, system.PROGRAM_ID))
    ),
    "asks for an unknown instruction": Scenario([make_ata(NEW, tag=b"\x09")], (PAYER,)),
}

MEMO_AND_BUDGET = {
    "writes a memo": Scenario([memo.memo("an order's attempt")]),
    "writes a signed memo": Scenario([memo.memo("signed", ALICE.pubkey(), PAYER.pubkey())]),
    "writes in another script": Scenario([memo.memo("注文 ✓")]),
    "claims a signature for a memo": Scenario([Instruction(memo.PROGRAM_ID, b"x", [readonly(BOB.pubkey())])]),
    "writes what is not text": Scenario([Instruction(memo.PROGRAM_ID, b"h\xff", [])]),
    "writes a text that is cut off": Scenario([Instruction(memo.PROGRAM_ID, b"abc\xe2\x9c", [])]),
    "sets a limit and a price": Scenario([*compute_budget.budget(5_000, 1_000_000), move(5)]),
    "pays a fraction of a lamport": Scenario([*compute_budget.budget(1_001, 1_234), move(5)]),
    "asks for more units than there are": Scenario([set_compute_unit_limit(2_000_000), move(5)]),
    "sets a limit twice": Scenario([set_compute_unit_limit(10), set_compute_unit_limit(20), move(5)]),
    "sets a price twice": Scenario([set_compute_unit_price(10), set_compute_unit_price(20), move(5)]),
    "asks for heap": Scenario([request_heap_frame(64 * 1024), move(5)]),
    "runs out of units in a program": Scenario([set_compute_unit_limit(200), move(5)]),
    "runs out of units in a built-in": Scenario([set_compute_unit_limit(200), pay(5)]),
    "sends an unknown budget instruction": Scenario([Instruction(compute_budget.PROGRAM_ID, b"\x09", []), move(5)]),
    "cuts the limit off": Scenario([Instruction(compute_budget.PROGRAM_ID, b"\x02\x01", []), move(5)]),
}

WHOLE = {
    "calls an account": Scenario([Instruction(BOB.pubkey(), b"", [])]),
    "pays the fee with nothing": Scenario([pay(5)], (NOBODY, ALICE)),
    "pays the fee with too little": Scenario(
        [pay(5)], (FRESH, ALICE), put(NEW, LedgerAccount(9_999, system.PROGRAM_ID))
    ),
    "pays the fee with its last lamport": Scenario(
        [pay(5)], (FRESH, ALICE), put(NEW, LedgerAccount(10_000, system.PROGRAM_ID))
    ),
    "falls below the rent by the fee": Scenario(
        [pay(5)], (FRESH, ALICE), put(NEW, LedgerAccount(890_880 + 9_999, system.PROGRAM_ID))
    ),
    "pays the fee from a program's account": Scenario(
        [pay(5)], (FRESH, ALICE), put(NEW, LedgerAccount(SOL, token.PROGRAM_ID, bytes(165)))
    ),
    "pays the fee of a failure": Scenario([*compute_budget.budget(10_000, 500_000), move(MINTED + 1)]),
    "carries no instruction": Scenario([], (PAYER,)),
}

PLENTY = 64 * 1024 * 1024


def v1(units: int = 200_000) -> TransactionConfig:
    """LiteSVM supports no priority fee in version 1, and has defaults for omitted fields."""
    return TransactionConfig(compute_unit_limit=units, loaded_accounts_data_size_limit=PLENTY)


VERSION_1 = {
    "pays lamports": Scenario([pay(SOL)], config=v1()),
    "moves tokens": Scenario([move(5)], config=v1()),
    "moves more than there is": Scenario([move(MINTED + 1)], config=v1()),
    "writes a long memo": Scenario([memo.memo("x" * 3_000)], config=v1()),
    "runs out of units": Scenario([move(5)], config=v1(units=200)),
}

SCENARIOS = [
    pytest.param(scenario, id=f"{group}: {name}")
    for group, scenarios in {
        "system": SYSTEM,
        "token": TOKEN,
        "associated token": ASSOCIATED,
        "memo and budget": MEMO_AND_BUDGET,
        "whole": WHOLE,
        "version 1": VERSION_1,
    }.items()
    for name, scenario in scenarios.items()
]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_local_chain_answers_like_the_real_programs(scenario: Scenario) -> None:
    svm = LiteSVM()
    accounts = world()
    scenario.alter(accounts)
    now, signers = svm.latest_blockhash(), scenario.signers
    transaction = signed(scenario.instructions, signers, now, legacy=scenario.legacy, config=scenario.config)

    real = by_litesvm(svm, transaction, accounts)
    ours = by_simnet(transaction, accounts)

    assert ours == real
    assert [without_units(line) for line in ours.logs] == [without_units(line) for line in real.logs]


def without_units(line: str) -> str:
    return re.sub(r"consumed \d+ of \d+", "consumed", line)


@pytest.mark.parametrize(
    "instruction",
    [move(5), move_checked(5), approve(7), burn(5), token.mint_to(MINT, ata(ALICE), PAYER.pubkey(), 5), pay(5)],
)
def test_common_instructions_use_the_units_of_the_real_programs(instruction: Instruction) -> None:
    svm = LiteSVM()
    transaction = signed([instruction], [PAYER] if signs_alone(instruction) else [PAYER, ALICE], svm.latest_blockhash())

    assert by_simnet(transaction, world()).logs == by_litesvm(svm, transaction, world()).logs


def signs_alone(instruction: Instruction) -> bool:
    return {meta.pubkey for meta in instruction.accounts if meta.is_signer} <= {PAYER.pubkey()}
