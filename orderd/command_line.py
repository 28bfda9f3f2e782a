"""Typer classes for ``orderctl`` and ``orderd``: options must not be repeated, and the help is plain text.

Click silently uses the last of two values; of two slippages, that may not be the one that the trader meant. An option
may be given before a command and again after it, as when an alias contains it; then the later one counts.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption, _TyperParameter
from typer.exceptions import TyperException

if TYPE_CHECKING:
    from typer._click import Context, HelpFormatter, Parameter

_Function = TypeVar("_Function", bound=Callable[..., Any])


class _Parameter(_TyperParameter):
    """Skips the conversion of strings and defaults, because Typer imports pydantic for any conversion."""

    def process_value(self, ctx: "Context", value: Any) -> Any:  # noqa: ANN401  (what Typer gives and takes)
        is_list = self.multiple or self.nargs == -1
        is_word = self.type_descriptor.annotation is str and isinstance(value, str)
        is_left_out = value is self.default and not self.required
        if not (is_word or is_left_out):
            return super().process_value(ctx, value)
        if value is None and is_list:
            value = ()
        return value if self.callback is None else self.callback(ctx, self, value)


class Argument(_Parameter, TyperArgument):
    """An argument whose help does not show its Python type."""

    def display_type_rich(self, ctx: "Context") -> str | None:  # noqa: ARG002
        return None

    def _usage_display_name(self) -> str:
        return super()._usage_display_name().replace("{", "").replace("}", "").replace("...]...", "]...")


class Option(_Parameter, TyperOption):
    """An option whose help shows a placeholder or the allowed values, and not the Python type."""

    def display_type(self, ctx: "Context") -> str:
        words = super().display_type(ctx).strip("<>").removeprefix("list[").removesuffix("]")
        return words if "|" in words else str(self.name).upper()


def _named(params: "list[Parameter]") -> "list[Parameter]":
    for each in params:  # Typer creates them itself, and accepts no class for them
        if type(each) is TyperArgument:
            each.__class__ = Argument
            each.metavar = each.metavar or str(each.name).upper()
        elif type(each) is TyperOption:
            each.__class__ = Option
    return params


_OPTIONS: Final = "Options"


class Command(TyperCommand):
    """A command that refuses repeated options. Its help groups options by heading; those without one come last."""

    def get_params(self, ctx: "Context") -> "list[Parameter]":
        return _named(super().get_params(ctx))

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        try:
            _check_each_once(self, ctx, args)
            return super().parse_args(ctx, args)
        except TyperException as error:
            if getattr(error, "ctx", ctx) is None:  # an option without its value names no command
                error.ctx = ctx  # type: ignore[attr-defined]
            raise

    def format_options(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": []}
        for each in self.get_params(ctx):
            if (record := each.get_help_record(ctx)) is not None:
                is_argument = isinstance(each, TyperArgument)
                sections.setdefault("Arguments" if is_argument else _heading(each, _OPTIONS), []).append(record)
        sections[_OPTIONS] = sections.pop(_OPTIONS, [])
        write_sections(sections, formatter)


class Group(TyperGroup):
    """The same for a command with subcommands. Its help shows the whole first line of each subcommand's help."""

    def get_params(self, ctx: "Context") -> "list[Parameter]":
        return _named(super().get_params(ctx))

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        _check_each_once(self, ctx, args)
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                words = (command.help or "").strip().partition("\n")[0]
                sections.setdefault(_heading(command, "Commands"), []).append((name, words))
        write_sections(sections, formatter)


def write_sections(sections: Mapping[str, Sequence[tuple[str, str]]], formatter: "HelpFormatter") -> None:
    """Write entries and their descriptions under headings; a heading without entries is left out."""
    for heading, entries in sections.items():
        if entries:
            with formatter.section(heading):
                formatter.write_dl(entries)


def _heading(part: object, default: str) -> str:
    """The heading under which a command or an option is listed."""
    heading = getattr(part, "rich_help_panel", None)
    return heading if isinstance(heading, str) else default


class CommandLine(typer.Typer):
    """A Typer application whose commands refuse repeated options. Its help is plain text."""

    def __init__(self, *, cls: type[Group] = Group, **settings: Any) -> None:  # noqa: ANN401  (what Typer takes)
        super().__init__(cls=cls, add_completion=False, rich_markup_mode=None, **settings)

    def command(
        self,
        name: str | None = None,
        *,
        cls: type[TyperCommand] | None = None,
        **settings: Any,  # noqa: ANN401
    ) -> Callable[[_Function], _Function]:
        return super().command(name, cls=cls or Command, **settings)


def _check_each_once(command: Command | Group, ctx: "Context", args: list[str]) -> None:
    """Raises a usage error for a repeated option. Eager options such as --help, and list options, are exempt."""
    _, _, in_order = command.make_parser(ctx).parse_args(args=list(args))
    given = [option for option in in_order if isinstance(option, TyperOption)]
    if ctx.resilient_parsing or any(option.is_eager for option in given):
        return
    for option in given:
        if given.count(option) > 1 and not option.multiple and not option.count:
            ctx.fail(f"Option {' / '.join(option.opts)} is given twice.")
