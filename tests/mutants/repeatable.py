"""A pytest plugin that makes Hypothesis use the same examples in each run, without shrinking."""

from hypothesis import Phase, settings

settings.register_profile("mutants", phases=(Phase.explicit, Phase.generate), derandomize=True, database=None)
settings.load_profile("mutants")
