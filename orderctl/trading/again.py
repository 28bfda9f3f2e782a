"""The command that does the same once more, made from what was parsed: it can leave out nothing that was given."""

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import typer
from typer.core import TyperOption

if TYPE_CHECKING:
    from typer._click.core import Context, Parameter

_GIVEN: Final = ("COMMANDLINE", "DEFAULT_MAP")
"""Where a value comes from that was given with the command, behind the verb or before it."""


def same_command(ctx: typer.Context, **meanwhile: Any) -> str:  # noqa: ANN401
    """What sends the same orders again; ``meanwhile`` are options that have got their values since."""
    words = ["orderctl", str(ctx.command.name)]
    for parameter in ctx.command.params:
        words += _words(parameter, _value(ctx, parameter, meanwhile))
    return shlex.join(words)


def _value(ctx: "Context", parameter: "Parameter", meanwhile: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """None if nothing was given."""
    name = str(parameter.name)
    if name in meanwhile:
        return meanwhile[name]
    if parameter.expose_value:
        return ctx.params[name] if _is_given(ctx, name) else None
    is_given = _is_given(ctx, name) or (ctx.parent is not None and _is_given(ctx.parent, name))
    return getattr(ctx.obj, name) if is_given else None  # a global option: on either side of the verb


def _is_given(ctx: "Context", name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name in _GIVEN


def _words(parameter: "Parameter", value: Any) -> Iterator[str]:  # noqa: ANN401
    if value is None:
        return
    if not isinstance(parameter, TyperOption):
        yield str(value)
    elif parameter.is_flag:
        yield (parameter.opts if value else parameter.secondary_opts)[0]
    else:
        yield from (parameter.opts[0], str(value))
