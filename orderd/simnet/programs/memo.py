"""The Memo program: writes a text and its signers to the log.

Source: solana-program/memo, ``program/src/processor.rs``. Compute units as measured on the deployed program.
"""

from orderd.simnet.errors import InstructionError
from orderd.simnet.invoke import Invocation


def process(invocation: Invocation) -> None:
    """Raises InstructionError: MissingRequiredSignature, or ProgramFailedToComplete for text that is not UTF-8."""
    if invocation.uses:
        invocation.consume(130)
        invocation.log("Signed by:")
        for index, use in enumerate(invocation.uses):
            if not use.is_signer:
                raise InstructionError("MissingRequiredSignature")
            invocation.consume(96)
            invocation.log(str(invocation.key(index)))
    invocation.consume(274 + len(invocation.data) // 5)
    invocation.log(f"Memo (len {len(invocation.data)})")
    try:
        text = invocation.data.decode()
    except UnicodeDecodeError as error:
        reason = (
            f"invalid utf-8 sequence of 1 bytes from index {error.start}"
            if error.reason != "unexpected end of data"
            else f"incomplete utf-8 byte sequence from index {error.start}"
        )
        raise InstructionError("ProgramFailedToComplete", f"{reason}: {list(invocation.data)}") from error
    invocation.log(text)
