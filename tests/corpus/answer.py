"""An answer as it is compared: without what is never the same twice."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from vlmrun_mock import __version__

FILES = "<files>"
"""What stands for the path where an answer is the files of a folder."""

VERSION = {rf'version":"{re.escape(__version__)}"': 'version":"<version>"'}

BY_PATH: Mapping[str, Mapping[str, str]] = {
    "/_mock/requests": {r'"(time|seconds)":[0-9.e+-]+': r'"\1":0'},
    FILES: {r'"took_ms": \d+': '"took_ms": 0', r"(\[\s+\d+,\s+)\d+(\s+\])": r"\g<1>0\2"},
    "/_mock/health": VERSION,
    "/v1/schema": VERSION,
    "/v1/hub/schema": VERSION,
    "/_mock/verdict": {r"\b\d+\.\d\d s\b": "<n> s"},
}
"""What varies in the answers of some paths: times, and the version of the mock itself."""

PORT = re.compile(r"127\.0\.0\.1:\d{4,5}")
NUMBER = re.compile(r"\breq_(\d{8})\b")
METHODS = re.compile(r"\b(?:(?:DELETE|GET|HEAD|POST)(?:, )?){2,}\b")
"""The methods that a path allows: a set, which has another order in each process."""

REGISTERED = re.compile(r"\bregistered-(\d+)\b")


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, headers as lines in the order in which they were sent, and a body.

    The status is 0 where none was sent. The `ending` is `cut` where the connection ended before the answer did.
    """

    status: int
    headers: tuple[str, ...]
    body: bytes
    ending: Literal["whole", "cut"] = "whole"

    @property
    def text(self) -> str:
        """Return the body as text, which need not be valid UTF-8."""
        return self.body.decode("utf-8", "surrogateescape")


class Normalization:
    """Replaces what depends on when, where and after which other cases the requests of a case are sent.

    `before` is how many requests the server has numbered before; `folder` is where the files of the case are.
    """

    def __init__(self, answers: Sequence[Answer], before: int, folder: str, varying: Mapping[str, str]) -> None:
        self._before = before
        self._folder = folder
        self._varying = varying
        texts = [part for answer in answers for part in (*answer.headers, answer.text)]
        numbers = sorted({int(number) for text in texts for number in REGISTERED.findall(text)})
        self._places = {number: place for place, number in enumerate(numbers, 1)}

    def of(self, answer: Answer, path: str) -> Answer:
        """Return an answer of a path as it is compared."""
        varying = {**BY_PATH.get(path.partition("?")[0], {}), **self._varying}
        body = self._replaced(answer.text, varying).encode("utf-8", "surrogateescape")
        was, now = f"content-length: {len(answer.body)}", f"content-length: {len(body)}"
        headers = [self._replaced(now if line == was else line, varying) for line in answer.headers]
        return replace(answer, headers=tuple(headers), body=body)

    def _replaced(self, text: str, varying: Mapping[str, str]) -> str:
        text = PORT.sub("127.0.0.1:<port>", text.replace(self._folder, "<folder>"))
        text = NUMBER.sub(lambda found: f"req_{int(found[1]) - self._before:08d}", text)
        text = REGISTERED.sub(lambda found: f"registered-{self._places[int(found[1])]}", text)
        text = METHODS.sub(lambda found: ", ".join(sorted(found[0].split(", "))), text)
        for pattern, instead in varying.items():
            text = re.sub(pattern, instead, text)
        return text
