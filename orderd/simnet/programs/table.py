"""The programs by their address."""

from collections.abc import Callable, Mapping
from typing import Final

from solders.pubkey import Pubkey

from orderd.domain.pool_kind import PoolKind
from orderd.simnet.invoke import Invocation, NativeProgram
from orderd.simnet.programs import associated_token, compute_budget, memo, system, token
from orderd.solana.pool_programs import part, program_of
from orderd.solana.programs import associated_token as associated_token_layout
from orderd.solana.programs import compute_budget as compute_budget_layout
from orderd.solana.programs import memo as memo_layout
from orderd.solana.programs import system as system_layout
from orderd.solana.programs import token as token_layout


def _handler(kind: PoolKind) -> Callable[[Invocation], None]:
    """``process`` in ``simnet.handler`` of the kind's folder."""
    process: Callable[[Invocation], None] = part(kind, "simnet.handler").process
    return process


PROGRAMS: Final[Mapping[Pubkey, NativeProgram]] = {
    system_layout.PROGRAM_ID: NativeProgram(system.process, builtin=True),
    compute_budget_layout.PROGRAM_ID: NativeProgram(compute_budget.process, builtin=True),
    token_layout.PROGRAM_ID: NativeProgram(token.process),
    token_layout.TOKEN_2022_PROGRAM_ID: NativeProgram(token.process),
    associated_token_layout.PROGRAM_ID: NativeProgram(associated_token.process),
    memo_layout.PROGRAM_ID: NativeProgram(memo.process),
    **{program_of(kind).ids["simnet"]: NativeProgram(_handler(kind)) for kind in PoolKind},
}
