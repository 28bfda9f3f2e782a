"""The two judges of a trial swap: the node's simulation, and LiteSVM with the node's program and accounts."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

import solders.account
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.transaction_metadata import FailedTransactionMetadata

from orderd.proving.trial import Paid, Trial
from orderd.solana.chain_time import CLOCK, clock_of
from orderd.solana.deployments import binary
from orderd.solana.rpc import RpcClient
from orderd.solana.rpc_types import ChainAccount

_SYSVARS: Final = Pubkey.from_string("Sysvar1111111111111111111111111111111111111")

Accounts = Mapping[Pubkey, ChainAccount | None]


class Untried(NamedTuple):
    """The transaction failed before the swap, so the trial says nothing about the pool's program."""

    reason: str


Verdict = Paid | str | Untried
"""The amounts of a swap, the error of its program, or why the swap was not reached."""


def by_node(rpc: RpcClient, trials: Sequence[Trial], before: Accounts) -> list[Verdict]:
    """Judge trials by the node's simulation. Raises RpcError."""
    simulations = rpc.simulate_with_accounts(
        [(bytes(each.transaction), [each.source, each.destination]) for each in trials]
    )
    found: list[Verdict] = []
    for trial, simulation in zip(trials, simulations, strict=True):
        if (error := simulation.err) is not None:
            at = error["InstructionError"][0] if isinstance(error, dict) and "InstructionError" in error else None
            found.append(_refusal(trial, at, f"{error} {_last(simulation.logs)}"))
        else:
            found.append(trial.paid(before, *simulation.accounts))
    return found


class Judge(Protocol):
    def judge(self, trials: Sequence[Trial], accounts: Accounts) -> list[Verdict]:
        """Execute the trials on these accounts, which must include the clock."""
        ...


class Deployed(NamedTuple):
    """A program of the chain in a local runtime, and the slot of its deployment."""

    slot: int
    judge: Judge


def sandboxed(rpc: RpcClient, program: Pubkey) -> Deployed:
    """Load the program of the node into LiteSVM. Raises ValueError if it cannot be run, and RpcError."""
    found = binary(rpc, program)
    if found is None:
        raise ValueError("the chain has no executable program")
    return Deployed(found.slot, Sandbox(program, found.elf))


class Sandbox:
    """LiteSVM with one program of the chain."""

    def __init__(self, program: Pubkey, elf: bytes) -> None:
        """Raises ValueError if the program cannot be loaded."""
        self._svm = LiteSVM().with_sigverify(False).with_blockhash_check(False).with_log_bytes_limit(None)
        try:
            self._svm.add_program(program, elf)
        except Exception as error:  # LiteSVM's own exception class cannot be imported
            raise ValueError(f"LiteSVM cannot load the program: {error}") from error

    def judge(self, trials: Sequence[Trial], accounts: Accounts) -> list[Verdict]:
        self._svm.set_clock(clock_of(accounts.get(CLOCK)))
        for key, account in accounts.items():
            if account is None:
                self._svm.set_account(key, _NOTHING)
            elif not account.executable and account.owner != _SYSVARS:
                self._svm.set_account(key, solders.account.Account(account.lamports, account.data, account.owner))
        return [self._run(trial, accounts) for trial in trials]

    def _run(self, trial: Trial, accounts: Accounts) -> Verdict:
        result = self._svm.simulate_transaction(trial.transaction)
        if isinstance(result, FailedTransactionMetadata):
            error = result.err()
            return _refusal(trial, getattr(error, "index", None), f"{error} {_last(result.meta().logs())}")
        after = dict(result.post_accounts())
        return trial.paid(accounts, *(_ours(after.get(key)) for key in (trial.source, trial.destination)))


_NOTHING: Final = solders.account.Account(0, b"", Pubkey.default())


def _refusal(trial: Trial, at: int | None, why: str) -> str | Untried:
    """The error of a trial. An error outside of the swap instruction is not an error of the pool's program."""
    return why if at == trial.swap else Untried(why)


def _ours(account: Any) -> ChainAccount | None:  # noqa: ANN401  (solders' Account)
    if account is None:
        return None
    return ChainAccount(account.lamports, account.owner, bytes(account.data), account.executable)


def _last(logs: Sequence[str]) -> str:
    """The first log line about an error, in parentheses."""
    errors = [line for line in logs if "Error" in line or "failed" in line]
    return f"({errors[0]})" if errors else ""
