"""The ``orderd`` command line. Each subcommand imports its dependencies when it is called; all errors are printed
here."""

import sys
from typing import Annotated, Final, NoReturn

import typer

from orderd.command_line import CommandLine
from orderd.commands.alert import alert_app
from orderd.commands.api_key import api_key_app, renamed
from orderd.commands.audit import audit
from orderd.commands.backup import backup
from orderd.commands.check_config import check_config
from orderd.commands.coverage import coverage
from orderd.commands.demo import demo
from orderd.commands.doctor import doctor
from orderd.commands.gateway import gateway
from orderd.commands.migrate import migrate
from orderd.commands.notifier import notifier
from orderd.commands.options import ArgumentError
from orderd.commands.prove import prove
from orderd.commands.reconcile import reconcile
from orderd.commands.restore import restore
from orderd.commands.run import run
from orderd.commands.simnet import simnet_app
from orderd.commands.traces import traces
from orderd.commands.wallet import wallet
from orderd.commands.worker import worker
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.release import this_release

EXIT_FAILED = 1
EXIT_CONFIGURATION = 2
_OF_CONFIGURATION = (ErrorCode.SERVICE_CONFIGURATION, ErrorCode.SERVICE_WALLET)

app = CommandLine(
    name="orderd",
    help="An order execution engine for Solana. Settings come from flags, ORDERD_* variables and orderd.toml.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"orderd {this_release().description}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[  # noqa: ARG001  (its callback prints it)
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    if sys.platform != "linux":
        typer.echo(
            "orderd: the daemon needs Linux; on this machine, use orderctl with a daemon on another machine", err=True
        )
        raise typer.Exit(EXIT_CONFIGURATION)


_VERBS: Final = {
    "Processes": (run, gateway, worker, notifier),
    "Set up and check": (check_config, doctor, wallet, prove, coverage),
    "Database and records": (migrate, backup, restore, reconcile, audit, traces),
    "Local chain": (demo,),
}
for heading, verbs in _VERBS.items():
    for verb in verbs:
        app.command(rich_help_panel=heading)(verb)
app.add_typer(api_key_app, name="api-key", rich_help_panel="Set up and check")
app.add_typer(alert_app, name="alert", rich_help_panel="Set up and check")
app.add_typer(simnet_app, name="simnet", rich_help_panel="Local chain")
app.add_typer(api_key_app, name="token", hidden=True, callback=renamed)


def run_command_line() -> None:
    """Run the command of ``sys.argv``. Errors are printed with the next step."""
    try:
        app()
    except OrderdError as error:
        _leave(error)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _leave(OrderdError(ErrorCode.SERVICE_CONFIGURATION, f"{where}{error.strerror or error}"))


def _leave(error: OrderdError) -> NoReturn:
    from orderd.embedded.notify import service_manager

    service_manager().notify(f"STATUS={error.detail.partition(chr(10))[0]}")
    title, next_step = error.spec.title, error.spec.next_step
    if isinstance(error, ArgumentError):
        title, next_step = "The command cannot be run like this", f"see: orderd {sys.argv[1]} --help"
    typer.echo(f"orderd: {title} ({error.code}).", err=True)
    for line in (*error.detail.splitlines(), f"next: {next_step}"):
        typer.echo(f"  {line}", err=True)
    sys.exit(EXIT_CONFIGURATION if error.code in _OF_CONFIGURATION else EXIT_FAILED)
