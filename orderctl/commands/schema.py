"""orderctl schema"""

import json
from difflib import get_close_matches
from typing import Annotated

import typer

from orderctl.output.exit_codes import ExitCode
from orderctl.output.schemas import KINDS, json_schema
from orderctl.output.streams import print_line
from orderd.client.errors import ConfigError


def run(
    kind: Annotated[
        str | None, typer.Argument(metavar="[KIND]", help="The name of a kind; without, all names.")
    ] = None,
) -> ExitCode:
    """Print the JSON Schema of what -o json and -o jsonl print.

    A document names its kind and version: orderctl.order/1. Members may be added within a version; none is renamed or
    removed, and none changes its meaning.
    """
    if kind is None:
        for name in KINDS.values():
            print_line(name)
        return ExitCode.OK
    if kind not in KINDS.values():
        near = get_close_matches(kind, KINDS.values(), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ConfigError("There is no such kind of document", f"{kind!r}{hint}", "see: orderctl schema")
    print_line(json.dumps(json_schema(kind), indent=2))
    return ExitCode.OK
