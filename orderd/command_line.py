"""Command lines on which each option is given once, of ``orderctl`` and ``orderd`` alike.

Click takes the last of what is given twice and says nothing: of two slippages that would be one that the trader may not
have meant. What stands before a command and again after it is no such case: an alias may have the one, and the other
counts.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

if TYPE_CHECKING:
    from typer._click import Context

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Command(TyperCommand):
    """Refuses an option that is given twice."""

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        _check_each_once(self, ctx, args)
        return super().parse_args(ctx, args)


class Group(TyperGroup):
    """The same for a command that has others."""

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        _check_each_once(self, ctx, args)
        return super().parse_args(ctx, args)


class CommandLine(typer.Typer):
    """A Typer all of whose commands refuse an option that is given twice."""

    def __init__(self, *, cls: type[Group] = Group, **settings: Any) -> None:  # noqa: ANN401  (what Typer takes)
        super().__init__(cls=cls, add_completion=False, **settings)

    def command(
        self,
        name: str | None = None,
        *,
        cls: type[TyperCommand] | None = None,
        **settings: Any,  # noqa: ANN401
    ) -> Callable[[_Function], _Function]:
        return super().command(name, cls=cls or Command, **settings)


def _check_each_once(command: Command | Group, ctx: "Context", args: list[str]) -> None:
    """Raises a usage error. Help is given whatever else is, and options that make a list may be given again."""
    _, _, in_order = command.make_parser(ctx).parse_args(args=list(args))
    given = [option for option in in_order if isinstance(option, TyperOption)]
    if ctx.resilient_parsing or any(option.is_eager for option in given):
        return
    for option in given:
        if given.count(option) > 1 and not option.multiple and not option.count:
            ctx.fail(f"Option {' / '.join(option.opts)} is given twice.")
