"""Where no container engine can be had, these tests say so and are skipped."""

import pytest

from deploy.images.base import PYTHON, UV, ensure
from deploy.images.engine import Engine, NoEngineError
from deploy.images.engine import engine as found


@pytest.fixture(scope="session")
def engine() -> Engine:
    """Docker or Podman, with the base images."""
    try:
        running = found()
    except NoEngineError as error:
        pytest.skip(str(error))
    ensure(running, print, (PYTHON, UV))
    return running
