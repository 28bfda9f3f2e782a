"""Property tests check results and not the speed of a busy machine, so they have no deadline."""

from hypothesis import HealthCheck, settings

settings.register_profile("results", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("results")
