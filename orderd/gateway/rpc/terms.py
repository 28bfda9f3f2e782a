"""The terms of a call: parsed, with unknown tokens read from the chain and words for amounts resolved."""

from datetime import UTC, datetime

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.terms import OrderTerms
from orderd.domain.terms_given import GivenTerms
from orderd.domain.times import format_moment
from orderd.engine.intake import Intake
from orderd.engine.token_desk import TokenDesk
from orderd.gateway.threads import DatabaseThreads, Threads


class TermsReader:
    """``mints`` threads read unknown mints from the chain, within the time of an answer."""

    def __init__(self, intake: Intake, desk: TokenDesk, *, database: DatabaseThreads, mints: Threads) -> None:
        self._intake = intake
        self._desk = desk
        self._database = database
        self._mints = mints

    async def parsed(self, given: GivenTerms) -> OrderTerms:
        """The parsed terms. Unknown tokens are first read from the chain, within a time limit."""
        try:
            return self._intake.terms(given)
        except OrderdError as error:
            if error.code is not ErrorCode.TOKEN_UNREAD:
                raise
        await self._mints.run(self._desk.learn, (given.token_in, given.token_out))
        return self._intake.terms(given)

    async def resolved(self, terms: OrderTerms) -> OrderTerms:
        """The terms with an amount in base units in place of a word for it."""
        return terms if terms.amount_word is None else await self._database.run(self._intake.resolved, terms)


def check_time(terms: OrderTerms) -> None:
    """Raises OrderdError TIME_PAST if the order would have expired already."""
    if terms.expires_at is not None and terms.expires_at <= datetime.now(UTC):
        raise OrderdError(ErrorCode.TIME_PAST, f"{format_moment(terms.expires_at)} is past")
