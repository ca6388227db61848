"""Due work of chats and handoffs."""

from servicekit.timers import Timers

TIMERS: Timers = {}
