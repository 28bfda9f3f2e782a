"""``orderd worker``: runs a worker only."""

from orderd.commands.options import Config, LogFormat, LogLevel
from orderd.commands.prepare import prepare_role


def worker(config: Config = None, log_level: LogLevel = None, log_format: LogFormat = None) -> None:
    """Run a worker, which executes orders. Needs ORDERD_DATABASE_URL, ORDERD_REDIS_URL and ORDERD_RPC_URL."""
    from orderd.queue.worker import run_worker

    run_worker(prepare_role(config=config, log_level=log_level, log_format=log_format))
