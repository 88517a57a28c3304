"""One command for all measurements: `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import datetime as dt
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine
from benchmarks.cases import Case, cases
from benchmarks.environments import CHART as CHART_ENVIRONMENT
from benchmarks.environments import OWN
from benchmarks.peers import SUBJECT, Peer, peers
from benchmarks.report import CHART, PAGE, markdown, write_docs
from benchmarks.results import Result, Run
from benchmarks.runner import measured

ROUNDS = 5


def main() -> None:
    """Measure, and print the table; or install what is measured."""
    options = _options()
    # A command that is told to end leaves its servers as one that is interrupted: stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if options.install:
        _install()
        return
    if options.write_docs and not CHART_ENVIRONMENT.installed:
        sys.exit("the chart needs matplotlib; run `python -m benchmarks --install` first")
    run = Run.from_json(options.read.read_text(encoding="utf-8")) if options.read else _measured(options)
    if options.json:
        options.json.write_text(run.to_json(), encoding="utf-8")
    if options.write_docs:
        write_docs(run)
        _draw(run)
        _say(f"{PAGE} and {CHART} are written")
    print(markdown(run))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="This project's speed beside its peers.")
    keys = [row.key for case in cases() for row in case.rows]
    names = [peer.name for peer in peers()]
    parser.add_argument("--install", action="store_true", help="install the peers, or bring them up to date, and end")
    parser.add_argument(
        "--only", nargs="+", metavar="ROW", choices=keys, default=keys, help=f"these rows: {', '.join(keys)}"
    )
    parser.add_argument(
        "--peers", nargs="+", metavar="PEER", choices=names, default=names, help=f"these servers: {', '.join(names)}"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"measure each so many times (default: {ROUNDS})")
    parser.add_argument("--quick", action="store_true", help="one round, to see that all works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to a file")
    parser.add_argument("--read", type=Path, metavar="FILE", help="take the figures from such a file; measure nothing")
    parser.add_argument("--write-docs", action="store_true", help="write the table and the chart into the documents")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    return options


def _measured(options: argparse.Namespace) -> Run:
    for tool, advice in machine.TOOLS.items():
        if shutil.which(tool) is None:
            sys.exit(advice)
    chosen = _installed([peer for peer in peers() if peer.name in options.peers])
    selected = [case for case in cases() if any(row.key in options.only for row in case.rows)]
    rounds = 1 if options.quick else options.rounds
    return Run(
        command=shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]]),
        date=f"{dt.datetime.now(tz=dt.timezone.utc):%Y-%m-%d}",
        rounds=rounds,
        subject=SUBJECT,
        machine=machine.described(),
        versions={peer.name: f"{peer.package} {peer.environment.version(peer.package)}" for peer in chosen},
        results=_results(selected, chosen, rounds),
    )


def _installed(wanted: Sequence[Peer]) -> Sequence[Peer]:
    if not OWN.installed:
        sys.exit("nothing is installed; run `python -m benchmarks --install` first")
    for peer in wanted:
        if not peer.environment.installed:
            _say(f"{peer.name} is not installed, and not measured; `python -m benchmarks --install` installs it")
    return [peer for peer in wanted if peer.environment.installed]


def _results(selected: Sequence[Case], chosen: Sequence[Peer], rounds: int) -> Sequence[Result]:
    cores = machine.cores()
    if cores.server == cores.client:
        _say("there is one core: servers and clients share it")
    cores.pin_client()
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(selected, start=1):
            started = time.perf_counter()
            _say(f"{number}/{len(selected)}  {' and '.join(row.title for row in case.rows)}")
            found = measured(case, chosen, rounds=rounds, folder=Path(folder, str(number)), cores=cores)
            for name, reason in found[0].reasons.items():
                _say(f"    {name} {reason}")
            results += found
            _say(f"    took {time.perf_counter() - started:.0f} s")
    return results


def _install() -> None:
    environments = {peer.environment.name: peer.environment for peer in peers()} | {"chart": CHART_ENVIRONMENT}
    for name, environment in environments.items():
        _say(f"installs {name}")
        try:
            environment.install()
        except (subprocess.CalledProcessError, FileNotFoundError) as error:
            _say(f"{name} is not installed: {error}")


def _draw(run: Run) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "run.json")
        file.write_text(run.to_json(), encoding="utf-8")
        command = [str(CHART_ENVIRONMENT.python), "-m", "benchmarks.chart", str(file), str(CHART)]
        subprocess.run(command, check=True, env=CHART_ENVIRONMENT.variables())


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
