"""This service's environment."""

from pathlib import Path

from pydantic import Field
from servicekit.settings import ServiceSettings


class Settings(ServiceSettings):
    """What info needs besides what every service does."""

    seeds_dir: Path = Field(
        default=Path(__file__).parents[2] / "seeds", description="Articles, answers and the register as files; the default is a checkout's"
    )
    seed_on_start: bool = Field(default=False, description="Load the seeds when the process starts; the demo does")
    usage_flush_seconds: float = Field(default=5, gt=0, description="How often page counts go from memory to the database, seconds")
