"""What is wrong with fixtures: one error for a file, and one for all the files of a start."""

from __future__ import annotations

from collections.abc import Sequence


class FixtureError(ValueError):
    """A fixture that cannot be used: which file, where in it, and why; `further` is where else, each with a reason."""

    def __init__(self, file: str, place: str, reason: str, further: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(f"{file}: {place}: {reason}" if place else f"{file}: {reason}")
        self.file = file
        self.place = place
        self.reason = reason
        self.further = tuple(further)


SHOWN = 20
"""How many problems a message shows."""


class FixtureFolderError(ValueError):
    """Files that do not load, one problem each; the message has a line for each of the first."""

    def __init__(self, problems: Sequence[FixtureError]) -> None:
        lines = [str(problem) for problem in problems[:SHOWN]]
        if len(problems) > SHOWN:
            lines.append(f"… and {len(problems) - SHOWN:,} more")
        super().__init__("\n".join(lines))
        self.problems = tuple(problems)
