"""orderctl context"""

import os
from typing import Annotated

import typer

from orderctl.config.origins import changeable_path, config_path, context_path, current_context, read_file
from orderctl.config.settings import DEFAULTS, settings_of
from orderctl.output.documents import Context, Contexts
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, Format, console, narrate, print_data, print_line
from orderd.client.errors import unusable
from orderd.command_line import CommandLine

app = CommandLine()
NONE = "-"


@app.callback(invoke_without_command=True)
def run(ctx: typer.Context) -> None:
    """Select one of several daemons.

    Each context is a table [contexts.NAME] in the configuration file, with its url and other settings.
    """
    if ctx.invoked_subcommand is None:
        print_line(ctx.get_help())


@app.command("list")
def list_contexts(ctx: typer.Context, output: Annotated[Format, OUTPUT] = "table") -> ExitCode:
    """List the contexts, and mark the one in use."""
    settings = settings_of(ctx, output)
    contexts = read_file(os.environ).get("contexts", {})
    current = current_context(ctx.obj, os.environ)
    used = current.text if current is not None else None
    rows = tuple(Context(name=name, url=str(values.get("url", DEFAULTS["url"]))) for name, values in contexts.items())
    if print_data(output, Contexts(current=used, contexts=rows), rows, contexts):
        return ExitCode.OK
    if not contexts:
        narrate(settings, f"no contexts; to create one, add [contexts.NAME] with a url to {config_path(os.environ)}")
        return ExitCode.OK
    from orderctl.display.tables import plain_table, print_whole

    table = plain_table(("", "left"), ("CONTEXT", "left"), ("URL", "left"))
    for row in rows:
        table.add_row("*" if row.name == used else "", row.name, row.url)
    print_whole(table, console(settings))
    return ExitCode.OK


@app.command()
def use(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A context, or - for none.")],
) -> ExitCode:
    """Use this context from now on, in all terminals."""
    contexts = read_file(os.environ).get("contexts", {})
    if name != NONE and name not in contexts:
        there = f"use one of {', '.join(contexts)}" if contexts else "it has no contexts"
        raise unusable("context use", f"{name!r} is not a context in {config_path(os.environ)}; {there}")
    changeable_path(os.environ)
    path = context_path(os.environ)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("" if name == NONE else f"{name}\n", encoding="utf-8")
    except OSError as error:
        raise unusable(str(path), str(error)) from error
    settings = settings_of(ctx, "table")
    narrate(settings, f"commands now use {settings.url}")
    return ExitCode.OK
