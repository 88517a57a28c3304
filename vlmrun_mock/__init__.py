"""An offline stand-in for VLM Run's OpenAI-compatible chat completions API."""

__all__ = ["__version__"]

__version__ = "0.1.0"
