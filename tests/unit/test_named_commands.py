"""Commands named in the text and tables of documents, and in help texts, exist with their options.

Commands in code blocks are run by tests/acceptance/test_documented_commands.py.
"""

import re
import shlex
from collections.abc import Iterator
from typing import Any, Final

import pytest
from typer._click.exceptions import BadOptionUsage, UsageError
from typer.core import TyperGroup
from typer.main import get_command

from orderctl.app import app as orderctl
from orderd.app import app as orderd
from tests.acceptance.documented import DOCUMENTS, ROOT, outside_of_blocks

PROGRAMS: Final[dict[str, Any]] = {"orderctl": get_command(orderctl), "orderd": get_command(orderd)}
MAKEFILE: Final = (ROOT / "Makefile").read_text()
TARGETS: Final = set(re.findall(r"^([a-z-]+):", MAKEFILE, flags=re.MULTILINE))
VARIABLES: Final = set(re.findall(r"^([A-Z]+) \?=", MAKEFILE, flags=re.MULTILINE))
ANY_COMMAND: Final = "COMMAND"
OF_OTHER_PROGRAMS: Final = {"--constraint"}
"""Options of pip that documents name."""
_TEXTS: Final = {
    str(path.relative_to(ROOT)): outside_of_blocks(path.read_text()) for path in (*DOCUMENTS, ROOT / "CHANGELOG.md")
}
_CODE: Final = re.compile(r"`([^`]+)`")
_AS_IT_IS: Final = "\b\n"
"""Begins a paragraph of a help text that is not wrapped."""


def fault(text: str) -> str | None:
    """What the real parser objects to in a command, whose arguments may be missing."""
    program, *words = shlex.split(text)
    if program == "make":
        names = [word.partition("=")[0] for word in words]
        unknown = set(names[:1]) - TARGETS | set(names[1:]) - VARIABLES
        return f"not in the Makefile: {unknown}" if unknown else None
    return _fault(PROGRAMS[program], words)


def _fault(command: Any, words: list[str]) -> str | None:
    context = command.make_context(None, [], resilient_parsing=True)
    context.resilient_parsing = False  # only the empty command line above needs it
    try:
        _, rest, _ = command.make_parser(context).parse_args(list(words))
    except BadOptionUsage as error:
        return None if error.option_name == words[-1] else str(error)  # the option is named without a value
    except UsageError as error:
        return error.format_message()
    if not isinstance(command, TyperGroup):
        return f"too many words: {rest}" if rest else None
    if not rest or rest[0] == ANY_COMMAND:
        return None
    for name in rest[0].split("|"):
        inner = command.get_command(context, name)
        said = f"no such command: {name}" if inner is None else _fault(inner, rest[1:])
        if said is not None:
            return said
    return None


def options(command: Any) -> Iterator[str]:
    """All options of a command and its subcommands."""
    context = command.make_context(None, [], resilient_parsing=True)
    for parameter in command.get_params(context):
        yield from (*parameter.opts, *parameter.secondary_opts)
    if isinstance(command, TyperGroup):
        for name in command.list_commands(context):
            yield from options(command.get_command(context, name))


def helps(command: Any) -> Iterator[str]:
    """The help texts of a command and its subcommands."""
    context = command.make_context(None, [], resilient_parsing=True)
    yield command.help or ""
    if isinstance(command, TyperGroup):
        for name in command.list_commands(context):
            yield from helps(command.get_command(context, name))


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_example_in_a_help_text_is_a_line_with_a_command_that_exists(program: str) -> None:
    lines = [
        line
        for text in helps(PROGRAMS[program])
        for paragraph in text.split("\n\n")
        if paragraph.startswith(_AS_IT_IS)
        for line in paragraph.removeprefix(_AS_IT_IS).splitlines()
    ]
    assert [line for line in lines if not line.startswith((f"{program} ", " "))] == []
    examples = [re.split(r"  +|[<>|]", line)[0] for line in lines if not line.startswith(" ")]
    assert examples != []
    assert {example: said for example in examples if (said := fault(example)) is not None} == {}


@pytest.mark.parametrize("document", _TEXTS)
def test_each_command_named_in_a_document_exists_with_its_options(document: str) -> None:
    named = {" ".join(code.split()) for code in _CODE.findall(_TEXTS[document])}
    commands = sorted(code for code in named if code.split()[0] in {"make", *PROGRAMS})
    faults = {command: said for command in commands if (said := fault(command)) is not None}
    assert faults == {}


def test_each_option_named_in_a_document_exists() -> None:
    known = OF_OTHER_PROGRAMS.union(*(options(command) for command in PROGRAMS.values()))
    named = {
        option: document
        for document, text in _TEXTS.items()
        for code in _CODE.findall(text)
        if code.startswith("--")
        for option in re.findall(r"(?:^|\s)(--[a-z][a-z-]+)", code)
    }
    assert {option: document for option, document in named.items() if option not in known} == {}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("orderctl quotes SOL USDC 1", "no such command: quotes"),
        ("orderctl quote SOL USDC 1 2", "too many words"),
        ("orderctl submit SOL USDC 1 --limits 3", "No such option: --limits"),
        ("orderctl submit --limit --ioc", None),
        ("orderctl submit --limit", None),
        ("orderctl --wide list", "No such option: --wide"),
        ("orderctl config edit", "no such command: edit"),
        ("orderd api-key create|remove", "no such command: remove"),
        ("make tests", "not in the Makefile"),
        ("make chaos ORDER=3", "not in the Makefile"),
    ],
)
def test_a_missing_command_is_detected(command: str, said: str | None) -> None:
    found = fault(command)
    assert (found is None) if said is None else (found is not None and said in found)
