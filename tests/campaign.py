"""How deep the long tests go: far enough for a change in hand, and all the way where `--campaign` says so, as in CI."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Campaign:
    """Whether this run is a campaign; set from the command line before the tests are imported."""

    is_on: bool = False

    def size(self, usual: int, campaign: int) -> int:
        """Return how many examples or rounds a test has in this run."""
        return campaign if self.is_on else usual


CAMPAIGN = Campaign()
