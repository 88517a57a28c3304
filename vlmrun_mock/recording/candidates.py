"""The recordings that can be asked for again: read from fixture files, each with the reason where it cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlmrun_mock.api.chat_completion import with_content
from vlmrun_mock.api.request import PART_NAMES
from vlmrun_mock.display import escaped
from vlmrun_mock.documents.identity import Document
from vlmrun_mock.fixtures.bodies import DocumentBody, FixtureBody
from vlmrun_mock.fixtures.domains import Domains
from vlmrun_mock.fixtures.errors import FixtureError
from vlmrun_mock.fixtures.fixture import Fixture, FixtureAnswer
from vlmrun_mock.fixtures.folders import fixture_files, real_folders
from vlmrun_mock.fixtures.format import parse
from vlmrun_mock.fixtures.loader import FixtureBuilder
from vlmrun_mock.fixtures.match import Match
from vlmrun_mock.recording import job_writer
from vlmrun_mock.recording.comparison import JSON, ComparableAnswer, comparable, read
from vlmrun_mock.recording.jobs import is_job
from vlmrun_mock.recording.upstream import CHAT, REDIRECTS

REFUSALS = REDIRECTS | {401, 402, 403, 429, 502, 503, 504}
"""Statuses that say something of the address, of the key and its limits, or of the hour, and nothing of the answer."""

HASHED = "sha256:"
"""The beginning of the identity of a document whose bytes were sent."""

USUAL_KIND = "image_url"
"""The kind of a document that a recording does not name."""


class NotComparable(ValueError):
    """A fixture of which it is not known whether the API still answers the same; the message says why."""


@dataclass(frozen=True, slots=True)
class RecordedExchange:
    """A recorded request and its answer: what identifies it, what is known of its documents, and the model's name."""

    match: Match
    documents: tuple[Document, ...]
    answer: ComparableAnswer
    model: object
    contents: tuple[tuple[str | int, ...], ...] | None = None
    path: str = CHAT
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fixture file: its folder as it was given, its name in there, and its recording, or why it cannot be asked."""

    folder: Path
    name: str
    recorded: RecordedExchange | None
    reason: str = ""


def read_all(folders: Sequence[Path], domains: Domains) -> list[Candidate]:
    """Return the candidates in the .json files of folders and below, each file once."""
    roots = real_folders(folders)
    found: dict[Path, Candidate] = {}
    for folder, root in zip(folders, roots, strict=True):
        for path in fixture_files(root):
            if path not in found:
                builder = FixtureBuilder(escaped(path.relative_to(root).as_posix()), domains, path.parent, roots)
                found[path] = _candidate(folder, path, builder)
    return list(found.values())


def sizes(wanted: Sequence[Candidate]) -> set[int] | None:
    """Return how many bytes the documents of recordings have; None if that is not known of all."""
    found = [document for each in wanted if each.recorded for document in each.recorded.documents]
    hashed = {document.size for document in found if document.identity.startswith(HASHED)}
    return None if None in hashed else {size for size in hashed if size is not None}


def _candidate(folder: Path, path: Path, builder: FixtureBuilder) -> Candidate:
    try:
        body = parse(builder.raw(path), builder.name)
        return Candidate(folder, builder.name, _recorded(body, builder.fixture(body, origin=1)))
    except FixtureError as error:
        place = f"{error.place}: " if error.place else ""
        return Candidate(folder, builder.name, None, f"it does not load: {place}{error.reason}")
    except NotComparable as reason:
        return Candidate(folder, builder.name, None, str(reason))


def _recorded(body: FixtureBody, fixture: Fixture) -> RecordedExchange:
    """Return the recording in a fixture; raises NotComparable for what was never recorded."""
    match, answer = fixture.match, fixture.answers[0]
    if not match.is_whole:
        parts = {
            "domain": match.domain,
            "documents": match.documents,
            **{name: getattr(match.parts, name) for name in PART_NAMES if name != "places"},
        }
        missing = ", ".join(name for name, value in parts.items() if value is None)
        raise NotComparable(f"it is no recording: its match says nothing of {missing}")
    if len(fixture.answers) > 1 or answer.merged:
        raise NotComparable("it is no recording: its answer is scripted")
    completion = with_content(answer.completion, answer.content, answer.usage) if answer.completion else None
    model = body.asked.model if body.asked else (completion or {}).get("model")
    documents, answered = _documents(body, match), _answered(answer, completion)
    if not is_job(completion or {}):
        return RecordedExchange(match, documents, answered, model, _contents(body))
    if body.asked is None or body.asked.path not in job_writer.PATHS:
        raise NotComparable("it does not say how its prediction was asked for: record it again")
    return RecordedExchange(match, documents, answered, model, path=body.asked.path, name=body.asked.name)


def _contents(body: FixtureBody) -> tuple[tuple[str | int, ...], ...] | None:
    """Return what the messages hold, if the file says where the documents stand."""
    messages = body.match.messages
    return None if messages is None or body.match.places is None else tuple(message.parts for message in messages)


def _documents(body: FixtureBody, match: Match) -> tuple[Document, ...]:
    """Return the documents of a match with what its file knows of them."""
    known = {each.identity: each for each in body.match.documents or () if not isinstance(each, str)}
    return tuple(_document(identity, known.get(identity)) for identity in match.documents or ())


def _document(identity: str, known: DocumentBody | None) -> Document:
    if known is None:
        return Document(identity, USUAL_KIND)
    return Document(identity, known.kind or USUAL_KIND, known.media_type, known.size, filename=known.filename)


def _answered(answer: FixtureAnswer, completion: Mapping[str, Any] | None) -> ComparableAnswer:
    """Return what a fixture answers; raises NotComparable where it leaves some of that to the mock."""
    if completion and answer.status:
        return comparable(answer.status, JSON, completion)
    error = answer.error
    if error is None or error.body is None:
        lacking = "error has no body" if error else f"answer has no {'status' if completion else 'completion'}"
        raise NotComparable(f"it is no recording: its {lacking}")
    if error.status in REFUSALS:
        raise NotComparable(f"its answer is a refusal ({error.status}), which cannot be asked for")
    content_type = next((value for name, value in error.headers.items() if name.lower() == "content-type"), "")
    if content_type.startswith("text/event-stream"):
        raise NotComparable("its answer is a stream, and drift asks for none")
    return comparable(error.status, content_type, read(error.body))
