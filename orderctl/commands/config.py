"""orderctl config"""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from orderctl.config.flags import Flags
from orderctl.config.origins import (
    FILE_KEYS,
    RENAMED,
    changeable_path,
    config_path,
    explain,
    read_file,
    read_text,
)
from orderctl.config.settings import DEFAULTS, check, settings_of
from orderctl.output.documents import Config, Setting
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, DocumentFormat, console, narrate, print_data, print_line
from orderd.client.errors import unusable
from orderd.command_line import CommandLine

app = CommandLine()


@app.callback(invoke_without_command=True)
def run(ctx: typer.Context) -> None:
    """Show, check and change the client's configuration."""
    if ctx.invoked_subcommand is None:
        print_line(ctx.get_help())


@app.command()
def show(
    ctx: typer.Context,
    origin: Annotated[bool, typer.Option("--origin", help="Show the origin of each value.")] = False,
    output: Annotated[DocumentFormat, OUTPUT] = "table",
) -> ExitCode:
    """Show the effective settings. The API key itself is never shown."""
    chosen = explain(ctx.obj, os.environ)
    settings = settings_of(ctx, output)
    values = {name: choice.text or DEFAULTS.get(name, "") for name, choice in chosen.items()}
    if chosen["api_key"].text is not None:
        values["api_key"] = "(set)"
    rows = tuple(Setting(name=name, value=values[name], origin=choice.origin) for name, choice in chosen.items())
    if print_data(output, Config(settings=rows), rows):
        return ExitCode.OK
    from orderctl.display.tables import plain_table, print_whole

    extra: list[tuple[str, Literal["left"]]] = [("ORIGIN", "left")] if origin else []
    table = plain_table(("SETTING", "left"), ("VALUE", "left"), *extra)
    for row in rows:
        table.add_row(row.name, row.value or "-", *([row.origin] if origin else []))
    print_whole(table, console(settings))
    return ExitCode.OK


@app.command()
def path() -> ExitCode:
    """Print the path of the configuration file, even if it does not exist."""
    print_line(str(config_path(os.environ)))
    return ExitCode.OK


@app.command()
def validate(ctx: typer.Context) -> ExitCode:
    """Check the whole configuration file, including all contexts, and the effective settings."""
    settings = settings_of(ctx, "table")
    where = config_path(os.environ)
    file = read_file(os.environ)
    for name, value in file.items():
        if name != "contexts":
            check(name, str(value), f"{name} in {where}")
    for context, table in file.get("contexts", {}).items():
        for name, value in table.items():
            check(name, str(value), f"{name} of the context {context} in {where}")
    narrate(settings, f"{where} is valid" if where.exists() else f"{where} does not exist and is not required")
    return ExitCode.OK


@app.command("set")
def set_value(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SETTING", help=", ".join(FILE_KEYS))],
    value: Annotated[str, typer.Argument(metavar="VALUE")],
) -> ExitCode:
    """Change one setting in the configuration file; all other lines stay unchanged."""
    where = changeable_path(os.environ)
    if name not in FILE_KEYS:
        raise unusable("config set", f"{name!r} is not a setting; use one of {', '.join(FILE_KEYS)}")
    check(name, value, name)
    if where.exists():
        read_file(os.environ)
    try:
        _write(where, _with(read_text(where) if where.exists() else "", name, value))
    except OSError as error:
        raise unusable(str(where), str(error)) from error
    flags: Flags = ctx.obj
    if not flags.quiet:
        narrate(settings_of(ctx, "table"), f"{name} = {value} in {where}")
    return ExitCode.OK


def _with(text: str, name: str, value: str) -> str:
    """Return the file's text with the setting changed or added. Comments and other lines stay unchanged."""
    import tomlkit  # imported here because only this command writes the file

    document = tomlkit.parse(text)
    if name in RENAMED and RENAMED[name] in document:
        del document[RENAMED[name]]
    document[name] = float(value) if name == "timeout" else value
    return tomlkit.dumps(document)


def _write(path: Path, text: str) -> None:
    """Write the file atomically, readable by its owner only. A symbolic link is followed."""
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.touch(mode=0o600)
    new.write_text(text, encoding="utf-8")
    new.replace(path)
