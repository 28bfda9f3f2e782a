"""The faucet: requestAirdrop for SOL as on a test cluster, simnet_mintTokens for other tokens.

Both send ordinary transactions signed by the faucet, whose status can be polled like any other.
"""

from itertools import count

from solders.instruction import Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from orderd.simnet.actors import FAUCET
from orderd.simnet.bank import Bank
from orderd.simnet.errors import TransactionError
from orderd.simnet.rpc.protocol import INTERNAL_ERROR, Json, Node, NodeRpcError, Params, integer, invalid_params, pubkey
from orderd.simnet.transaction import decode
from orderd.solana.programs import associated_token, memo, system, token


class Faucet:
    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._numbers = count(1)

    def request_airdrop(self, node: Node, params: Params) -> Json:  # noqa: ARG002
        receiver, lamports = params.pubkey(0), params.integer(1)
        return self._send([system.transfer(FAUCET.pubkey(), receiver, lamports)])

    def mint_tokens(self, node: Node, params: Params) -> Json:
        """``[{mint, owner, amount}]`` (base units, integer or decimal string): mints to the owner's associated
        account."""
        wanted = params.options(0)
        mint, owner = pubkey(wanted.get("mint")), pubkey(wanted.get("owner"))
        requested = wanted.get("amount")
        amount = integer(
            int(requested) if isinstance(requested, str) and requested.isdecimal() else requested, "amount"
        )
        account = associated_token.address(owner, mint)
        instructions = [associated_token.create_idempotent(FAUCET.pubkey(), owner, mint)]
        if mint == token.NATIVE_MINT:
            instructions += [system.transfer(FAUCET.pubkey(), account, amount), token.sync_native(account)]
        else:
            self._check_mint(node, mint)
            instructions.append(token.mint_to(mint, account, FAUCET.pubkey(), amount))
        return self._send(instructions)

    def _check_mint(self, node: Node, mint: Pubkey) -> None:
        account = node.bank.accounts.get(mint)
        if account is None or account.owner != token.PROGRAM_ID or len(account.data) != token.MINT_SIZE:
            raise invalid_params(f"Invalid param: {mint} is not a mint on this chain")

    def _send(self, instructions: list[Instruction]) -> str:
        # The number in the memo makes two equal requests two transactions.
        number = f"faucet {self._bank.open.slot}.{next(self._numbers)}"
        message = MessageV0.try_compile(FAUCET.pubkey(), [*instructions, memo.memo(number)], [], self._bank.open.parent)
        transaction = decode(bytes(VersionedTransaction(message, [FAUCET])))
        try:
            outcome = self._bank.process(transaction)
        except TransactionError as error:
            raise NodeRpcError(INTERNAL_ERROR, f"the faucet cannot pay: {error}") from error
        if outcome.error is not None:
            raise NodeRpcError(INTERNAL_ERROR, f"the faucet cannot pay: {outcome.error}", {"logs": list(outcome.logs)})
        return str(transaction.signature)
