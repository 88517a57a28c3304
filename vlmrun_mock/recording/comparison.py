"""An answer as it is compared with another one: apart from its content, and told by shape and by value."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vlmrun_mock.api.answer import UpstreamResponse
from vlmrun_mock.api.chat_completion import SUCCESSFUL, is_completion, split_content
from vlmrun_mock.recording import json_diff
from vlmrun_mock.recording.json_diff import Change, shape_changes, value_changes
from vlmrun_mock.recording.recording import redacted_completion
from vlmrun_mock.redaction import Redaction

JSON = "application/json"

VARYING = re.compile(r"(?:.*[_-])?id|.*[a-z]I[dD]|created(?:_at)?")
"""Keys around the content whose values are others in each answer."""


@dataclass(frozen=True, slots=True)
class ComparableAnswer:
    """An answer: its status, its media type, and its `parts`.

    These are the `completion` and, if it has one, its `content`; of what is no chat completion, the `body`.
    """

    status: int
    media_type: str
    parts: Mapping[str, Any]

    @property
    def is_completion(self) -> bool:
        """Return whether it is a chat completion."""
        return "completion" in self.parts

    @property
    def kind(self) -> str:
        """Return in words whether it is one."""
        return "a chat completion" if self.is_completion else "no chat completion"

    @property
    def excerpt(self) -> str:
        """Return how the body of what is no chat completion begins."""
        return json_diff.excerpt(self.parts.get("body"))


def comparable_response(response: UpstreamResponse, redaction: Redaction) -> ComparableAnswer:
    """Return an answer of the upstream, without what recordings leave out as a secret."""
    content_type = response.headers.get("content-type", "")
    body = _json(response.body)
    if response.status in SUCCESSFUL and is_completion(body):
        return comparable(response.status, content_type, redacted_completion(body, redaction))
    text = redaction.text(response.body.decode(errors="replace"))
    return comparable(response.status, content_type, redaction.value(read(text)))


def comparable(status: int, content_type: str, body: Any) -> ComparableAnswer:
    """Return an answer whose body has been read."""
    media_type = content_type.partition(";")[0].strip().lower()
    parts = _parts(body) if status in SUCCESSFUL and is_completion(body) else {"body": body}
    return ComparableAnswer(status, media_type, parts)


def read(text: str) -> Any:
    """Return the object or list that a text is JSON of, else the text."""
    value = _json(text)
    return text if value is None else value


def _json(text: str | bytes) -> Any:
    """Return the object or list that a text is JSON of, else None; what is no number of JSON is read as a text."""
    try:
        value = json.loads(text, parse_constant=str, parse_float=_number)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, (dict, list)) else None


def _number(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def _parts(completion: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body, and apart from it the content of its first choice, read as the JSON that it may be."""
    rest, text = split_content(completion)
    content = rest["choices"][0]["message"].pop("content", text)
    return {"completion": rest, "content": read(content) if isinstance(content, str) else content}


def compared(recorded: ComparableAnswer, now: ComparableAnswer) -> tuple[list[Change], list[Change]]:
    """Return where the shape of an answer is not as recorded, and where only its values are not."""
    found = [*_changes_of_kind(recorded, now)]
    if recorded.is_completion != now.is_completion:
        return found, []
    before, after = dict(recorded.parts), dict(now.parts)
    for name in recorded.parts:
        forms = _form(before[name]), _form(after.get(name))
        if None not in forms and forms[0] != forms[1]:
            found.append(Change((name,), *forms, f"{name} is {forms[1]}, and was {forms[0]}"))
            del before[name], after[name]
    found += shape_changes([before], [after])
    values = value_changes(before, after, {change.place for change in found})
    return found, [change for change in values if not _varies(change)]


def _changes_of_kind(recorded: ComparableAnswer, now: ComparableAnswer) -> Iterator[Change]:
    """Yield where an answer is of another kind than the recorded one: by its status, its media type, or its whole."""
    if recorded.status != now.status:
        said = "" if now.is_completion else f": {now.excerpt}"
        message = f"the status is {now.status}, and was {recorded.status}{said}"
        yield Change(("status",), recorded.status, now.status, message)
    elif recorded.is_completion != now.is_completion:
        yield Change(("completion",), recorded.kind, now.kind, f"the answer is {now.kind}, and was {recorded.kind}")
    if recorded.media_type != now.media_type:
        message = f"the content type is {now.media_type or 'none'}, and was {recorded.media_type or 'none'}"
        yield Change(("content-type",), recorded.media_type, now.media_type, message)


def _form(value: Any) -> str | None:
    return "text" if isinstance(value, str) else None if value is None else "JSON"


def _varies(change: Change) -> bool:
    key = next((step for step in reversed(change.place) if isinstance(step, str)), "")
    return change.place[:1] != ("content",) and bool(VARYING.fullmatch(key))
