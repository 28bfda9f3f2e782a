"""All errors that a user can get: code, meaning, whether to retry, and the next step.

Codes read ``CATEGORY_CONDITION``. The category says where the error comes from:

    REQUEST, TOKEN, AMOUNT, SLIPPAGE, COST, PRICE,
    TIME, WALLET, ORDER, AUTH, LIMIT                                denied by orderd; nothing was traded
    ROUTE, POOL, FUNDS, TX                                          failed at the market or on the chain
    RPC, SERVICE                                                    unavailable: orderd, or a service that it needs

Whether a retry may succeed depends on the code: a category has codes of both kinds.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class ErrorCode(StrEnum):
    """Reason codes, stable over releases: scripts match on them."""

    # Denied.
    REQUEST_MALFORMED = "REQUEST_MALFORMED"
    REQUEST_UNKNOWN_METHOD = "REQUEST_UNKNOWN_METHOD"
    REQUEST_INVALID = "REQUEST_INVALID"
    REQUEST_TOO_LARGE = "REQUEST_TOO_LARGE"
    REQUEST_MEDIA_TYPE = "REQUEST_MEDIA_TYPE"
    REQUEST_IN_PROGRESS = "REQUEST_IN_PROGRESS"
    REQUEST_UNREADABLE = "REQUEST_UNREADABLE"
    REQUEST_TIMEOUT = "REQUEST_TIMEOUT"
    TOKEN_UNKNOWN = "TOKEN_UNKNOWN"
    TOKEN_SAME = "TOKEN_SAME"
    TOKEN_NOT_WRAPPED = "TOKEN_NOT_WRAPPED"
    TOKEN_AMBIGUOUS = "TOKEN_AMBIGUOUS"
    TOKEN_UNREAD = "TOKEN_UNREAD"
    TOKEN_NO_MINT = "TOKEN_NO_MINT"
    TOKEN_NAME_REFUSED = "TOKEN_NAME_REFUSED"
    TOKEN_TRANSFER_HOOK = "TOKEN_TRANSFER_HOOK"
    TOKEN_CONFIDENTIAL = "TOKEN_CONFIDENTIAL"
    TOKEN_NON_TRANSFERABLE = "TOKEN_NON_TRANSFERABLE"
    TOKEN_FROZEN_BY_DEFAULT = "TOKEN_FROZEN_BY_DEFAULT"
    TOKEN_EXTENSION_UNKNOWN = "TOKEN_EXTENSION_UNKNOWN"
    TOKEN_DECIMALS = "TOKEN_DECIMALS"
    TOKEN_REMADE = "TOKEN_REMADE"
    AMOUNT_INVALID = "AMOUNT_INVALID"
    AMOUNT_NOT_POSITIVE = "AMOUNT_NOT_POSITIVE"
    AMOUNT_TOO_PRECISE = "AMOUNT_TOO_PRECISE"
    AMOUNT_TOO_LARGE = "AMOUNT_TOO_LARGE"
    AMOUNT_NOT_ONE_SIDE = "AMOUNT_NOT_ONE_SIDE"
    SLIPPAGE_OUT_OF_RANGE = "SLIPPAGE_OUT_OF_RANGE"
    COST_OUT_OF_RANGE = "COST_OUT_OF_RANGE"
    PRICE_INVALID = "PRICE_INVALID"
    PRICE_OFF_MARKET = "PRICE_OFF_MARKET"
    PRICE_WRONG_SIDE = "PRICE_WRONG_SIDE"
    TIME_INVALID = "TIME_INVALID"
    TIME_PAST = "TIME_PAST"
    WALLET_OTHER = "WALLET_OTHER"
    WALLET_SHARED = "WALLET_SHARED"
    ORDER_TYPE_UNSUPPORTED = "ORDER_TYPE_UNSUPPORTED"
    ORDER_TERMS_CONTRADICT = "ORDER_TERMS_CONTRADICT"
    ORDER_NOT_FOUND = "ORDER_NOT_FOUND"
    ORDER_AMBIGUOUS = "ORDER_AMBIGUOUS"
    ORDER_CONFLICT = "ORDER_CONFLICT"
    ORDER_NOT_CANCELLABLE = "ORDER_NOT_CANCELLABLE"
    ORDER_CANCELLED = "ORDER_CANCELLED"
    ORDER_NOT_AMENDABLE = "ORDER_NOT_AMENDABLE"
    ORDER_FAMILY_BUSY = "ORDER_FAMILY_BUSY"
    ORDER_HELD = "ORDER_HELD"
    ORDER_NOT_RESOLVABLE = "ORDER_NOT_RESOLVABLE"
    ORDER_MAY_LAND = "ORDER_MAY_LAND"
    ORDER_EXPIRED = "ORDER_EXPIRED"
    ORDER_TRADED = "ORDER_TRADED"
    AUTH_REQUIRED = "AUTH_REQUIRED"
    AUTH_INVALID = "AUTH_INVALID"
    AUTH_FORBIDDEN = "AUTH_FORBIDDEN"
    AUTH_ORIGIN_REFUSED = "AUTH_ORIGIN_REFUSED"
    LIMIT_REQUESTS = "LIMIT_REQUESTS"
    LIMIT_CONNECTIONS = "LIMIT_CONNECTIONS"
    LIMIT_TOKENS = "LIMIT_TOKENS"
    LIMIT_ORDER = "LIMIT_ORDER"
    LIMIT_DAY = "LIMIT_DAY"
    LIMIT_OPEN = "LIMIT_OPEN"
    # Failed.
    ROUTE_NOT_FOUND = "ROUTE_NOT_FOUND"
    ROUTE_VENUES_UNAVAILABLE = "ROUTE_VENUES_UNAVAILABLE"
    ROUTE_INSUFFICIENT_LIQUIDITY = "ROUTE_INSUFFICIENT_LIQUIDITY"
    ROUTE_AMOUNT_TOO_SMALL = "ROUTE_AMOUNT_TOO_SMALL"
    ROUTE_PRICE_IMPACT = "ROUTE_PRICE_IMPACT"
    ROUTE_TOTAL_COST = "ROUTE_TOTAL_COST"
    ROUTE_STALE = "ROUTE_STALE"
    ROUTE_PRICE_DEVIATION = "ROUTE_PRICE_DEVIATION"
    ROUTE_PRICE_UNKNOWN = "ROUTE_PRICE_UNKNOWN"
    ROUTE_BELOW_FLOOR = "ROUTE_BELOW_FLOOR"
    ROUTE_ABOVE_CEILING = "ROUTE_ABOVE_CEILING"
    ROUTE_ROUND_TRIP = "ROUTE_ROUND_TRIP"
    ROUTE_TOKEN_POWERS = "ROUTE_TOKEN_POWERS"
    ROUTE_HOLDER = "ROUTE_HOLDER"
    ROUTE_HOLDER_UNKNOWN = "ROUTE_HOLDER_UNKNOWN"
    POOL_CLOSED = "POOL_CLOSED"
    POOL_UNSUPPORTED = "POOL_UNSUPPORTED"
    POOL_UNPROVEN = "POOL_UNPROVEN"
    POOL_SHALLOW = "POOL_SHALLOW"
    POOL_FEE = "POOL_FEE"
    FUNDS_INSUFFICIENT = "FUNDS_INSUFFICIENT"
    FUNDS_RESERVED = "FUNDS_RESERVED"
    FUNDS_UNKNOWN = "FUNDS_UNKNOWN"
    TX_SLIPPAGE_EXCEEDED = "TX_SLIPPAGE_EXCEEDED"
    TX_EXPIRED = "TX_EXPIRED"
    TX_FAILED = "TX_FAILED"
    TX_TOO_LARGE = "TX_TOO_LARGE"
    TX_ABANDONED = "TX_ABANDONED"
    # Unavailable.
    RPC_UNAVAILABLE = "RPC_UNAVAILABLE"
    RPC_RATE_LIMITED = "RPC_RATE_LIMITED"
    RPC_WRONG_CHAIN = "RPC_WRONG_CHAIN"
    RPC_POOLS_UNLISTED = "RPC_POOLS_UNLISTED"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"
    SERVICE_DRAINING = "SERVICE_DRAINING"
    SERVICE_HALTED = "SERVICE_HALTED"
    SERVICE_OVERLOADED = "SERVICE_OVERLOADED"
    SERVICE_TIMEOUT = "SERVICE_TIMEOUT"
    SERVICE_INTERNAL = "SERVICE_INTERNAL"
    SERVICE_CRASH_LOOP = "SERVICE_CRASH_LOOP"
    SERVICE_CERTIFICATE = "SERVICE_CERTIFICATE"
    SERVICE_EXPOSED = "SERVICE_EXPOSED"
    SERVICE_PORT = "SERVICE_PORT"
    SERVICE_STATE_DIR = "SERVICE_STATE_DIR"
    SERVICE_CONFIGURATION = "SERVICE_CONFIGURATION"
    SERVICE_WALLET = "SERVICE_WALLET"
    SERVICE_SCHEMA = "SERVICE_SCHEMA"

    @property
    def category(self) -> str:
        """The part before the first underscore."""
        return self.partition("_")[0]


class Consequence(StrEnum):
    """The effect of an error on an order before a signature, or after its signed transaction is proved dead."""

    ENDS = "ends"  # the order: the same would happen again
    COUNTS = "counts"  # as one of the few attempts
    WAITS = "waits"  # while the order is valid: a service is unavailable, or took no bytes; not counted


@dataclass(frozen=True, slots=True)
class ErrorSpec:
    """The meaning of an error code.

    ``retryable``: the same request may succeed a moment later. ``http_status`` is the status of the HTTP answer.
    """

    title: str
    next_step: str
    retryable: bool
    http_status: int
    consequence: Consequence


def _lasting(title: str, next_step: str, status: int = 422) -> ErrorSpec:
    return ErrorSpec(title, next_step, retryable=False, http_status=status, consequence=Consequence.ENDS)


def _passing(title: str, next_step: str, status: int = 503) -> ErrorSpec:
    return ErrorSpec(title, next_step, retryable=True, http_status=status, consequence=Consequence.COUNTS)


def _awaited(spec: ErrorSpec) -> ErrorSpec:
    """For errors that the order did not cause."""
    return replace(spec, consequence=Consequence.WAITS)


ERRORS: dict[ErrorCode, ErrorSpec] = {
    ErrorCode.REQUEST_MALFORMED: _lasting(
        "The message is not valid JSON-RPC 2.0", 'send {"jsonrpc": "2.0", "id": 1, "method": ..., "params": {...}}', 400
    ),
    ErrorCode.REQUEST_UNKNOWN_METHOD: _lasting(
        "There is no such method", "see the list of methods: /asyncapi.json", 404
    ),
    ErrorCode.REQUEST_INVALID: _lasting("A field is missing or has the wrong type", "correct the named field"),
    ErrorCode.REQUEST_TOO_LARGE: _lasting("The message is larger than 64 KiB", "send fewer orders per message", 413),
    ErrorCode.REQUEST_MEDIA_TYPE: _lasting("The body is not JSON", "send it with Content-Type: application/json", 415),
    ErrorCode.REQUEST_IN_PROGRESS: _passing(
        "A request with the same Idempotency-Key is in progress",
        "send it again in a moment; the order is accepted only once",
        409,
    ),
    ErrorCode.REQUEST_UNREADABLE: _lasting(
        "The request is not valid HTTP", "send HTTP/1.1, and use https:// or wss:// if the port uses TLS", 400
    ),
    ErrorCode.REQUEST_TIMEOUT: _passing(
        "The request did not arrive in time", "send the whole request as soon as the connection is open", 408
    ),
    ErrorCode.TOKEN_UNKNOWN: _lasting("The token is not known", "use a listed symbol or a mint address"),
    ErrorCode.TOKEN_SAME: _lasting("Both sides are the same token", "choose two different tokens"),
    ErrorCode.TOKEN_NOT_WRAPPED: _lasting("Only SOL can be wrapped", "sell SOL, or leave out --use-wrapped"),
    ErrorCode.TOKEN_AMBIGUOUS: _lasting(
        "Several tokens have this symbol",
        "give the mint address, or set the token of the symbol with: orderctl tokens pin SYMBOL MINT",
        409,
    ),
    ErrorCode.TOKEN_UNREAD: _passing(
        "The decimals of the token are not known yet", "try again in a moment; the order was not taken"
    ),
    ErrorCode.TOKEN_NO_MINT: _lasting(
        "The address is not a token's mint", "check the address, and the chain: orderctl status"
    ),
    ErrorCode.TOKEN_NAME_REFUSED: _lasting(
        "A token cannot be given this symbol", "choose another symbol; see the known ones: orderctl tokens"
    ),
    ErrorCode.TOKEN_TRANSFER_HOOK: _lasting("The token has a transfer hook", "choose another token"),
    ErrorCode.TOKEN_CONFIDENTIAL: _lasting("The token has confidential transfers", "choose another token"),
    ErrorCode.TOKEN_NON_TRANSFERABLE: _lasting("The token cannot be transferred", "choose another token"),
    ErrorCode.TOKEN_FROZEN_BY_DEFAULT: _lasting("New accounts of the token are frozen", "choose another token"),
    ErrorCode.TOKEN_EXTENSION_UNKNOWN: _lasting(
        "The token has a Token-2022 extension that orderd does not know", "choose another token"
    ),
    ErrorCode.TOKEN_DECIMALS: _lasting("The token has more decimals than orderd supports", "choose another token"),
    ErrorCode.TOKEN_REMADE: _lasting(
        "The token's mint was closed and made again with other decimals",
        "quote it again in five minutes and submit the order anew: amounts and prices mean other numbers of tokens now",
        409,
    ),
    ErrorCode.AMOUNT_INVALID: _lasting("The amount is not a decimal number", "write it like 1.5"),
    ErrorCode.AMOUNT_NOT_POSITIVE: _lasting("The amount is not above zero", "give an amount above zero"),
    ErrorCode.AMOUNT_TOO_PRECISE: _lasting("The amount has more decimals than the token", "use fewer decimals"),
    ErrorCode.AMOUNT_TOO_LARGE: _lasting(
        "The amount is more than a token account can hold", "give an amount below 2^64 base units"
    ),
    ErrorCode.AMOUNT_NOT_ONE_SIDE: _lasting(
        "An order sets either the amount to sell or the amount to buy",
        "give amount_in, optionally with min_out, or exact_out, optionally with max_in",
    ),
    ErrorCode.SLIPPAGE_OUT_OF_RANGE: _lasting(
        "The slippage is not between 0 and 100 %", "write it in percent, like 0.5"
    ),
    ErrorCode.COST_OUT_OF_RANGE: _lasting(
        "The maximum cost is not between 0 and the daemon's own limit",
        "write it in percent, like 1, or leave it out: the daemon's limit applies to every order",
    ),
    ErrorCode.PRICE_INVALID: _lasting("The price cannot be understood", "write it like 105, or a trail like 3% or 2.5"),
    ErrorCode.PRICE_OFF_MARKET: _lasting(
        "The price is more than five times off the market",
        "check the unit of the price, which is named beside it",
    ),
    ErrorCode.PRICE_WRONG_SIDE: _lasting(
        "The order would fire at once",
        "choose a price on the other side of the market, or submit a market order",
    ),
    ErrorCode.TIME_INVALID: _lasting("The time cannot be understood", "write it in a form that the reason names"),
    ErrorCode.TIME_PAST: _lasting("The order would have expired before it began", "give a later time"),
    ErrorCode.WALLET_OTHER: _lasting(
        "The order names a wallet that this daemon does not sign for",
        "leave the wallet out, or use the wallet that is shown by: orderctl status",
    ),
    ErrorCode.WALLET_SHARED: _awaited(
        _lasting(
            "Another installation of orderd signs with this wallet, so this one has stopped signing",
            "stop the other one, or give it its own wallet; then: orderctl halt --lift; ORDERD_SHARED_WALLET=true "
            "allows it",
            503,
        )
    ),
    ErrorCode.ORDER_TYPE_UNSUPPORTED: _lasting(
        "Orders of this type are not supported",
        "submit a market order, or use orderd's own API for all types: see /docs",
    ),
    ErrorCode.ORDER_TERMS_CONTRADICT: _lasting(
        "The terms of the order contradict each other", "leave out what does not belong to this kind of order"
    ),
    ErrorCode.ORDER_NOT_FOUND: _lasting("No order has this id", "list the orders with: orderctl list", 404),
    ErrorCode.ORDER_AMBIGUOUS: _lasting(
        "The id matches more than one order", "give the order's id, or more characters of it", 409
    ),
    ErrorCode.ORDER_CONFLICT: _lasting(
        "The client order id belongs to an order with another body", "use a new client order id, or the same body"
    ),
    ErrorCode.ORDER_NOT_CANCELLABLE: _lasting(
        "The order can no longer be cancelled", "see what became of it: orderctl show ID", 409
    ),
    ErrorCode.ORDER_CANCELLED: _lasting(
        "The order was cancelled on request", "submit a new order if you still want it", 409
    ),
    ErrorCode.ORDER_NOT_AMENDABLE: _lasting(
        "The order cannot be changed now", "only a resting order can be changed; see its state: orderctl show ID", 409
    ),
    ErrorCode.ORDER_FAMILY_BUSY: _awaited(
        _passing(
            "Another order of the same family may have traded",
            "wait; orderd continues when the outcome is final",
            409,
        )
    ),
    ErrorCode.ORDER_HELD: _lasting(
        "The order is held until the purchase that it follows is filled",
        "see what it waits for with: orderctl show ORDER_ID",
        409,
    ),
    ErrorCode.ORDER_NOT_RESOLVABLE: _lasting(
        "An operator cannot set the outcome of this order", "see what is known: orderctl show ID", 409
    ),
    ErrorCode.ORDER_MAY_LAND: _passing(
        "The order's transaction can still land",
        "wait for the time in the message, then see what is known: orderctl resolve ID",
        409,
    ),
    ErrorCode.ORDER_EXPIRED: _lasting(
        "The order's validity ended before it could be executed",
        "nothing was traded; see what it waited for: orderctl show ID; then submit a new order if you still want it",
        409,
    ),
    ErrorCode.ORDER_TRADED: _lasting(
        "The order was traded before the database was restored from a backup that does not have it",
        "see what the named transaction traded; to trade again, use a new client order id",
        409,
    ),
    ErrorCode.AUTH_REQUIRED: _lasting("This daemon needs an API key", "set ORDERCTL_API_KEY or --api-key-file", 401),
    ErrorCode.AUTH_INVALID: _lasting(
        "The API key is unknown, expired or revoked",
        "check it, or create one on the daemon's machine: orderd api-key create NAME",
        401,
    ),
    ErrorCode.AUTH_FORBIDDEN: _lasting("The API key may not do this", "use an API key with the named scope", 403),
    ErrorCode.AUTH_ORIGIN_REFUSED: _lasting(
        "The request names another host, or comes from a web page",
        "connect to 127.0.0.1 or localhost, or add the name to ORDERD_ALLOWED_HOSTS or ORDERD_ALLOWED_ORIGINS",
        403,
    ),
    ErrorCode.LIMIT_REQUESTS: _passing(
        "The API key has made too many requests",
        "wait as long as retry_after says, then send requests more slowly",
        429,
    ),
    ErrorCode.LIMIT_CONNECTIONS: _passing(
        "There are too many connections", "close the connections that are not needed, or try again in a moment"
    ),
    ErrorCode.LIMIT_TOKENS: _lasting(
        "The limits of the API key or of the daemon do not allow this pair",
        "see the limits: orderd api-key list, and ORDERD_TRADED_TOKENS",
        403,
    ),
    ErrorCode.LIMIT_ORDER: _lasting(
        "The order is larger than the limits of the API key or of the daemon allow",
        "submit a smaller one; see the limits: orderd api-key list, and ORDERD_MAX_NOTIONAL_PER_ORDER",
        403,
    ),
    ErrorCode.LIMIT_DAY: _lasting(
        "The daily allowance of the API key or of the daemon is used up",
        "submit a smaller order, or wait as long as retry_after says; see the limits: orderd api-key list, and "
        "ORDERD_MAX_NOTIONAL_PER_DAY",
        429,
    ),
    ErrorCode.LIMIT_OPEN: _lasting(
        "The API key has too many open orders", "cancel some, or raise ORDERD_MAX_OPEN_PER_KEY", 429
    ),
    ErrorCode.ROUTE_NOT_FOUND: _lasting("No pool trades this pair", "choose a pair that a pool trades"),
    ErrorCode.ROUTE_VENUES_UNAVAILABLE: _awaited(
        _passing("No venue answered with a price", "wait a moment; orderd tries again by itself")
    ),
    ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY: _lasting(
        "The pools hold too little for this amount", "trade a smaller amount"
    ),
    ErrorCode.ROUTE_AMOUNT_TOO_SMALL: _lasting("The amount is too small to buy anything", "trade a larger amount"),
    ErrorCode.ROUTE_PRICE_IMPACT: _lasting(
        "The order would move the price by more than the limit", "trade a smaller amount, or raise the limit"
    ),
    ErrorCode.ROUTE_TOTAL_COST: _lasting(
        "Fees and price impact together would cost more than the limit",
        "trade a smaller amount or another pair, or raise ORDERD_MAX_TOTAL_COST_BPS, or the order's own --max-cost",
    ),
    ErrorCode.ROUTE_STALE: _awaited(
        _passing("The pool's state is older than that of other pools", "wait a moment; orderd reads it again by itself")
    ),
    ErrorCode.ROUTE_PRICE_DEVIATION: _awaited(
        _passing(
            "Some pools do not answer, and the price of the others is far below the last one",
            "wait until the venue answers again, or raise ORDERD_MAX_PRICE_DEVIATION_BPS",
        )
    ),
    ErrorCode.ROUTE_PRICE_UNKNOWN: _awaited(
        _passing(
            "Some pools do not answer, and there is no earlier price to compare the others with",
            "wait until they answer again, or set your own minimum: --min-out",
        )
    ),
    ErrorCode.ROUTE_BELOW_FLOOR: _passing(
        "The best route pays less than the order accepts",
        "wait for a better price, or submit again with a lower --min-out, or with --floor each",
        409,
    ),
    ErrorCode.ROUTE_ABOVE_CEILING: _passing(
        "The best route costs more than the order accepts",
        "wait for a better price, or submit again with a higher --max-in, or with --floor each",
        409,
    ),
    ErrorCode.ROUTE_ROUND_TRIP: _passing(
        "Buying and selling again at once would lose more than the order allows",
        "the order waits until the loss is smaller; or cancel it, and submit it with a higher --max-round-trip-loss",
        409,
    ),
    ErrorCode.ROUTE_TOKEN_POWERS: _passing(
        "Somebody has a power over the token that the order does not allow",
        "the order waits until the power is given up; or cancel it, and submit it with --allow and the power's name",
        409,
    ),
    ErrorCode.ROUTE_HOLDER: _passing(
        "One account holds more of the token than the order allows",
        "the order waits until the account holds less; or cancel it, and submit it with a higher --max-holder",
        409,
    ),
    ErrorCode.ROUTE_HOLDER_UNKNOWN: _passing(
        "The Solana RPC endpoint does not list the largest holders of the token",
        "cancel the order and submit it without --max-holder, or use an endpoint with getTokenLargestAccounts",
    ),
    ErrorCode.POOL_SHALLOW: _passing(
        "The pools hold less liquidity than the order requires",
        "the order waits until they hold more; or cancel it, and submit it with a lower --min-liquidity",
        409,
    ),
    ErrorCode.POOL_FEE: _passing(
        "A pool's fee is higher than the order allows",
        "the order waits until the fee is lower; or cancel it, and submit it with a higher --max-pool-fee",
        409,
    ),
    ErrorCode.POOL_CLOSED: _lasting("The pool does not accept swaps now", "try later, or another pair"),
    ErrorCode.POOL_UNSUPPORTED: _lasting("The pool uses a feature orderd does not support", "choose another pair"),
    ErrorCode.POOL_UNPROVEN: _lasting(
        "The pools' program has not been proved since it was deployed",
        "prove it on the daemon's machine: orderd prove; then try again a minute later",
    ),
    ErrorCode.FUNDS_INSUFFICIENT: _lasting(
        "The wallet holds too little for this order and its fees",
        "see: orderctl balances; then trade less or add funds",
    ),
    ErrorCode.FUNDS_RESERVED: _lasting(
        "Other orders have reserved what this one needs",
        "see: orderctl balances; then sell less, or cancel some",
    ),
    ErrorCode.FUNDS_UNKNOWN: _passing(
        "The wallet's balance is not known", "wait until a worker has read it, or give the amount itself"
    ),
    ErrorCode.TX_SLIPPAGE_EXCEEDED: _passing(
        "The price moved beyond the slippage before the transaction landed", "raise --slippage, or submit again", 409
    ),
    ErrorCode.TX_EXPIRED: _awaited(
        _passing("The transaction expired without landing", "submit again; nothing was traded", 409)
    ),
    ErrorCode.TX_FAILED: _passing(
        "The chain refused the transaction", "read the program's log in: orderctl show ID", 409
    ),
    ErrorCode.TX_TOO_LARGE: _lasting(
        "The order does not fit into one transaction", "trade a smaller amount, or a pair with a direct pool"
    ),
    ErrorCode.TX_ABANDONED: _lasting(
        "An operator declared the transaction dead", "check the wallet before you submit again: orderctl balances"
    ),
    ErrorCode.RPC_UNAVAILABLE: _awaited(
        _passing("The Solana RPC endpoint does not answer", "check it with: orderctl status, or orderd doctor")
    ),
    ErrorCode.RPC_RATE_LIMITED: _awaited(
        _passing("The Solana RPC endpoint limits requests", "wait, or use a larger plan")
    ),
    ErrorCode.RPC_WRONG_CHAIN: _awaited(
        _lasting(
            "The Solana RPC endpoint is of another chain",
            "correct ORDERD_CHAIN or ORDERD_RPC_URL, or use another database",
            503,
        )
    ),
    ErrorCode.RPC_POOLS_UNLISTED: _awaited(
        _lasting(
            "The Solana RPC endpoint does not list the pools of a venue",
            "set ORDERD_RAYDIUM_POOLS and ORDERD_METEORA_POOLS, or use an endpoint with getProgramAccounts",
            503,
        )
    ),
    ErrorCode.SERVICE_UNAVAILABLE: _awaited(
        _passing("A service orderd needs is down", "see which with: orderctl status, or orderd doctor")
    ),
    ErrorCode.SERVICE_DRAINING: _awaited(
        _passing("The daemon is stopping and takes no new orders", "try again in a moment")
    ),
    ErrorCode.SERVICE_HALTED: _awaited(
        _lasting(
            "Trading is halted: nothing new is signed, and no new orders are taken",
            "see who halted it and why: orderctl status; an operator lifts the halt with: orderctl halt --lift",
            503,
        )
    ),
    ErrorCode.SERVICE_OVERLOADED: _awaited(_passing("The daemon has too much to do", "try again in a moment", 429)),
    ErrorCode.SERVICE_TIMEOUT: _awaited(
        _passing(
            "The answer did not come in time; the outcome is unknown",
            "find out with: orderctl watch CLIENT_ORDER_ID",
            504,
        )
    ),
    ErrorCode.SERVICE_INTERNAL: _passing(
        "orderd met an unexpected condition", "search the daemon's log for the order's id", 500
    ),
    ErrorCode.SERVICE_CRASH_LOOP: _lasting(
        "The order stopped its worker several times before anything was signed",
        "search the daemon's log for the order's id",
        500,
    ),
    ErrorCode.SERVICE_CERTIFICATE: _lasting(
        "The certificate or its key cannot be used", "correct ORDERD_TLS_CERT and ORDERD_TLS_KEY", 500
    ),
    ErrorCode.SERVICE_EXPOSED: _lasting(
        "The daemon would listen to other machines, and no API key is valid",
        "create one first: orderd api-key create NAME; or listen on 127.0.0.1",
        500,
    ),
    ErrorCode.SERVICE_PORT: _lasting(
        "The daemon cannot listen on its port",
        "stop what listens there, perhaps another orderd; or choose another port: --port, or ORDERD_PORT",
        500,
    ),
    ErrorCode.SERVICE_STATE_DIR: _lasting(
        "The state directory is in use",
        "stop the orderd that uses it; or choose another directory: --state-dir, or ORDERD_STATE_DIR",
        500,
    ),
    ErrorCode.SERVICE_CONFIGURATION: _lasting(
        "The configuration cannot be used", "correct the named settings; check the result: orderd check-config", 500
    ),
    ErrorCode.SERVICE_WALLET: _lasting(
        "The wallet cannot be used", "correct the file, or the setting ORDERD_WALLET", 500
    ),
    ErrorCode.SERVICE_SCHEMA: _lasting(
        "The database's tables are not those of this orderd",
        "update them: orderd migrate; if they are newer, run the orderd that created them, or a newer one",
        500,
    ),
}

AWAITED: Final = frozenset(code for code, spec in ERRORS.items() if spec.consequence is Consequence.WAITS)
"""Codes that make an order wait until the cause is over."""

OUTAGES: Final = frozenset(
    {
        ErrorCode.ROUTE_VENUES_UNAVAILABLE,
        ErrorCode.RPC_POOLS_UNLISTED,
        ErrorCode.RPC_RATE_LIMITED,
        ErrorCode.RPC_UNAVAILABLE,
        ErrorCode.RPC_WRONG_CHAIN,
    }
)
"""Those of them whose cause may be the same for all orders of a pair: then it is an ``OutageError``."""

_SURROGATES: Final = range(0xD800, 0xE000)
"""They are not characters: half of a pair cannot be encoded as UTF-8."""
_REORDERING: Final = (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
"""They end a line, or change the order in which a terminal shows the text around them. Unicode, UAX #9."""
_CONTROLS: Final = (*range(0x20), *range(0x7F, 0xA0), *_REORDERING, *_SURROGATES)
_WITHOUT_CONTROLS: Final = {code: "\N{REPLACEMENT CHARACTER}" for code in _CONTROLS if chr(code) not in "\t\n"}


def printable(text: str) -> str:
    """``text`` without control characters: texts of nodes and programs are shown in tables and terminals."""
    return text if text.isprintable() else text.translate(_WITHOUT_CONTROLS)


class OrderdError(Exception):
    """An error that a user may see. ``detail`` says what happened in this case; the rest follows from the code.

    ``retry_after`` is the number of seconds until a retry may succeed, if known.
    """

    def __init__(self, code: ErrorCode, detail: str, *, retry_after: int | None = None) -> None:
        detail = printable(detail)
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.retry_after = retry_after

    @property
    def spec(self) -> ErrorSpec:
        return ERRORS[self.code]

    @property
    def retryable(self) -> bool:
        return self.spec.retryable

    @property
    def is_awaited(self) -> bool:
        """Whether an order waits until the cause of this error is over."""
        return self.code in AWAITED


class OutageError(OrderdError):
    """An error that all orders of a pair get, whatever their amounts and other terms."""
