"""An upstream response as a fixture, which is proven to answer as the upstream did."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from vlmrun_mock.api.answer import UpstreamResponse
from vlmrun_mock.api.chat_completion import is_completion, split_content, with_content
from vlmrun_mock.api.request import DEFAULT_MODEL, ExtractionRequest, Message
from vlmrun_mock.documents.identity import Document
from vlmrun_mock.fixtures.domains import Domains
from vlmrun_mock.fixtures.errors import FixtureError
from vlmrun_mock.fixtures.fixture import USER_ORIGIN, Fixture
from vlmrun_mock.fixtures.format import decoded, parse
from vlmrun_mock.fixtures.loader import FixtureBuilder
from vlmrun_mock.json_text import LAYOUTS, USUAL, written
from vlmrun_mock.recording.streams import chunks_of, whole
from vlmrun_mock.recording.upstream import PASSED_ON
from vlmrun_mock.redaction import REPLACEMENT, Redaction, found_in

SUCCESSFUL = range(200, 300)

LONG_DATA = re.compile(r"(data:[\w./+;=-]{0,200};base64,)[A-Za-z0-9+/_=\s-]{100,}", re.ASCII)
"""A document in an error that repeats what it was sent."""


class NotRecordable(ValueError):
    """An answer that cannot be written down as a fixture; the message says why."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A fixture to be written, in the format of a file, and how many secrets were replaced in it."""

    data: Mapping[str, Any]
    replaced: int

    @property
    def text(self) -> str:
        """Return the text of its file; raises ValueError for a number that is no JSON."""
        return json.dumps(self.data, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def record(
    request: ExtractionRequest,
    response: UpstreamResponse,
    domains: Domains,
    *,
    keys: Collection[str],
    errors: bool = False,
    asked: Mapping[str, str] = {},
) -> Recording:
    """Return the fixture that answers a request as the upstream did; raises NotRecordable.

    The request has its domain in the present spelling. `keys` are secrets that are known, besides what looks like one;
    `errors`: what is no chat completion is recorded, too. `asked` is kept to ask for the same again.
    """
    beside = {**({} if request.model == DEFAULT_MODEL else {"model": request.model}), **asked}
    try:
        return _recording(request, beside, response, domains, Redaction(keys), errors=errors)
    except RecursionError:
        raise NotRecordable("the answer is nested too deeply") from None


def _recording(
    request: ExtractionRequest,
    beside: Mapping[str, str],
    response: UpstreamResponse,
    domains: Domains,
    redaction: Redaction,
    *,
    errors: bool,
) -> Recording:
    if not response.complete:
        raise NotRecordable("the answer is not whole")
    asked = {"match": _match(request), **({"asked": beside} if beside else {})}
    _expect_no_secret(asked, redaction)
    stream, response = response, whole(response)
    completion, replay = _completion(response), None
    if completion is not None:
        rest, text = split_content(completion)
        rest, content = redaction.value(rest), _content(text or "", redaction)
        answer = {"status": response.status, **content.as_json(), "completion": rest}
        replay = with_content(rest, content.text, {})
        if stream is not response and content.text == text:
            answer["chunks"] = chunks_of(stream)
    elif errors:
        answer = {"error": _error(response, redaction)}
    else:
        raise NotRecordable(f"{_kind(response)}; --record-errors records it all the same")
    answer["took_ms"] = round(response.seconds * 1000)
    if redaction.holds_known(answer):
        raise NotRecordable("the answer holds the key in a spelling that cannot be taken out of it")
    recording = Recording({**asked, "answer": answer}, redaction.replaced)
    _prove(recording, request, domains, replay)
    return recording


def redacted_completion(completion: Mapping[str, Any], redaction: Redaction) -> dict[str, Any]:
    """Return a body as it will be answered: without secrets, in the JSON that its content may be, too."""
    rest, text = split_content(completion)
    return with_content(redaction.value(rest), _content(text or "", redaction).text, {})


def fixture_of(raw: bytes, name: str, domains: Domains) -> Fixture:
    """Return the fixture in the text of a recording's file; raises FixtureError."""
    return FixtureBuilder(name, domains).fixture(parse(raw, name), USER_ORIGIN)


def _match(request: ExtractionRequest) -> dict[str, Any]:
    """Return all that identifies a request, in the format of a fixture file."""
    parts = {name: value for name, value in request.parts.given().items() if name != "places"}
    return {
        "domain": request.domain or "",
        "documents": [_document(document) for document in request.documents],
        **parts,
        "messages": list(_messages(request.messages)),
    }


def _messages(messages: Collection[Message]) -> Iterator[dict[str, Any]]:
    """Yield messages with the documents in their places, by number."""
    number = 0
    for message in messages:
        content: list[Any] = list(message.texts)
        for inserted, place in enumerate(message.places):
            number += 1
            content.insert(place + inserted, {"document": number})
        yield {**message.as_json(), **({"content": content} if message.places else {})}


def _document(document: Document) -> dict[str, Any]:
    known = {name: value for name, value in asdict(document).items() if name not in ("width", "height")}
    if document.kind == "image_url":
        del known["kind"]
    return {name: value for name, value in known.items() if value is not None}


def _expect_no_secret(asked: Mapping[str, Any], redaction: Redaction) -> None:
    """Raise NotRecordable for a request that could not be written down as it is."""
    if redaction.holds_known(asked):
        raise NotRecordable("the request itself holds the key")
    found = next(found_in(asked), None)
    if found:
        place = ".".join(map(str, found.place)).removeprefix("match.")
        raise NotRecordable(f"the request holds what looks like {found.kind}, at {place}")


def _completion(response: UpstreamResponse) -> dict[str, Any] | None:
    """Return the body if it is a chat completion, else None."""
    if response.status not in SUCCESSFUL:
        return None
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    return body if is_completion(body) else None


def _kind(response: UpstreamResponse) -> str:
    media_type = response.headers.get("content-type", "no content type").partition(";")[0]
    return f"the answer is no chat completion ({response.status}, {media_type})"


@dataclass(frozen=True, slots=True)
class _Content:
    """A text without secrets; where a file can hold it as JSON, its `value`, and how that is written as the text."""

    text: str
    value: Any = None
    layout: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the content in the format of a fixture's answer."""
        return {"content": self.text if self.value is None else self.value, **self.layout}


def _content(text: str, redaction: Redaction) -> _Content:
    text = redaction.text(text)
    value = _readable(text)
    if value is None:
        return _Content(text)
    layout, before = _layout(text, value), redaction.replaced
    value = redaction.value(value)
    if redaction.replaced > before:
        layout.pop("verbatim", None)
        text = written(value, layout.get("layout", USUAL))
    return _Content(text, value, layout)


def _readable(text: str) -> Any:
    """Return the object or list that a text is the JSON of, if it can stand in a fixture's file; else None."""
    try:
        # As deep as it will stand in the file.
        ((((value,),),),) = decoded(f"[[[[{text}]]]]".encode(), "")
    except (FixtureError, ValueError, RecursionError):
        return None
    return value if isinstance(value, (dict, list)) else None


def _layout(text: str, value: Any) -> dict[str, str]:
    """Return what the text of a content is like besides what it says, in the format of a fixture's answer."""
    found = next((layout for layout in LAYOUTS if written(value, layout) == text), None)
    if found is None:
        return {"verbatim": text}
    return {} if found == USUAL else {"layout": found}


def _error(response: UpstreamResponse, redaction: Redaction) -> dict[str, Any]:
    try:
        text = response.body.decode()
    except UnicodeDecodeError:
        raise NotRecordable(f"{_kind(response)}, and its body is no text") from None
    content = _content(LONG_DATA.sub(rf"\1{REPLACEMENT}", text), redaction)
    headers = {name: redaction.text(value) for name, value in response.headers.items() if name in PASSED_ON}
    body = content.text if content.value is None else content.value
    return {"status": response.status, "message": f"Recorded: {response.status}", "headers": headers, "body": body}


def _prove(
    recording: Recording, request: ExtractionRequest, domains: Domains, replay: Mapping[str, Any] | None
) -> None:
    """Raise NotRecordable unless the fixture loads, matches the request, and answers as expected."""
    try:
        fixture = fixture_of(recording.text.encode(), "recording", domains)
    except FixtureError as error:
        raise NotRecordable(f"it cannot be written as a fixture: {error.place}: {error.reason}") from None
    except ValueError as error:  # a number or half a character that is no JSON
        raise NotRecordable(f"it cannot be written as JSON: {error}") from None
    differences = fixture.match.difference(request)
    if differences:
        raise NotRecordable(f"the fixture would not match: {differences[0].message}")
    answer = fixture.answers[0]
    if replay is not None and with_content(answer.completion or {}, answer.content, {}) != replay:
        raise NotRecordable("the fixture would not answer the same")
