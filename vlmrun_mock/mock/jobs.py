"""Predictions and executions: what was asked for, and how far each has come when it is read."""

from __future__ import annotations

import time
from threading import Lock
from typing import Any, Literal, TypeAlias

import msgspec

from vlmrun_mock.api.prediction import Outcome, Status, finished, unfinished

Family: TypeAlias = Literal["prediction", "execution"]

MOST_JOBS = 10_000
"""Jobs of one key that are kept; the oldest make room."""

BEGINNING: dict[Family, Status] = {"prediction": "pending", "execution": "enqueued"}
"""The status of a job that was just made, as recorded."""


class Reading(msgspec.Struct):
    """One reading of a job: when, in seconds since 1970, and the status that it got."""

    time: float
    status: Status


class Job(msgspec.Struct):
    """One prediction or execution.

    `created` is in seconds since 1970, `created_at` what the client is told. `reads_left` times it is read before it
    is done, and not before `ready`, by the monotonic clock.
    """

    id: str
    family: Family
    created: float
    created_at: str
    outcome: Outcome
    name: str = ""
    mode: str | None = None
    is_batch: bool = False
    reads_left: int = 0
    ready: float = 0.0
    completed: float | None = None
    reads: list[Reading] = []

    @property
    def status(self) -> Status:
        """Return how far the job is."""
        if self.completed is not None:
            return self.outcome.status
        return "running" if len(self.reads) > 1 else BEGINNING[self.family]

    @property
    def result(self) -> dict[str, Any]:
        """Return what is said of its result by now."""
        return unfinished() if self.completed is None else finished(self.outcome, self.completed)

    def read(self, now: float) -> None:
        """Count a reading, which may be the one at which the job is done; `now` is for its date."""
        if self.completed is None:
            if self.reads_left <= 0 and time.monotonic() >= self.ready:
                self.completed = now
            self.reads_left -= 1
        self.reads.append(Reading(time.time(), "pending"))
        self.reads[-1].status = self.status

    def finish(self, now: float) -> None:
        """Mark the job as done."""
        if self.completed is None:
            self.completed = now


class Jobs:
    """The jobs of one key; `pending_reads` times each is read before it is done."""

    def __init__(self, pending_reads: int) -> None:
        self._pending_reads = pending_reads
        self._jobs: dict[str, Job] = {}
        self._lock = Lock()

    def add(self, job: Job, *, done: bool, seconds: float = 0.0) -> Job:
        """Keep a job, which is done at once, or after some readings and seconds."""
        job.is_batch = not done
        if done:
            job.finish(job.created)
        else:
            job.reads_left = self._pending_reads
            job.ready = time.monotonic() + seconds
        with self._lock:
            self._jobs[job.id] = job
            if len(self._jobs) > MOST_JOBS:
                del self._jobs[next(iter(self._jobs))]
        return job

    def get(self, family: Family, job_id: str) -> Job | None:
        """Return a job by its id."""
        job = self._jobs.get(job_id)
        return job if job and job.family == family else None

    def all(self) -> list[Job]:
        """Return all jobs, the oldest first."""
        with self._lock:
            return list(self._jobs.values())

    def of(self, family: Family) -> list[Job]:
        """Return the jobs of a family, the newest first."""
        with self._lock:
            return [job for job in reversed(self._jobs.values()) if job.family == family]
