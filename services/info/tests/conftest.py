"""What info's tests share: a migrated database each, filled with the seeds where a test asks."""

from pathlib import Path

import pytest
from info import seeds
from servicekit.testing import service_database

SEEDS = Path(__file__).parents[1] / "seeds"
database = service_database("info")


@pytest.fixture(scope="session")
def seed_files():
    """The seeds as they stand in the files."""
    return seeds.read(SEEDS)


@pytest.fixture
async def seeded(database, seed_files):
    """A database that holds the seeds."""
    await seeds.load(database.begin, seed_files)
    return database
