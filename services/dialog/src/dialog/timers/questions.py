"""Due work of questions."""

from servicekit.timers import Timers

TIMERS: Timers = {}
