"""Methods for those who try a client out: they change what goes wrong, and make the chain fork."""

from pydantic import ValidationError

from orderd.simnet.chain import Chain
from orderd.simnet.faults import Faults
from orderd.simnet.rpc.protocol import Json, Node, Params, invalid_params


class Trials:
    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def set_faults(self, node: Node, params: Params) -> Json:  # noqa: ARG002
        """`[{...}]`: those that are named, the others stay; all that are now in force. The next start forgets it."""
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
        """`[depth]`: give up so many sealed blocks and the open one; the slot in which the chain goes on."""
        depth, most = params.integer(0), node.bank.revocable()
        if not 0 < depth <= most:
            raise invalid_params(
                f"Invalid params: depth: {depth} is not among the {most} blocks that are not finalized"
            )
        return self._chain.fork(depth)
