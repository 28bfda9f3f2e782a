"""Sends one message to people with Apprise, in a separate process that is killed if it takes too long.

Apprise has a plug-in for each of more than a hundred services. None of them can hang or end the notifier. The process
gets no variable of the daemon's environment, and reads the address from its standard input.
Run as ``python -m orderd.alerts.apprise``, it sends the message that it reads.
"""

import asyncio
import json
import logging
import sys
from typing import Final

from orderd.alerts.webhook import UndeliveredError
from orderd.config.alerts import AppriseReceiver
from orderd.embedded.environment import common_environment, proxies

SECONDS: Final = 30.0
_BAD_ADDRESS: Final = 3


async def send(receiver: AppriseReceiver, title: str, text: str) -> None:
    """Raises UndeliveredError unless the service has taken the message in time."""
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env=common_environment() | proxies(),
    )
    given = {"address": receiver.apprise.get_secret_value(), "title": title, "text": text}
    try:
        async with asyncio.timeout(SECONDS):
            await program.communicate(json.dumps(given).encode())
    except TimeoutError:
        raise UndeliveredError(f"it did not take the message within {SECONDS:.0f} s") from None
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    if program.returncode == _BAD_ADDRESS:
        raise UndeliveredError("apprise does not know such an address")
    if program.returncode != 0:
        raise UndeliveredError("the service did not take the message")


def _main() -> int:
    import apprise

    logging.disable(logging.CRITICAL)  # Apprise logs addresses
    given = json.load(sys.stdin)
    service = apprise.Apprise()
    if not service.add(given["address"]):
        return _BAD_ADDRESS
    return 0 if service.notify(title=given["title"], body=given["text"]) else 1


if __name__ == "__main__":
    sys.exit(_main())
