from collections.abc import Iterator

import pytest
from hub_commands import Commands
from hub_server import Hub, HubServer


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Hub, Commands]]:
    hub = Hub()
    with HubServer(hub) as server:
        commands = Commands(tmp_path_factory.mktemp("commands"), server.address)
        yield hub, commands
        commands.close()
        assert not commands.outside.exists(), f"others were asked: {commands.outside.read_text()}"


@pytest.fixture
def hub(served: tuple[Hub, Commands]) -> Hub:
    hub, commands = served
    hub.repositories.clear()
    hub.uploaded.clear()
    hub.requests.clear()
    hub.fail, hub.sent, commands.running = None, 0, lambda _: None
    return hub


@pytest.fixture
def nnbook(served: tuple[Hub, Commands]) -> Commands:
    return served[1]
