"""How long a provider keeps the text of a chat after its end. The provider decides; no default of the platform may be laxer."""

from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

OSLO = ZoneInfo("Europe/Oslo")
FRIDAY = 5


class Retention(StrEnum):
    """What providers promise today."""

    END_OF_CHAT = "end_of_chat"
    ONE_WORKING_DAY = "one_working_day"
    HOURS_72 = "72_hours"
    DAYS_7 = "7_days"

    def until(self, ended: datetime) -> datetime:
        """When the text of a chat that ended then must be gone."""
        match self:
            case Retention.END_OF_CHAT:
                return ended
            case Retention.ONE_WORKING_DAY:
                return _one_working_day_after(ended)
            case Retention.HOURS_72:
                return ended + timedelta(hours=72)
            case Retention.DAYS_7:
                return ended + timedelta(days=7)


def _one_working_day_after(instant: datetime) -> datetime:
    """The same local time on the next day from Monday to Friday. Public holidays count as working days: then it's gone sooner."""
    local = instant.astimezone(OSLO) + timedelta(days=1)
    while local.isoweekday() > FRIDAY:
        local += timedelta(days=1)
    return local.astimezone(instant.tzinfo)
