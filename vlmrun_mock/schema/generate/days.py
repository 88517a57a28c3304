"""When things named by a field happen, so that a document's dates are in order."""

from __future__ import annotations

OFFSETS = {
    "due": 30,
    "deadline": 30,
    "expiry": 360,
    "expiration": 360,
    "expires": 360,
    "end": 90,
    "ends": 90,
    "to": 90,
    "until": 90,
    "termination": 90,
    "closing": 90,
    "next": 60,
    "received": 9,
    "arrival": 9,
    "paid": 21,
    "payment": 21,
    "settlement": 21,
    "delivery": 7,
    "delivered": 7,
    "ship": 4,
    "shipped": 4,
    "shipping": 4,
    "shipment": 4,
    "updated": 2,
    "modified": 2,
    "approved": 2,
    "order": -5,
    "ordered": -5,
    "purchase": -5,
    "hire": -21,
    "previous": -28,
}
"""Days after a document's own date, by a word in the field's name; the first word of the table wins."""

HOURS = {"end": 16, "to": 16, "until": 16, "close": 17, "closing": 17, "out": 16, "arrival": 15, "finish": 16}
"""Hours of the day, by a word in the field's name."""

MORNING = 9


def offset_of(words: tuple[str, ...]) -> int:
    """Return how many days after the document's own date something happens."""
    return next((days for word, days in OFFSETS.items() if word in words), 0)


def hour_of(words: tuple[str, ...]) -> int:
    """Return the hour of the day in which something happens."""
    return next((hour for word, hour in HOURS.items() if word in words), MORNING)
