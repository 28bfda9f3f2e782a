"""Metrics of every process, in addition to CPU time, memory and open files."""

from typing import Final

from prometheus_client import Counter, Info

from orderd.release import this_release

BUILD: Final = Info("orderd_build", "The running version.")
BUILD.info({"version": this_release().version, "commit": this_release().commit or ""})
BEST_EFFORT_FAILURES: Final = Counter(
    "orderd_best_effort_failures", "Failures of work on which no order depends, by kind of work.", ["what"]
)
LOOP_FAILURES: Final = Counter("orderd_loop_failures", "Passes of a recurring loop that failed.", ["loop"])
