"""What the cases were answered with, in a file, and how an answer differs from that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from difflib import unified_diff
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.corpus.answer import Answer

FILE = Path(__file__).with_name("recorded.json")

SHOWN = 100
"""Characters of a body that the file keeps for the reader."""

ENVELOPE = '"message":{"role":"assistant","content":"'
"""What is the same at the beginning of nearly every completion, up to where its content begins."""

PACKAGES = (
    "faker",
    "graphql-core",
    "httpx2",
    "imagesize",
    "jsonschema-rs",
    "pydantic",
    "pydantic-core",
    "rstr",
    "starlette",
    "tiktoken",
    "uvicorn",
)
"""What is said or drawn otherwise by other releases of the packages that it comes from."""


@dataclass(frozen=True, slots=True)
class Record:
    """An answer as the file keeps it: its body by its SHA-256, and how that, or the content in it, begins."""

    status: int
    ending: str
    headers: tuple[str, ...]
    sha256: str
    begins: str

    @classmethod
    def of(cls, answer: Answer) -> Record:
        """Return the record of an answer."""
        return cls(
            status=answer.status,
            ending=answer.ending,
            headers=answer.headers,
            sha256=hashlib.sha256(answer.body).hexdigest(),
            begins=_beginning(answer.body.decode(errors="replace")),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the record as data, without what is as usual."""
        data = asdict(self)
        if self.ending == "whole":
            del data["ending"]
        return {**data, "headers": "\n".join(self.headers)}

    def differences(self, other: Record) -> Iterator[str]:
        """Yield in lines what is not as in another, older record."""
        if (other.status, other.ending) != (self.status, self.ending):
            yield f"the status is {self.status} ({self.ending}), and was {other.status} ({other.ending})"
        if other.headers != self.headers:
            yield "the headers have changed:"
            yield from list(unified_diff(other.headers, self.headers, lineterm="", n=99))[3:]
        if other.sha256 != self.sha256:
            yield "the body has changed, and begins, or the content in it:"
            yield f"-{other.begins}"
            yield f"+{self.begins}"


@dataclass(frozen=True, slots=True)
class Recording:
    """The records by the names of their answers, and the releases of the packages that they were made with."""

    versions: Mapping[str, str]
    records: Mapping[str, Record]

    def save(self, path: Path = FILE) -> None:
        """Write the file."""
        answers = [f"{_written(name)}: {_written(each.as_json())}" for name, each in self.records.items()]
        lines = ['{"versions":', _written(self.versions), ',"answers": {', ",\n".join(answers), "}}", ""]
        path.write_text("\n".join(lines), encoding="utf-8")

    @classmethod
    def load(cls, path: Path = FILE) -> Recording:
        """Read the file."""
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(data["versions"], {name: _record(each) for name, each in data["answers"].items()})


def _record(data: Mapping[str, Any]) -> Record:
    return Record(**{"ending": "whole", **data, "headers": tuple(data["headers"].splitlines())})


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _beginning(text: str) -> str:
    return (text.partition(ENVELOPE)[2] or text)[:SHOWN]


def versions() -> dict[str, str]:
    """Return the releases that are installed."""
    return {name: version(name) for name in PACKAGES}
