"""A run as a picture: `python -m benchmarks.chart RUN.json CHART.png`, in an environment with matplotlib."""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

from benchmarks.results import Run

MARKERS = "os^vDPX*<>"


def draw(run: Run, file: Path) -> None:
    """Draw how many times as good as each peer the subject is, a line for each row, on a logarithmic axis."""
    results = [result for result in run.results if result.median(run.subject) is not None]
    figure, axes = plt.subplots(figsize=(10, 1.6 + 0.36 * len(results)), layout="constrained")
    for place, name in enumerate(name for name in run.versions if name != run.subject):
        points = [
            (ratio, line) for line, each in enumerate(results) if (ratio := each.ratio(run.subject, name)) is not None
        ]
        if points:
            axes.scatter(*zip(*points, strict=True), marker=MARKERS[place], s=46, label=name, alpha=0.85, zorder=3)
    axes.axvline(1, color="black", linewidth=1.2)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_yticks(range(len(results)), [result.row.title for result in results])
    axes.invert_yaxis()
    axes.grid(visible=True, color="0.9", zorder=0)
    axes.set_xlabel(f"how many times as good {run.subject} is: right of 1 it is ahead, left of 1 the other")
    figure.legend(loc="outside upper center", ncols=len(run.versions), frameon=False)
    figure.savefig(file, dpi=120)


def main() -> None:
    """Draw the run of one file into the other."""
    mpl.use("Agg")
    source, target = map(Path, sys.argv[1:])
    draw(Run.from_json(source.read_text(encoding="utf-8")), target)


if __name__ == "__main__":
    main()
