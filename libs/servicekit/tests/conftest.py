"""Hypothesis without a stopwatch: an example that took long because the machine stood still is no finding."""

from hypothesis import HealthCheck, settings

settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")
