"""A transaction's result in the JSON of getTransaction: balances, logs and fees.

Source: agave ``transaction-status/src/lib.rs`` (UiTransactionStatusMeta, UiTransaction).
"""

import base64
from typing import Any, Literal

from solders.message import MessageV0, MessageV1
from solders.pubkey import Pubkey

from orderd.simnet.account import TOKEN_PROGRAMS, LedgerAccount
from orderd.simnet.base58 import b58encode
from orderd.simnet.codec import decoded
from orderd.simnet.runtime import Load, Outcome
from orderd.simnet.transaction import Transaction
from orderd.solana.programs import memo, token
from orderd.solana.programs.layout import LayoutError
from orderd.solana.programs.token import Mint, TokenAccount


def transaction_meta(transaction: Transaction, outcome: Outcome, load: Load) -> dict[str, Any]:
    """The ``meta`` object; ``load`` finds the mints, for their decimals."""
    error = None if outcome.error is None else outcome.error.to_json()
    return {
        "err": error,
        "status": {"Ok": None} if error is None else {"Err": error},
        "fee": outcome.fee,
        "preBalances": [0 if each is None else each.lamports for each in outcome.before],
        "postBalances": [0 if each is None else each.lamports for each in outcome.after],
        "preTokenBalances": _token_balances(outcome.before, load),
        "postTokenBalances": _token_balances(outcome.after, load),
        "innerInstructions": inner_instructions(transaction, outcome),
        "logMessages": list(outcome.logs),
        "loadedAddresses": {name: [*map(str, keys)] for name, keys in transaction.loaded._asdict().items()},
        "computeUnitsConsumed": outcome.units,
        "rewards": [],
        **return_data(outcome),
    }


def return_data(outcome: Outcome) -> dict[str, Any]:
    """The ``returnData`` member; empty if there is none."""
    if outcome.return_data is None:
        return {}
    program, data = outcome.return_data
    return {"returnData": {"programId": str(program), "data": [base64.b64encode(data).decode(), "base64"]}}


def inner_instructions(transaction: Transaction, outcome: Outcome) -> list[dict[str, Any]]:
    """The calls between programs, by the top-level instruction that made them."""
    indices = {key: index for index, key in enumerate(transaction.keys)}
    return [
        {
            "index": index,
            "instructions": [
                {
                    "programIdIndex": indices[call.program_id],
                    "accounts": [indices[key] for key in call.accounts],
                    "data": b58encode(call.data),
                    "stackHeight": call.stack_height,
                }
                for call in calls
            ],
        }
        for index, calls in outcome.inner
    ]


def ui_amount(amount: int, decimals: int) -> dict[str, Any]:
    """A token amount as the RPC writes it: base units, and the same as a decimal number."""
    digits = str(amount).rjust(decimals + 1, "0")
    text = digits if decimals == 0 else f"{digits[:-decimals]}.{digits[-decimals:]}".rstrip("0").rstrip(".")
    return {"amount": str(amount), "decimals": decimals, "uiAmount": float(text), "uiAmountString": text}


def decimals_of(mint: Pubkey, load: Load) -> int:
    """A mint's decimals; 0 if there is no such mint."""
    account = load(mint)
    try:
        return decoded(Mint, account.data).decimals if account is not None else 0
    except LayoutError:
        return 0


def _token_balances(accounts: tuple[LedgerAccount | None, ...], load: Load) -> list[dict[str, Any]]:
    balances = []
    for index, account in enumerate(accounts):
        if account is None or account.owner not in TOKEN_PROGRAMS or len(account.data) < token.ACCOUNT_SIZE:
            continue
        state = decoded(TokenAccount, account.data)
        if not state.state:
            continue
        balances.append(
            {
                "accountIndex": index,
                "mint": str(state.mint),
                "owner": str(state.owner),
                "programId": str(account.owner),
                "uiTokenAmount": ui_amount(state.amount, decimals_of(state.mint, load)),
            }
        )
    return balances


def memo_text(transaction: Transaction) -> str | None:
    """A transaction's memos, each after its length in bytes; None if it has none.

    Source: agave ``transaction-status/src/extract_memos.rs``.
    """
    memos = [each.data for each in transaction.instructions if transaction.keys[each.program] == memo.PROGRAM_ID]
    return "; ".join(f"[{len(data)}] {_text(data)}" for data in memos) if memos else None


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "(unparseable)"


def account_keys(transaction: Transaction) -> list[dict[str, Any]]:
    """The transaction's keys with its privileges on each."""
    signers, named = transaction.header[0], len(transaction.static_keys)
    return [
        {
            "pubkey": str(key),
            "signer": index < signers,
            "writable": transaction.writable[index],
            "source": "transaction" if index < named else "lookupTable",
        }
        for index, key in enumerate(transaction.keys)
    ]


def _lookups(transaction: Transaction) -> list[dict[str, Any]]:
    message = transaction.parsed.message
    assert isinstance(message, MessageV0)
    return [
        {
            "accountKey": str(each.account_key),
            "writableIndexes": list(each.writable_indexes),
            "readonlyIndexes": list(each.readonly_indexes),
        }
        for each in message.address_table_lookups
    ]


def _config(transaction: Transaction) -> dict[str, Any]:
    message = transaction.parsed.message
    assert isinstance(message, MessageV1)
    return {
        "priorityFee": message.config.priority_fee,
        "computeUnitLimit": message.config.compute_unit_limit,
        "loadedAccountsDataSizeLimit": message.config.loaded_accounts_data_size_limit,
        "heapSize": message.config.heap_size,
    }


def ui_transaction(transaction: Transaction, encoding: Literal["json", "jsonParsed"]) -> dict[str, Any]:
    """The ``transaction`` object. With ``jsonParsed``, instructions stay undecoded, as they do for programs without a
    parser."""
    signers, readonly_signers, readonly_unsigned = transaction.header
    keys = [str(key) for key in transaction.keys]
    message: dict[str, Any] = {"recentBlockhash": str(transaction.blockhash)}
    if encoding == "json":
        message["header"] = {
            "numRequiredSignatures": signers,
            "numReadonlySignedAccounts": readonly_signers,
            "numReadonlyUnsignedAccounts": readonly_unsigned,
        }
        message["accountKeys"] = [str(key) for key in transaction.static_keys]
        message["instructions"] = [
            {
                "programIdIndex": each.program,
                "accounts": list(each.accounts),
                "data": b58encode(each.data),
                "stackHeight": 1,
            }
            for each in transaction.instructions
        ]
        if transaction.version == 0:
            message["addressTableLookups"] = _lookups(transaction)
        if transaction.version == 1:
            message["transactionConfig"] = _config(transaction)
    else:
        message["accountKeys"] = account_keys(transaction)
        message["instructions"] = [
            {
                "programId": keys[each.program],
                "accounts": [keys[index] for index in each.accounts],
                "data": b58encode(each.data),
                "stackHeight": 1,
            }
            for each in transaction.instructions
        ]
    return {"signatures": [str(each) for each in transaction.signatures], "message": message}
