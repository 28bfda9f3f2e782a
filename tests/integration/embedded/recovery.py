"""A Postgres that stays in recovery until a test ends it."""

from pathlib import Path


def hold_in_recovery(state_dir: Path) -> Path:
    """Make the next start of a stopped server recover until the returned file exists.

    Postgres runs ``restore_command`` before it reads its own WAL, and this command waits for the file. It also ends
    when the server has been killed: the process of the server that waits for it would stay otherwise.
    """
    data = state_dir / "postgres"
    enough = data / "enough"
    ended = f'read -r pid < "{data / "postmaster.pid"}"; ! kill -0 "$pid"'
    command = f'until [ -e "{enough}" ] || {{ {ended}; }}; do sleep 0.05; done; false'
    with (data / "postgresql.auto.conf").open("a") as settings:
        # Otherwise clients could connect during recovery, but not write.
        settings.write(f"restore_command = '{command}'\nhot_standby = off\n")
    (data / "recovery.signal").touch()
    return enough
