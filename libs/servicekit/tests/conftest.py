"""Hypothesis without a stopwatch (a machine that stood still is no finding) and with the same examples in each run."""

from hypothesis import HealthCheck, settings

settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")
