"""Environment of the helpjourney service; each period says its unit and who decides it."""

from datetime import timedelta

from pydantic import Field
from servicekit.settings import ServiceSettings

from helpjourney.domain.journeys import Keeping


class Settings(ServiceSettings):
    """Read from the environment, without a prefix."""

    empty_journey_days: int = Field(
        default=30, gt=0, description="Days that a journey is kept in which nothing happened. Owner: the municipal health service"
    )
    journey_days: int = Field(
        default=365, gt=0, description="Days that a journey is kept after the last thing in it. Owner: the municipal health service"
    )
    summary_days: int = Field(default=90, gt=0, description="Days that what she brought is kept. Owner: the municipal health service")
    note_days: int = Field(default=90, gt=0, description="Days that the text of an open wish is kept. Owner: the municipal health service")
    note_days_after: int = Field(default=7, gt=0, description="Days that it is kept after the appointment is over. Owner: the same")

    @property
    def keeping(self) -> Keeping:
        """The periods, as the handlers take them."""
        return Keeping(
            empty=timedelta(days=self.empty_journey_days),
            journey=timedelta(days=self.journey_days),
            summary=timedelta(days=self.summary_days),
            note=timedelta(days=self.note_days),
            note_after=timedelta(days=self.note_days_after),
        )
