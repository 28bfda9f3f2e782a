"""orderctl context"""

import os
from typing import Annotated

import typer

from orderctl.exit_codes import ExitCode
from orderctl.origins import config_path, context_path, current_context, read_file, unusable
from orderctl.output import OUTPUT, DocumentFormat, console, narrate, print_json, schema
from orderctl.settings import DEFAULTS, settings_of

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)
NONE = "-"


@app.callback()
def run() -> None:
    """Choose among several daemons.

    Each is a table [contexts.NAME] of the configuration file, with an url and whatever else differs.
    """


@app.command("list")
def list_contexts(ctx: typer.Context, output: Annotated[DocumentFormat, OUTPUT] = "table") -> ExitCode:
    """List the contexts, and mark the one in use."""
    settings = settings_of(ctx, output)
    contexts = read_file(os.environ).get("contexts", {})
    current = current_context(ctx.obj, os.environ)
    used = current.text if current is not None else None
    if output == "json":
        rows = [{"name": name, "url": table.get("url", settings.url)} for name, table in contexts.items()]
        print_json({"schema": schema("contexts"), "current": used, "contexts": rows})
        return ExitCode.OK
    if not contexts:
        narrate(settings, f"no contexts; to make one, write [contexts.NAME] and its url into {config_path(os.environ)}")
        return ExitCode.OK
    from orderctl.tables import plain_table, print_whole

    table = plain_table(("", "left"), ("CONTEXT", "left"), ("URL", "left"))
    for name, values in contexts.items():
        table.add_row("*" if name == used else "", name, str(values.get("url", DEFAULTS["url"])))
    print_whole(table, console(settings))
    return ExitCode.OK


@app.command()
def use(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A context, or - for none.")],
) -> ExitCode:
    """Use this context from now on, in every terminal."""
    contexts = read_file(os.environ).get("contexts", {})
    if name != NONE and name not in contexts:
        there = f"there are {', '.join(contexts)}" if contexts else "there is none"
        raise unusable("context use", f"{name!r} is no context of {config_path(os.environ)}; {there}")
    path = context_path(os.environ)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("" if name == NONE else f"{name}\n")
    settings = settings_of(ctx, "table")
    narrate(settings, f"the daemon is now {settings.url}")
    return ExitCode.OK
