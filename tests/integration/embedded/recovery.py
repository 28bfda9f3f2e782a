"""A Postgres that recovers for as long as a test wants it to."""

from pathlib import Path


def hold_in_recovery(state_dir: Path) -> Path:
    """Has the next start of a stopped server recover until the file that is returned is made.

    It asks an archive for what it needs before it reads what it has (restore_command), and that one takes its time.
    """
    data = state_dir / "postgres"
    enough = data / "enough"
    command = f'until [ -e "{enough}" ]; do sleep 0.05; done; false'
    with (data / "postgresql.auto.conf").open("a") as settings:
        # Who is let in to read while it still recovers could not write yet.
        settings.write(f"restore_command = '{command}'\nhot_standby = off\n")
    (data / "recovery.signal").touch()
    return enough
