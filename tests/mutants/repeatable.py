"""A plugin of pytest: examples that are the same each time, and no search for the smallest that fails."""

from hypothesis import Phase, settings

settings.register_profile("mutants", phases=(Phase.explicit, Phase.generate), derandomize=True, database=None)
settings.load_profile("mutants")
