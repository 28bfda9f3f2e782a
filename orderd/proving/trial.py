"""Trial swaps, which are simulated and never sent. Simulations need no signatures, so any account can lend the
tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from solders.hash import Hash
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from orderd.domain.quote import VenueQuote
from orderd.solana.programs import associated_token, compute_budget, token
from orderd.solana.rpc_types import ChainAccount
from orderd.solana.transaction import MAX_SIZE
from orderd.venues.account_facts import token_amount
from orderd.venues.base import Venue

_MARGIN: Final = 10
"""For an exact output, a tenth more than the quoted cost is lent and allowed."""


class TokenSource(NamedTuple):
    """A token account with its owner and its balance in base units."""

    account: Pubkey
    authority: Pubkey
    amount: int


class Paid(NamedTuple):
    """The amounts of a swap, in base units."""

    received: int
    spent: int


@dataclass(frozen=True, slots=True)
class Trial:
    """A transaction without signatures. It lends ``borrowed`` base units to the trader, and swaps in one pool."""

    quote: VenueQuote
    transaction: VersionedTransaction
    source: Pubkey
    destination: Pubkey
    borrowed: int

    @property
    def keys(self) -> list[Pubkey]:
        """All accounts of the transaction."""
        return list(self.transaction.message.account_keys)

    @property
    def swap(self) -> int:
        """The index of the swap instruction: the last one."""
        return len(self.transaction.message.instructions) - 1

    def paid(
        self,
        before: Mapping[Pubkey, ChainAccount | None],
        source: ChainAccount | None,
        destination: ChainAccount | None,
    ) -> Paid:
        """The amounts of the swap, from the trader's two accounts before and after the transaction."""
        return Paid(
            token_amount(destination) - token_amount(before.get(self.destination)),
            token_amount(before.get(self.source)) + self.borrowed - token_amount(source),
        )


def trial_of(venue: Venue, quote: VenueQuote, source_account: TokenSource, trader: Pubkey) -> Trial | None:
    """Build a trial. None if the source has too little, the transaction would be too large, or the token has a transfer
    fee.

    Raises what the venue raises.
    """
    borrowed = quote.amount_in + quote.amount_in // _MARGIN if quote.exact_out else quote.amount_in
    if borrowed > source_account.amount or quote.transfer_fee_in:
        return None
    mint_in, mint_out = Pubkey.from_string(quote.mint_in), Pubkey.from_string(quote.mint_out)
    program_in, program_out = venue.token_programs(quote)
    source = associated_token.address(trader, mint_in, program_in)
    destination = associated_token.address(trader, mint_out, program_out)
    limit = borrowed if quote.exact_out else 1
    for small in (False, True):
        instructions = [
            *compute_budget.budget(compute_budget.MAX_COMPUTE_UNITS, 0),
            associated_token.create_idempotent(trader, trader, mint_in, program_in),
            associated_token.create_idempotent(trader, trader, mint_out, program_out),
            token.transfer(source_account.account, source, source_account.authority, borrowed, program_in),
            venue.swap_instruction(quote, trader, source, destination, limit, small=small),
        ]
        message = MessageV0.try_compile(trader, instructions, [], Hash.default())
        unsigned = [Signature.default()] * message.header.num_required_signatures
        transaction = VersionedTransaction.populate(message, unsigned)
        if len(bytes(transaction)) <= MAX_SIZE:
            return Trial(quote, transaction, source, destination, borrowed)
    return None
