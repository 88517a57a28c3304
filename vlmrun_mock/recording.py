"""What the upstream said, as a fixture: made, proven to answer as the upstream did, and written whole or not at all."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vlmrun_mock import secret
from vlmrun_mock.chat_completion import replayed
from vlmrun_mock.chat_request import ChatRequest
from vlmrun_mock.documents import Document
from vlmrun_mock.domains import Domains
from vlmrun_mock.fixture_error import FixtureError
from vlmrun_mock.fixture_file import LAYOUTS, is_completion, parse, written
from vlmrun_mock.fixture_folder import FixtureBuilder
from vlmrun_mock.fixtures import Fixture
from vlmrun_mock.secret import Redaction

WRITTEN_HEADERS = ("content-type", "retry-after", "retry-after-ms", "x-should-retry")
"""The headers of an answer that are passed on, and written down with an error; no other ever is."""

SUCCESSFUL = range(200, 300)

USUAL_LAYOUT = "compact"

LONGEST_SLUG = 40
LONGEST_DOMAIN = 100
HASH_DIGITS = 10
TEMPORARY = ".tmp"
"""How the name of a file ends that is being written; it starts with a dot, so that nothing loads it."""

_numbers = itertools.count(1)


class NotRecordable(ValueError):
    """An answer that cannot be written down as a fixture; the message says why."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the upstream answered: its status, the headers that are passed on, its body, and the seconds that it took.

    `complete` is false where the connection ended before the body did; `declared` is how long that was to be.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    complete: bool = True
    declared: int | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """A fixture to be written: its file's path in the folder, its text, and how many secrets were replaced in it."""

    name: str
    text: str
    replaced: int


def record(
    request: ChatRequest, said: Said, domains: Domains, *, keys: Collection[str], errors: bool = False
) -> Recording:
    """Return the fixture that answers a request as the upstream did; raises NotRecordable.

    The request has its domain in the present spelling. `keys` are secrets that are known, besides what looks like one;
    `errors`: what is no chat completion is recorded, too.
    """
    try:
        return _recording(request, said, domains, keys, errors=errors)
    except RecursionError:
        raise NotRecordable("the answer is nested too deeply") from None


def _recording(request: ChatRequest, said: Said, domains: Domains, keys: Collection[str], *, errors: bool) -> Recording:
    if not said.complete:
        raise NotRecordable("the answer is not whole")
    redaction = Redaction(keys)
    match = _match(request)
    _expect_no_secret(match, redaction)
    completion = _completion(said)
    if completion is not None:
        answer = _answer(said, completion, redaction)
    elif errors:
        answer = {"error": _error(said, redaction)}
    else:
        raise NotRecordable(f"{_kind(said)}; --record-errors records it all the same")
    answer["took_ms"] = round(said.seconds * 1000)
    text = json.dumps({"match": match, "answer": answer}, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    if redaction.holds_known(text):
        raise NotRecordable("the request itself holds the key")
    recording = Recording(name_of(request), text, redaction.replaced)
    _prove(recording, request, domains, completion and redacted_completion(completion, Redaction(keys)))
    return recording


def name_of(request: ChatRequest) -> str:
    """Return the path of a request's recording in its folder: `<domain>/<short text>-<short hash>.json`."""
    folder = re.sub(r"[^a-z0-9_-]+", ".", (request.domain or "no-domain").lower()).strip(".")[:LONGEST_DOMAIN]
    names = [document.filename for document in request.documents if document.filename]
    slug = next(filter(None, map(_slug, (request.text, *names))), "request")
    return f"{folder or 'domain'}/{slug}-{request.fingerprint[:HASH_DIGITS]}.json"


def write(folder: Path, recording: Recording) -> None:
    """Write a fixture into its folder, whole or not at all; raises OSError."""
    target = folder / recording.name
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{next(_numbers)}{TEMPORARY}")
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            file.write(recording.text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _slug(text: str) -> str:
    """Return the first words of a text in plain small letters."""
    plain = unicodedata.normalize("NFKD", text[:1_000]).encode("ascii", "ignore").decode().lower()
    slug = ""
    for word in re.findall(r"[a-z0-9]+", plain):
        if slug and len(slug) + len(word) >= LONGEST_SLUG:
            break
        slug = f"{slug}-{word}" if slug else word[:LONGEST_SLUG]
    return slug


def _match(request: ChatRequest) -> dict[str, Any]:
    """Return all that identifies a request, in the format of a fixture file."""
    return {
        "domain": request.domain or "",
        "documents": [_document(document) for document in request.documents],
        **request.particulars,
    }


def _document(document: Document) -> dict[str, Any]:
    known = {name: value for name, value in asdict(document).items() if name not in ("width", "height")}
    if document.kind == "image_url":
        del known["kind"]
    return {name: value for name, value in known.items() if value is not None}


def _expect_no_secret(match: Mapping[str, Any], redaction: Redaction) -> None:
    """Raise NotRecordable for a request that could not be written down as it is."""
    if redaction.holds_known(json.dumps(match, ensure_ascii=False)):
        raise NotRecordable("the request itself holds the key")
    found = next(secret.found_in(match), None)
    if found:
        raise NotRecordable(f"the request holds what looks like {found.kind}, at {'.'.join(map(str, found.place))}")


def _completion(said: Said) -> dict[str, Any] | None:
    """Return the body if it is a chat completion, else None."""
    if said.status not in SUCCESSFUL:
        return None
    try:
        body = json.loads(said.body)
    except (ValueError, RecursionError):
        return None
    return body if is_completion(body) else None


def _kind(said: Said) -> str:
    media_type = said.headers.get("content-type", "no content type").partition(";")[0]
    return f"the answer is no chat completion ({said.status}, {media_type})"


def _text(completion: Mapping[str, Any]) -> str | None:
    text = completion["choices"][0]["message"].get("content")
    return text if isinstance(text, str) else None


def redacted_completion(completion: Mapping[str, Any], redaction: Redaction) -> dict[str, Any]:
    """Return a body as it will be answered: without secrets, in the JSON that its content may be, too."""
    text = _text(completion)
    body = redaction.value(_without_text(completion))
    return replayed(body, _redacted_text(text or "", redaction)[0], {})


def _without_text(completion: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body without the text of its first choice's message; anything else in its place is left."""
    if _text(completion) is None:
        return dict(completion)
    first, *others = completion["choices"]
    message = {name: value for name, value in first["message"].items() if name != "content"}
    return {**completion, "choices": [{**first, "message": message}, *others]}


def _redacted_text(text: str, redaction: Redaction) -> tuple[str, Any]:
    """Return a content without secrets, and the object or list that it is JSON of, or None."""
    text = redaction.text(text)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text, None
    if not isinstance(value, (dict, list)):
        return text, None
    before = redaction.replaced
    value = redaction.value(value)
    return (written(value) if redaction.replaced > before else text), value


def _answer(said: Said, completion: Mapping[str, Any], redaction: Redaction) -> dict[str, Any]:
    text, value = _redacted_text(_text(completion) or "", redaction)
    answer: dict[str, Any] = {"status": said.status}
    if value is None or not _is_readable(text, value):
        answer["content"] = text
    else:
        answer |= {"content": value, **_layout(text, value)}
    return {**answer, "completion": redaction.value(_without_text(completion))}


def _layout(text: str, value: Any) -> dict[str, str]:
    """Return what the text of a content is like besides what it says, in the format of a fixture's answer."""
    found = next((layout for layout in LAYOUTS if written(value, layout) == text), None)
    if found is None:
        return {"verbatim": text}
    return {} if found == USUAL_LAYOUT else {"layout": found}


def _is_readable(text: str, value: Any) -> bool:
    """Return whether content can stand in a file as JSON: not with a key that stands twice, or with NaN."""
    try:
        written(value)
        json.loads(text, object_pairs_hook=_unique)
    except ValueError:
        return False
    return True


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _error(said: Said, redaction: Redaction) -> dict[str, Any]:
    try:
        text = said.body.decode()
    except UnicodeDecodeError:
        raise NotRecordable(f"{_kind(said)}, and its body is no text") from None
    text, value = _redacted_text(text, redaction)
    headers = {name: value for name, value in said.headers.items() if name in WRITTEN_HEADERS}
    body = text if value is None or not _is_readable(text, value) else value
    return {"status": said.status, "message": f"Recorded: {said.status}", "headers": headers, "body": body}


def _prove(
    recording: Recording, request: ChatRequest, domains: Domains, completion: Mapping[str, Any] | None
) -> Fixture:
    """Return the fixture as it will be loaded; raises NotRecordable if that would answer anything else."""
    try:
        body = parse(recording.text.encode(), recording.name)
        fixture = FixtureBuilder(recording.name, domains).fixture(body, origin=1)
    except (FixtureError, UnicodeEncodeError) as error:
        raise NotRecordable(f"it cannot be written as a fixture: {error}") from None
    differences = fixture.match.difference(request)
    if differences:
        raise NotRecordable(f"the fixture would not match: {differences[0].message}")
    answer = fixture.answers[0]
    if completion is not None and replayed(answer.completion or {}, answer.content, {}) != completion:
        raise NotRecordable("the fixture would not answer the same")
    return fixture
