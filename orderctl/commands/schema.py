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
        str | None, typer.Argument(metavar="[KIND]", help="The kind of document; without it, all kinds are listed.")
    ] = None,
) -> ExitCode:
    """Print the JSON Schema of the documents of -o json and -o jsonl.

    A document names its kind and version, such as orderctl.order/1. Within a version, members may be added, but none is
    renamed or removed or changes its meaning.
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
