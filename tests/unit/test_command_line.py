"""Both programs use the parser that refuses an option given twice."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from orderctl.app import app as orderctl
from orderd.app import app as orderd
from orderd.command_line import Command, Group
from orderd.release import this_release


def commands(command: object) -> Iterator[object]:
    yield command
    if isinstance(command, TyperGroup):
        with command.make_context(None, [], resilient_parsing=True) as context:
            for name in command.list_commands(context):
                yield from commands(command.get_command(context, name))


@pytest.mark.parametrize("program", [orderctl, orderd], ids=["orderctl", "orderd"])
def test_every_command_refuses_an_option_that_is_given_twice(program: typer.Typer) -> None:
    found = list(commands(get_command(program)))

    assert len(found) > 10
    assert [each for each in found if not isinstance(each, Command | Group)] == []


@pytest.mark.parametrize("program", [orderctl, orderd], ids=["orderctl", "orderd"])
def test_both_programs_print_their_version_and_have_a_short_option_for_help(program: typer.Typer) -> None:
    printed = CliRunner().invoke(program, ["--version"])
    assert printed.exit_code == 0
    assert printed.stdout.split(maxsplit=1)[1] == f"{this_release().description}\n"
    brief, full = (CliRunner().invoke(program, [option]) for option in ("-h", "--help"))
    assert brief.exit_code == 0
    assert brief.stdout == full.stdout != ""


def test_the_garbage_collector_of_orderd_is_configured_before_the_program_is_imported() -> None:
    script = "import sys, orderd.main; print('orderd.app' in sys.modules, 'typer' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout == "False False\n"
