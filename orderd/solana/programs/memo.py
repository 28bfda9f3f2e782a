"""The Memo program: UTF-8 text in a transaction, which makes two otherwise equal transactions differ."""

from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.solana.programs.metas import signer

PROGRAM_ID: Final = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")


def memo(text: str, *signers: Pubkey) -> Instruction:
    """Write ``text`` into the transaction; each of ``signers`` must have signed it."""
    accounts = [signer(key) for key in signers]
    return Instruction(PROGRAM_ID, text.encode(), accounts)
