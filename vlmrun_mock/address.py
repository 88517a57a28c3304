"""Where a mock is: its address, and the key to send."""

from __future__ import annotations

import msgspec


class Address(msgspec.Struct, frozen=True):
    """A server's address, such as `http://127.0.0.1:41234`, and the key to send."""

    url: str
    api_key: str

    @property
    def openai_url(self) -> str:
        """Return the base URL for the OpenAI SDK."""
        return f"{self.url}/v1/openai"

    @property
    def vlmrun_url(self) -> str:
        """Return the base URL for the `vlmrun` client."""
        return f"{self.url}/v1"

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment variables that direct the official clients to this server."""
        return {
            "OPENAI_BASE_URL": self.openai_url,
            "OPENAI_API_KEY": self.api_key,
            "VLMRUN_BASE_URL": self.vlmrun_url,
            "VLMRUN_API_KEY": self.api_key,
        }

    @property
    def base_urls(self) -> dict[str, str]:
        """Return those of the environment variables that hold no key."""
        return {"OPENAI_BASE_URL": self.openai_url, "VLMRUN_BASE_URL": self.vlmrun_url}
