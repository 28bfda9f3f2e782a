"""RPC methods for tests of clients: they change faults, set prices, and fork the chain."""

import re
from decimal import Decimal

from pydantic import ValidationError

from orderd.simnet.chain import Chain
from orderd.simnet.faults import Faults
from orderd.simnet.prices import HIGHEST, LOWEST, PriceChange
from orderd.simnet.rpc.protocol import Json, Node, Params, integer, invalid_params, pubkey


class Trials:
    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def set_faults(self, node: Node, params: Params) -> Json:  # noqa: ARG002
        """``[{...}]``: changes the named faults until the next start, and returns all faults."""
        dice = self._chain.dice
        try:
            faults = Faults.model_validate(dice.faults.model_dump() | params.options(0))
        except ValidationError as error:
            raise invalid_params(f"Invalid params: {error}") from error
        if faults.venue_outage != dice.faults.venue_outage:
            raise invalid_params("Invalid params: venue_outage cannot be changed while the chain runs")
        dice.faults = faults
        answer: Json = faults.model_dump(mode="json")
        return answer

    def fork(self, node: Node, params: Params) -> Json:
        """``[depth]``: abandons this many sealed blocks and the open one, and returns the new open slot."""
        depth, most = params.integer(0), node.bank.revocable()
        if not 0 < depth <= most:
            raise invalid_params(
                f"Invalid params: depth: {depth} is not among the {most} blocks that are not finalized"
            )
        return self._chain.fork(depth)

    def set_prices(self, node: Node, params: Params) -> Json:  # noqa: ARG002
        """``[[{price, slot, pool}, ...]]``: holds the pools of SOL and USDC at a price from a slot on; returns the
        slots.

        ``price`` is a decimal string of USDC per SOL, or null to stop holding it. ``slot`` defaults to the slot after
        that of the previous entry, for the first entry the next slot; ``pool`` defaults to all pools. Earlier settings
        for the same pools from the first of these slots on are dropped. An empty list drops all settings for future
        slots.
        """
        requested, prices = params.at(0), self._chain.prices
        if not isinstance(requested, list):
            raise invalid_params("Invalid params: invalid type, expected a sequence.")
        changes, slots = list[PriceChange](), list[int]()
        for each in requested:
            if not isinstance(each, dict):
                raise invalid_params(f"Invalid params: invalid type: {each!r}, expected an object.")
            open_slot, pool = self._chain.bank.open.slot, each.get("pool")
            slot = each.get("slot")
            slots.append((slots[-1] if slots else open_slot) + 1 if slot is None else integer(slot, "slot"))
            if slots[-1] <= open_slot:
                raise invalid_params(f"Invalid params: slot: {slots[-1]} has begun; the next one is {open_slot + 1}")
            pools = prices.pools if pool is None else [pubkey(pool)]
            if not set(pools) <= set(prices.pools):
                raise invalid_params(f"Invalid params: pool: {pool} is not a pool of SOL and USDC on this chain")
            price = _price(each.get("price"))
            changes += (PriceChange(slots[-1], address, price) for address in pools)
        if changes:
            prices.set(changes)
        else:
            prices.hold()
        return slots


def _price(value: Json) -> Decimal | None:
    if value is None:
        return None
    price = Decimal(value) if isinstance(value, str) and re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value) else Decimal()
    if not LOWEST <= price <= HIGHEST:
        raise invalid_params(
            f"Invalid params: price: {value!r} is not a decimal string from {LOWEST} to {HIGHEST}, in USDC per SOL"
        )
    return price
