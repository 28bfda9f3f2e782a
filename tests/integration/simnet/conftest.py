from collections.abc import Iterator

import pytest
from solders.keypair import Keypair

from tests.integration.simnet.server import Client, Server, running


@pytest.fixture(scope="module")
def simnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Client]]:
    """A chain with short slots and without a market, shared by a module's tests."""
    with running(tmp_path_factory.mktemp("simnet"), "--slot-ms", "40", "--no-market") as pair:
        yield pair


@pytest.fixture
def server(simnet: tuple[Server, Client]) -> Server:
    return simnet[0]


@pytest.fixture
def client(simnet: tuple[Server, Client]) -> Client:
    return simnet[1]


@pytest.fixture
def wallet(client: Client) -> Keypair:
    """A wallet of this test's own, with 10 SOL."""
    keypair = Keypair()
    client.fund(keypair.pubkey())
    return keypair
