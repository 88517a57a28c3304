"""Dates as the native routes write them."""

from __future__ import annotations

from datetime import datetime, timezone


def written(seconds: float) -> str:
    """Return seconds since 1970 as `2025-05-27T04:07:37.556080Z`.

    The zone is always there: the Python command line subtracts two dates, and fails where one has a zone.
    """
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
