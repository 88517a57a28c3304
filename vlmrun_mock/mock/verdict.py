"""What the client did with the answers that it got: whether it waited, gave up, hammered, or asked in vain."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from vlmrun_mock.mock.jobs import Job
from vlmrun_mock.mock.journal import Entry

if TYPE_CHECKING:
    from vlmrun_mock.mock.mock import Mock

Code: TypeAlias = Literal[
    "retried_too_early",
    "retried_in_vain",
    "gave_up",
    "hammered",
    "parameter_without_effect",
    "streamed",
    "polled_too_fast",
    "polled_without_end",
    "ignored_failed",
    "never_read",
]

FINDINGS: dict[Code, str] = {
    "retried_too_early": "sent the same request again before the time that `Retry-After` had asked for was over",
    "retried_in_vain": "sent the same request again after a status that a retry does not change",
    "gave_up": "sent nothing more after one failure that a retry might have mended",
    "hammered": "sent the same request three or more times again with hardly a pause between",
    "parameter_without_effect": "sent a parameter that the API does not support",
    "streamed": "asked for a stream, which the API does not send: iterating the answer yields nothing",
    "polled_too_fast": "read a batch or an execution again and again with hardly a pause between",
    "polled_without_end": "went on reading a batch or an execution that was not done, beyond all measure",
    "ignored_failed": "went on reading a batch or an execution that had failed",
    "never_read": "asked for a batch or an execution, and never read what became of it",
}
"""Every kind of finding, and what it says about the client."""

FINAL = frozenset({400, 401, 403, 404, 405, 413, 422})
"""The statuses that the same request gets again, however often it is sent."""

TRANSIENT = frozenset({0, 408, 409, 429})
"""The statuses below 500 that another try may mend; 0 is a cut connection. The OpenAI SDKs retry them, and 5xx."""

SERVER_ERROR = 500

DONE = frozenset({"completed", "failed"})
"""The statuses in which a batch or an execution stays."""

TOLERANCE = 0.05
"""Seconds by which a client may be early: clocks and timers are not exact."""

PAUSE = 0.25
"""Seconds between an answer and the next try, below which that counts as no pause; the SDKs wait for 0.375 or more."""

MOST_HASTY = 2
"""How many tries in a row without a pause are no finding yet."""

MOST_POLLS = 120
"""How many readings of something that is not done are reasonable: as many as the SDKs make in ten minutes."""

POLLING: tuple[Code, ...] = ("polled_too_fast", "polled_without_end", "ignored_failed", "never_read")
"""The findings that are about batches and executions; their requests are the ids of those."""

SHOWN = 20
"""How many findings, and how many requests of one, a verdict names in words."""


@dataclass(frozen=True, slots=True)
class ClientFinding:
    """One thing that the client did: its code, a sentence, and the ids of the requests that it rests on."""

    code: Code
    message: str
    requests: tuple[str, ...]

    def __str__(self) -> str:
        more = f" and {len(self.requests) - SHOWN} more" if len(self.requests) > SHOWN else ""
        return f"{self.code}: {self.message} ({', '.join(self.requests[:SHOWN])}{more})"


class Verdict(str):
    """What a client did wrong in that many `requests`, in words and as `findings`. It is true if there are none.

    It is a text so that `assert verdict.ok, verdict` explains itself: of any other object pytest shows 240 characters.
    """

    __slots__ = ("findings", "requests")
    requests: int
    findings: tuple[ClientFinding, ...]

    def __new__(cls, requests: int, findings: Iterable[ClientFinding] = ()) -> Verdict:  # noqa: PYI034 - Self needs Python 3.11
        """Return a verdict."""
        found = tuple(findings)
        made = super().__new__(cls, _in_words(requests, found))
        made.requests = requests
        made.findings = found
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.requests, self.findings

    @property
    def ok(self) -> bool:
        """Return whether there is no finding."""
        return not self.findings

    def __bool__(self) -> bool:
        return self.ok

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as data."""
        return {"ok": self.ok, "requests": self.requests, "findings": [asdict(each) for each in self.findings]}


def _in_words(requests: int, findings: Sequence[ClientFinding]) -> str:
    looked_at = f"{requests} request{'' if requests == 1 else 's'}"
    if not findings:
        return f"ok: nothing to find fault with in {looked_at}"
    more = [f"- and {len(findings) - SHOWN} more"] if len(findings) > SHOWN else []
    return "\n".join([f"in {looked_at} the client", *(f"- {each}" for each in findings[:SHOWN]), *more])


Chain: TypeAlias = list[Entry]
"""A request and its retries, each begun when the one before had failed."""


def verdict(entries: Iterable[Entry], jobs: Iterable[Job] = (), told: Collection[str] = ()) -> Verdict:
    """Return what the client of a journal did, also with its jobs, of which webhooks `told`, by their ids."""
    known = sorted(entries, key=lambda entry: entry.time)
    found = [finding for chain in _chains(known) for finding in _about(chain)]
    order = {entry.id: position for position, entry in enumerate(known)}
    found.sort(key=lambda finding: order[finding.requests[0]])
    polled = [finding for job in jobs for finding in _about_polling(job, told)]
    return Verdict(len(known), (*found, *_without_effect(known), *polled))


def of(mock: Mock) -> Verdict:
    """Return what the client of a mock did."""
    told = {webhook.subject for webhook in mock.webhooks if webhook.delivered}
    return verdict(mock.journal, mock.jobs.all(), told)


def _about_polling(job: Job, told: Collection[str]) -> Iterator[ClientFinding]:
    """Find what is wrong with how a job was read."""
    if not job.is_batch:
        return
    called = f"the {job.family} {job.id}"
    waiting = [read for read in job.reads if read.status not in DONE]
    hasty = sum(later.time - earlier.time < PAUSE for earlier, later in pairwise(waiting))
    if hasty > MOST_HASTY:
        message = f"read {called} {hasty} times again with less than {PAUSE:g} s between"
        yield ClientFinding("polled_too_fast", message, (job.id,))
    if len(waiting) > MOST_POLLS:
        yield ClientFinding("polled_without_end", f"read {called} {len(waiting)} times before it was done", (job.id,))
    failed = sum(read.status == "failed" for read in job.reads)
    if failed > 1:
        yield ClientFinding("ignored_failed", f"read {called} {failed - 1} times again after it had failed", (job.id,))
    if not job.reads and job.id not in told:
        yield ClientFinding("never_read", f"never read {called}", (job.id,))


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """Return one verdict on several clients, each judged for itself."""
    each = list(verdicts)
    return Verdict(sum(one.requests for one in each), tuple(finding for one in each for finding in one.findings))


def _chains(entries: Sequence[Entry]) -> list[Chain]:
    """Return the requests, each with its retries.

    A request is the retry of one for the same thing that had failed when it began; of several, the first that failed
    and has none yet. So clients that ask for the same thing side by side are not taken for one that hammers.
    """
    chains: list[Chain] = []
    failed: dict[str, list[tuple[float, int, Chain]]] = defaultdict(list)
    for number, entry in enumerate(entries):
        if entry.fingerprint is None:  # it was not read, so nobody knows what it was about
            continue
        waiting = failed[entry.fingerprint]  # a heap: the first that failed comes first
        if waiting and waiting[0][0] <= entry.time:
            _, _, chain = heapq.heappop(waiting)
        else:
            chains.append(chain := [])
        chain.append(entry)
        if _failed(entry):
            heapq.heappush(waiting, (entry.end, number, chain))
    return chains


def _failed(entry: Entry) -> bool:
    """Return whether a client may repeat a request: after an error, a cut connection, or a spoilt answer."""
    return not 200 <= entry.status < 400 or entry.fault not in (None, "latency")  # noqa: PLR2004 - the HTTP status classes


def _about(chain: Chain) -> Iterator[ClientFinding]:
    yield from _too_early(chain)
    yield from _in_vain(chain)
    yield from _hammered(chain)
    first = chain[0]
    if len(chain) == 1 and (first.status in TRANSIENT or first.status >= SERVER_ERROR):
        yield ClientFinding("gave_up", f"gave up after one {_status(first)}", (first.id,))


def _too_early(chain: Chain) -> Iterator[ClientFinding]:
    for failed, retry in pairwise(chain):
        waited = retry.time - failed.end
        if failed.retry_after is not None and waited < failed.retry_after - TOLERANCE:
            asked = f"{failed.retry_after:g} s"
            message = f"retried a {_status(failed)} after {waited:.2f} s, where Retry-After had asked for {asked}"
            yield ClientFinding("retried_too_early", message, (failed.id, retry.id))


def _in_vain(chain: Chain) -> Iterator[ClientFinding]:
    final = [(failed, retry) for failed, retry in pairwise(chain) if failed.status in FINAL and _again(failed, retry)]
    if final:
        statuses = " and ".join(sorted({_status(failed) for failed, _ in final}))
        times = "once" if len(final) == 1 else f"{len(final)} times"
        message = f"retried a {statuses} {times}, which the same request gets again"
        yield ClientFinding("retried_in_vain", message, (final[0][0].id, *(retry.id for _, retry in final)))


def _again(failed: Entry, retry: Entry) -> bool:
    """Return whether a retry mends nothing: a fingerprint leaves out metadata, the model, and what was refused."""
    same = (failed.metadata, failed.model) == (retry.metadata, retry.model)
    return same and (failed.error != "unsupported_parameter" or failed.param == retry.param)


def _hammered(chain: Chain) -> Iterator[ClientFinding]:
    """Find the stretches of a chain in which the client did not pause, and was not told that it need not."""
    stretch = chain[:1]
    for failed, retry in pairwise([*chain, None]):
        if failed is not None and retry is not None and _is_hasty(failed, retry):
            stretch.append(retry)
            continue
        if len(stretch) - 1 > MOST_HASTY:
            seconds = stretch[-1].time - stretch[0].end
            message = f"sent the same request {len(stretch) - 1} times again within {seconds:.2f} s"
            yield ClientFinding("hammered", message, tuple(entry.id for entry in stretch))
        stretch = [retry] if retry else []


def _is_hasty(failed: Entry, retry: Entry) -> bool:
    waited = retry.time - failed.end
    allowed = failed.retry_after is not None and waited >= failed.retry_after - TOLERANCE
    return waited < PAUSE and not allowed


def _status(entry: Entry) -> str:
    return str(entry.status) if entry.status else "cut connection"


def _without_effect(entries: Sequence[Entry]) -> Iterator[ClientFinding]:
    """Find the parameters that were sent and ignored, or refused under `--unsupported reject`."""
    senders: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        refused = [entry.param] if entry.error == "unsupported_parameter" and entry.param else []
        for parameter in (*entry.ignored, *refused):
            senders[parameter].append(entry.id)
    for parameter, ids in senders.items():
        if parameter == "stream":
            message = "asked for a stream; the API sends one JSON body, in which iterating a stream finds nothing"
            yield ClientFinding("streamed", message, tuple(ids))
        else:
            message = f"sent {parameter}, which has no effect"
            yield ClientFinding("parameter_without_effect", message, tuple(ids))
