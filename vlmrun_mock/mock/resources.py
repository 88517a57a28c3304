"""What a client created beside files and jobs, and what is there from the start; made when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from vlmrun_mock.fixtures.domains import Domains
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.files import Files
from vlmrun_mock.mock.records import Records
from vlmrun_mock.seed import Stamp

if TYPE_CHECKING:
    from vlmrun_mock.mock import agents as mock_agents
    from vlmrun_mock.mock import artifacts as mock_artifacts
    from vlmrun_mock.mock import skills as mock_skills
    from vlmrun_mock.mock.agents import Agents
    from vlmrun_mock.mock.artifacts import Artifacts
    from vlmrun_mock.mock.skills import Skills
else:
    mock_agents = lazy("vlmrun_mock.mock.agents")
    mock_artifacts = lazy("vlmrun_mock.mock.artifacts")
    mock_skills = lazy("vlmrun_mock.mock.skills")

RESUMES, INVOICES = "document.resume", "document.invoice"


class Resources:
    """The agents, skills, artifacts, feedback, datasets and trainings of one key."""

    def __init__(self, domains: Domains, stamp: Stamp, files: Files) -> None:
        self._domains, self._stamp, self._files = domains, stamp, files
        self.feedback: Records[dict[str, Any]] = Records()
        self.datasets: Records[dict[str, Any]] = Records()
        self.trainings: Records[dict[str, Any]] = Records()

    @cached_property
    def agents(self) -> Agents:
        """Return the agents; one that the clients' own tests expect is there from the start."""
        agents, domain = mock_agents.Agents(), self._domains.get(RESUMES)
        agents.add(
            mock_agents.Agent(
                id=self._stamp.seed.uuid("agent", "resume-analyzer"),
                name="resume-analyzer",
                description="Reads a resume, and returns what it says as data.",
                prompt="Extract the candidate's name, contact, experience, education and skills.",
                schema=domain.schema if domain else None,
                sample=domain.content if domain else None,
                created=self._stamp.moment(),
            )
        )
        return agents

    @cached_property
    def skills(self) -> Skills:
        """Return the skills; a public one is there from the start."""
        skills, domain = mock_skills.Skills(self._stamp), self._domains.get(INVOICES)
        skills.add(
            "invoice-extraction",
            "Extracts the fields of an invoice.",
            "Extract the fields of the invoice, as the schema names them.",
            domain.schema if domain else None,
            is_public=True,
        )
        return skills

    @cached_property
    def artifacts(self) -> Artifacts:
        """Return the artifacts."""
        return mock_artifacts.Artifacts(self._files)
