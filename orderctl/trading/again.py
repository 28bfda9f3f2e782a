"""Builds the command line that repeats a command, from the parsed parameters, so that no given option is lost."""

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import typer
from typer.core import TyperOption

if TYPE_CHECKING:
    from typer._click.core import Context, Parameter

_GIVEN: Final = ("COMMANDLINE", "DEFAULT_MAP")
"""The sources of values that were given on the command line, before or after the command."""


def same_command(ctx: typer.Context, **overrides: Any) -> str:  # noqa: ANN401
    """The command line that submits the same orders again; ``overrides`` are options whose values were set later."""
    words = ["orderctl", str(ctx.command.name)]
    for parameter in ctx.command.params:
        words += _arguments(parameter, _value(ctx, parameter, overrides))
    return shlex.join(words)


def _value(ctx: "Context", parameter: "Parameter", overrides: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """The given value of a parameter; None if it was not given."""
    name = str(parameter.name)
    if name in overrides:
        return overrides[name]
    if parameter.expose_value:
        return ctx.params[name] if _is_given(ctx, name) else None
    is_given = _is_given(ctx, name) or (ctx.parent is not None and _is_given(ctx.parent, name))
    return getattr(ctx.obj, name) if is_given else None  # a global option, before or after the command


def _is_given(ctx: "Context", name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name in _GIVEN


def _arguments(parameter: "Parameter", value: Any) -> Iterator[str]:  # noqa: ANN401
    if value is None:
        return
    if not isinstance(parameter, TyperOption):
        yield str(value)
    elif parameter.is_flag:
        yield (parameter.opts if value else parameter.secondary_opts)[0]
    else:
        yield from (parameter.opts[0], str(value))
