"""The ``orderd`` command: its verbs, and how every error leaves it. Each verb imports its parts when it is called."""

import sys

import typer

from orderd.commands.audit import audit
from orderd.commands.check_config import check_config
from orderd.commands.demo import demo
from orderd.commands.doctor import doctor
from orderd.commands.gateway import gateway
from orderd.commands.migrate import migrate
from orderd.commands.run import run
from orderd.commands.simnet import simnet_app
from orderd.commands.token import token_app
from orderd.commands.wallet import wallet
from orderd.commands.worker import worker
from orderd.config.loading import ConfigurationError
from orderd.domain.errors import OrderdError

EXIT_FAILED = 1
EXIT_CONFIGURATION = 2

_DATABASE_HINT = """
Where it is one of your own: is ORDERD_DATABASE_URL right, and does the server run?
Where orderd brings it along: is the daemon running, as this user, and with this --state-dir?"""

app = typer.Typer(
    name="orderd",
    help="An order execution engine for Solana. Settings come from flags, ORDERD_* variables and orderd.toml.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for verb in (audit, doctor, run, gateway, worker, migrate, wallet, check_config, demo):
    app.command()(verb)
app.add_typer(token_app, name="token")
app.add_typer(simnet_app, name="simnet")


def main() -> None:
    """Run the command line; whatever goes wrong is said in one place, with what to do next."""
    from peewee import OperationalError

    from db.connection import SchemaError
    from orderd.solana.keys import WalletError

    try:
        app()
    except ConfigurationError as error:
        sys.exit(_complain("The configuration cannot be used.", str(error), EXIT_CONFIGURATION))
    except WalletError as error:
        sys.exit(_complain("The wallet cannot be used.", str(error), EXIT_CONFIGURATION))
    except SchemaError as error:
        sys.exit(_complain("The database's tables do not fit.", str(error), EXIT_FAILED))
    except OperationalError as error:
        sys.exit(_complain("The database does not answer.", f"{error}{_DATABASE_HINT}", EXIT_FAILED))
    except OrderdError as error:
        detail = f"{error.detail}\nnext: {error.spec.next_step}"
        sys.exit(_complain(f"{error.spec.title} ({error.code}).", detail, EXIT_FAILED))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        detail = f"{where}{error.strerror or error}\nnext: correct the path or who may use it, and start it again"
        sys.exit(_complain("The system refuses what orderd needs.", detail, EXIT_FAILED))


def _complain(title: str, detail: str, exit_code: int) -> int:
    """Say what is wrong on stderr."""
    typer.echo(f"orderd: {title}", err=True)
    for line in detail.splitlines():
        typer.echo(f"  {line}", err=True)
    return exit_code


if __name__ == "__main__":
    main()
