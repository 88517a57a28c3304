"""Agents: what a client created, and one that is there from the start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from vlmrun_mock.mock.records import Records


class Agent(msgspec.Struct, frozen=True):
    """One agent; `created` is in seconds since 1970."""

    id: str
    name: str
    description: str
    prompt: str
    schema: Mapping[str, Any] | None
    sample: Mapping[str, Any] | None
    created: float


class Agents:
    """The agents of one key."""

    def __init__(self) -> None:
        self._records: Records[Agent] = Records()

    def add(self, agent: Agent) -> Agent:
        """Keep an agent."""
        return self._records.add(agent.id, agent)

    def newest_first(self) -> list[Agent]:
        """Return all agents."""
        return self._records.newest_first()

    def get(self, agent_id: str) -> Agent | None:
        """Return an agent by its id."""
        return self._records.get(agent_id)

    def named(self, name: str) -> Agent | None:
        """Return the newest agent with a name, behind which a version may stand after a colon."""
        wanted = (name, name.rpartition(":")[0])
        return next((each for each in self.newest_first() if each.name in wanted), None)

    def prompted(self, prompt: str) -> Agent | None:
        """Return the newest agent with a prompt."""
        return next((each for each in self.newest_first() if each.prompt == prompt), None)
