"""What a mock is started with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from vlmrun_mock.mock.faults import Fault
from vlmrun_mock.mock.options.option import MEBIBYTE
from vlmrun_mock.mock.options.words import (
    Clock,
    Ids,
    Latency,
    Locale,
    RecordMode,
    Streams,
    Success,
    Tools,
    UnknownDomain,
    Unsupported,
)
from vlmrun_mock.mock.rate_limit import RateLimit
from vlmrun_mock.recording.settings import VLM_RUN, UpstreamSettings


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one mock: the options of the table that are settings, by the same names and defaults.

    `fixtures` are folders, the first one winning; with `exact_documents` their pictures are known by their bytes alone.
    Without `api_keys` any non-empty key is accepted; `max_body` and
    `file_memory` are in bytes. `allow_hosts` and `allow_origins` are let in beside local hosts and web pages. A
    batch prediction is read `pending_reads` times before it is completed. `faults` and `rate_limit` are for each key
    anew. With `vary` the documented domains' answers differ by document, and are of the `locale` as far as people,
    places and currency go; `misread` is the share of values, from 0 to 1, that are spoilt.

    With `record`, what no fixture answers is asked of the `upstream`, with `upstream_key` or else the client's own, and
    the answers are written into the first folder. It stands for a recorder's mode, as in VCR: `new` asks for what is
    not there, `once` only if nothing is there at the start, `all` asks for everything again, `none` for nothing.
    `record_errors`: failures are written, too. `timeout` is how many seconds the upstream may take.
    """

    fixtures: tuple[Path, ...] = ()
    strict: bool = False
    exact_documents: bool = False
    seed: int = 0
    vary: bool = False
    locale: Locale = "en_US"
    misread: float = 0.0
    unsupported: Unsupported = "ignore"
    unknown_domain: UnknownDomain = "reject"
    success: Success = "201"
    api_keys: frozenset[str] = frozenset()
    allow_hosts: frozenset[str] = frozenset()
    allow_origins: frozenset[str] = frozenset()
    clock: Clock = "frozen"
    ids: Ids = "stable"
    max_body: int = 64 * MEBIBYTE
    file_memory: int = 256 * MEBIBYTE
    pending_reads: int = 0
    webhook_secret: str | None = field(default=None, repr=False)
    webhook_hosts: frozenset[str] = frozenset()
    faults: tuple[Fault, ...] = ()
    rate_limit: RateLimit | None = None
    latency: Latency = "scripted"
    tools: Tools = "call"
    streams: Streams = "documented"
    first_chunk_ms: int = 0
    chunks_per_second: int = 0
    record: RecordMode | None = None
    record_errors: bool = False
    upstream: str = VLM_RUN
    upstream_key: str | None = field(default=None, repr=False)
    timeout: float = 600.0

    @property
    def upstream_settings(self) -> UpstreamSettings:
        """Return what the upstream and the recorder need of the settings."""
        return UpstreamSettings(self.upstream, self.upstream_key, self.timeout, self.fixtures, self.record_errors)
