"""The environment of reporting."""

from pydantic import Field
from servicekit.settings import ServiceSettings


class Settings(ServiceSettings):
    """Adds nothing personal: reporting knows counts only."""

    period_days: int = Field(default=28, gt=0, le=400, description="How many days the pages show when nothing else is asked for")
