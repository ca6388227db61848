"""Where no container engine can be had, or it can't run a container, these tests say so and are skipped."""

import pytest

from deploy.images.base import PYTHON, UV, NoBaseError, ensure
from deploy.images.engine import Engine, EngineError, NoEngineError
from deploy.images.engine import engine as found


@pytest.fixture(scope="session")
def engine() -> Engine:
    """Docker or Podman, with the base images, and seen to run a container."""
    try:
        running = found()
        ensure(running, print, (PYTHON, UV))
        running.run("run", "--rm", PYTHON, "true")
    except (NoEngineError, NoBaseError) as error:
        pytest.skip(str(error))
    except EngineError as error:
        pytest.skip(f"an engine is here and can't run a container: {error}")
    return running
