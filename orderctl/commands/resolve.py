"""orderctl resolve"""

import sys
from typing import Annotated

import typer

from orderctl.config.settings import Settings, settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.prompt import check_can_ask, types
from orderctl.output.streams import OUTPUT, DocumentFormat, console, narrate, print_data, print_line
from orderctl.trading.lookup import OneOrder, suggesting
from orderd.client.connection import Client
from orderd.client.errors import ConfigError
from orderd.client.protocol import params_of
from orderd.wire.order_detail import EvidenceResult, ResolveParams, ResolveResult
from orderd.wire.orders import GetParams
from orderd.wire.rpc import Method


def run(
    ctx: typer.Context,
    order: OneOrder,
    landed: Annotated[
        str | None,
        typer.Option("--landed", metavar="SIGNATURE", help="The transaction landed: read the fill from the chain."),
    ] = None,
    dead: Annotated[
        bool, typer.Option("--dead", help="The transaction has not landed and never will: the order fails.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    output: Annotated[DocumentFormat, OUTPUT] = "table",
) -> ExitCode:
    """Show the chain's evidence about an unknown outcome, or resolve it.

    Without --landed or --dead, nothing is changed. An order with an unknown outcome ends by itself once the chain shows
    the outcome. Only if it does not, an operator (scope admin) has to resolve it. After --dead, the order is never
    retried.
    """
    settings = settings_of(ctx, output)
    if landed is not None and dead:
        raise ConfigError(
            "The options contradict each other", "give either --landed or --dead", "see: orderctl resolve ID"
        )
    wanted = params_of(GetParams, order=order)
    with Client(settings) as client:
        with suggesting(client):
            evidence = client.call(Method.ORDER_EVIDENCE, wanted, EvidenceResult)
        if landed is None and not dead:
            if not print_data(output, evidence):
                from orderctl.display.evidence import evidence_view

                console(settings).print(evidence_view(evidence))
            return ExitCode.OK
        if not (yes or _is_sure(settings, evidence, "dead" if dead else "landed")):
            narrate(settings, "nothing was changed")
            return ExitCode.INTERRUPTED
        params = params_of(ResolveParams, order=str(evidence.order.id), landed=landed, dead=dead)
        resolved = client.call(Method.ORDER_RESOLVE, params, ResolveResult).order
    if not print_data(output, resolved):
        print_line(f"{resolved.id}  {resolved.status}")
    return ExitCode.OK


def _is_sure(settings: Settings, evidence: EvidenceResult, word: str) -> bool:
    """Show the evidence on stderr and ask for confirmation. Raises ConfigError without a terminal."""
    check_can_ask("Resolving an outcome")
    from orderctl.display.evidence import evidence_view

    console(settings, sys.stderr).print(evidence_view(evidence))
    warning = "? If it lands after all, orderd will not notice" if word == "dead" else "?"
    return types(word, f"resolve the transaction as {word}{warning} Type {word} to confirm:")
