"""The domains that VLM Run documents: their names, schemas and packaged fixtures."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlmrun_mock.schema import Violation, explainer

if TYPE_CHECKING:
    from vlmrun_mock.fixture_file import FixtureBody

ALIASES: Mapping[str, str] = {
    "aerospace.remote_sensing": "aerospace.remote-sensing",
    "document.aadhaar-card": "document.in-aadhaar-card",
    "document.pan-card": "document.in-pan-card",
    "document.rfp": "document.request-for-proposal",
    "document.w2-form": "accounting.form-w2",
    "healthcare.medical_insurance_card": "healthcare.medical-insurance-card",
    "media.nba_game_state": "media.nba-game-state",
    "media.nfl_game_state": "media.nfl-game-state",
}
"""Old spellings that client code still sends, and the domains that they mean now."""

WORD = 4
"""How many characters a misspelt domain's last word has at least, to be looked for in others: fewer are in any."""


class Domain:
    """One kind of input: its id, and its schema and packaged answer, read when first asked for."""

    def __init__(self, id: str, folder: Path) -> None:  # noqa: A002 - the word that the API and its users know
        self.id = id
        self._folder = folder

    @cached_property
    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the domain's answers."""
        schema: dict[str, Any] = json.loads((self._folder / "schema.json").read_text(encoding="utf-8"))
        return schema

    @cached_property
    def fixture(self) -> FixtureBody:
        """Return the packaged fixture."""
        from vlmrun_mock import fixture_file  # noqa: PLC0415 - heavy (pydantic): imported when first needed

        return fixture_file.read(self._folder / "answer.json", self.fixture_name)

    @cached_property
    def violation(self) -> Callable[[object], Violation | None]:
        """Return what says of an answer what is wrong with it by the schema, or None."""
        return explainer(self.schema)

    @property
    def fixture_name(self) -> str:
        """Return what the packaged fixture is called in headers and logs."""
        return f"{self.id}/answer.json"

    @property
    def content(self) -> dict[str, Any]:
        """Return the packaged answer: a JSON object that is valid against the schema."""
        answer = self.fixture.answer
        if answer is None or not isinstance(answer.content, dict):
            raise TypeError(f"the packaged fixture of {self.id} has no content object")
        return answer.content

    @property
    def description(self) -> str:
        """Return one line on what the domain is for."""
        return self.fixture.description or self.id


class Domains:
    """All packaged domains, by id."""

    def __init__(self, folder: Path) -> None:
        self._domains = {
            entry.name: Domain(entry.name, entry)
            for entry in sorted(folder.iterdir())
            if (entry / "schema.json").exists()
        }
        self._folder = folder

    def names(self) -> list[str]:
        """Return every id, sorted."""
        return list(self._domains)

    @cached_property
    def hub(self) -> dict[str, Any]:
        """Return the vlmrun-hub release that was exported: its `version` and its `domains`."""
        exported: dict[str, Any] = json.loads((self._folder / "vlmrun-hub.json").read_text(encoding="utf-8"))
        return exported

    def canonical(self, name: str | None) -> str | None:
        """Return today's spelling of a domain."""
        return ALIASES.get(name, name) if name else None

    def get(self, name: str) -> Domain | None:
        """Return a domain by any of its spellings."""
        return self._domains.get(ALIASES.get(name, name))

    def closest(self, name: str, others: Iterable[str] = ()) -> list[str]:
        """Return up to three ids, known or of the `others`, that a misspelt one may have meant, the closest first."""
        asked = name.lower().replace("_", "-")[:100]
        by_spelling = difflib.get_close_matches(asked, [*self._domains, *ALIASES, *others], n=3, cutoff=0.5)
        last_word = asked.rsplit(".", 1)[-1]
        by_word = [known for known in self._domains if len(last_word) >= WORD and last_word in known]
        return list(dict.fromkeys(ALIASES.get(known, known) for known in [*by_spelling, *by_word]))[:3]


def packaged() -> Domains:
    """Return the domains that come with the package; in a checkout they stand beside it."""
    package = Path(__file__).parent
    installed = package / "packaged"
    return Domains(installed if installed.is_dir() else package.parent / "fixtures")
