"""What a benchmark reports: the machine, the versions, and each figure beside what was asked."""

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("polars", "narwhals", "django", "psycopg")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number and its bound; ``at_most`` says on which side of it is good."""

    what: str
    measured: float
    unit: str
    bound: float | None = None
    at_most: bool = True

    @property
    def holds(self) -> bool | None:
        """Whether the bound holds; None where none was asked."""
        if self.bound is None:
            return None
        return self.measured <= self.bound if self.at_most else self.measured >= self.bound


def machine(postgresql: str | None = None) -> dict[str, str]:
    """Where and with what a figure was measured; ``postgresql`` is a server's version."""
    versions = {name: version(name) for name in PACKAGES}
    if postgresql:
        versions["postgresql"] = postgresql
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **versions,
    }


def median_seconds(work: Callable[[], object], *, runs: int) -> float:
    """The median time of ``runs`` runs, after one that is not counted."""
    work()
    return statistics.median(seconds(work) for _ in range(runs))


def seconds(work: Callable[[], object]) -> float:
    """How long one run takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
