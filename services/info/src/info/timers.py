"""Info's recurring work: page counts are told when their minute is over."""

from servicekit.timers import Every, Timers

from info.usage import tell_usage

TIMERS: Timers = {"usage.tell": Every(15, tell_usage)}
