"""Predictions: an answer in the envelope of the native routes, with what it costs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from vlmrun_mock.api import dates
from vlmrun_mock.api.request import ExtractionRequest
from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    from vlmrun_mock.schema import grounding
else:
    grounding = lazy("vlmrun_mock.schema.grounding")


Kind: TypeAlias = Literal["image", "document", "audio", "video", "web"]
KINDS: tuple[Kind, ...] = ("image", "document", "audio", "video", "web")

Status: TypeAlias = Literal["pending", "enqueued", "running", "completed", "failed", "paused"]

SEGMENT_SECONDS = 300
"""How many seconds of a video or a recording are one element, a started one included; ours."""

CREDITS: Mapping[str, Mapping[str, int]] = {
    "document.markdown": {"lo": 1, "auto": 4, "hi": 6},
    "audio": {"lo": 1, "auto": 1, "hi": 2},
    "video": {"lo": 10, "auto": 10, "hi": 20},
}
"""What an element costs by its domain or kind, as documented; all others cost USUAL_CREDITS."""

USUAL_CREDITS: Mapping[str, int] = {"lo": 1, "auto": 2, "hi": 4}

GROUNDING_CREDITS = 2
"""What boxes cost in addition, where CREDITS says nothing; a page in high detail with boxes was recorded as 6."""

TIERS = {"flex": Fraction(1, 2), "priority": Fraction(18, 10)}
"""The factor by which a service tier multiplies the credits, as the SDKs say."""

ELEMENTS: Mapping[str, str] = {"image": "image", "document": "page", "audio": "audio", "video": "video"}
"""What an element of each kind is called."""

CERTAINTY = {"hi": 0.95, "med": 0.82, "low": 0.6}
"""The confidences of a chat's boxes as the numbers that native ones have; 0.82 was recorded."""


@dataclass(frozen=True, slots=True)
class PredictionRequest:
    """What a client sent to a native route: the extraction request in it, and what only its envelope is about.

    `domain` is what the answer says of it. `id` and `created_at` are the prediction's, if the client chose them.
    """

    extraction: ExtractionRequest
    kind: Kind
    batch: bool = False
    domain: str | None = None
    service_tier: str | None = None
    callback_url: str | None = None
    id: str | None = None
    created_at: str | None = None


class Outcome(msgspec.Struct, frozen=True):
    """How a prediction or an execution ends: its status, response and usage, and a message where it failed."""

    status: Status
    response: Any
    usage: Mapping[str, Any]
    message: str | None = None


def usage(**figures: Any) -> dict[str, Any]:
    """Return a usage with these figures; all keys are always there, as Python's client needs some."""
    return {
        "elements_processed": None,
        "element_type": None,
        "credits_used": None,
        "steps": None,
        "message": None,
        "duration_seconds": 0,
        **figures,
    }


def unfinished() -> dict[str, Any]:
    """Return what is said of the result of something that is not done."""
    return {"completed_at": None, "response": None, "usage": usage()}


def finished(outcome: Outcome, completed: float) -> dict[str, Any]:
    """Return what is said of the result of something that was done at an instant, in seconds since 1970."""
    result = {
        "completed_at": dates.written(completed),
        "response": outcome.response,
        "usage": dict(outcome.usage),
    }
    return {**result, "message": outcome.message} if outcome.message else result


def completed(request: PredictionRequest, text: str, pages: int) -> Outcome:
    """Return the outcome that an answer's text is; `pages` is how many pages or pictures were sent."""
    try:
        response = json.loads(text)
    except ValueError:
        response = text
    if request.extraction.config.grounding:
        response = _with_native_boxes(response)
    duration = _duration(response) if request.kind in ("audio", "video") else 0
    elements = _elements(request, duration, pages)
    figures = usage(
        elements_processed=elements,
        element_type=ELEMENTS.get(request.kind),
        credits_used=credits_of(request, elements),
        duration_seconds=duration,
    )
    return Outcome("completed", response, figures)


def failed(message: str) -> Outcome:
    """Return the outcome of a prediction that failed, with the reason."""
    return Outcome("failed", None, usage(message=message), message)


def credits_of(request: PredictionRequest, elements: int) -> int:
    """Return what a request costs, rounded up."""
    config = request.extraction.config
    special = CREDITS.get(request.extraction.domain or "") or CREDITS.get(request.kind)
    each = (special or USUAL_CREDITS)[config.detail]
    if config.grounding and special is None:
        each += GROUNDING_CREDITS
    return math.ceil(each * elements * TIERS.get(request.service_tier or "", 1))


def _elements(request: PredictionRequest, duration: int, pages: int) -> int:
    if request.kind in ("audio", "video"):
        return max(1, math.ceil(duration / SEGMENT_SECONDS))
    return max(1, pages)


def _duration(response: Any) -> int:
    metadata = response.get("metadata") if isinstance(response, dict) else None
    found = metadata.get("duration") if isinstance(metadata, dict) else None
    return math.ceil(found) if isinstance(found, (int, float)) and 0 < found < math.inf else 0


def _with_native_boxes(value: Any, metadata_of: Any = None) -> Any:
    """Return an answer whose boxes have the shape of the newest recording beside the one that chat has."""
    if isinstance(value, list):
        return [_with_native_boxes(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "bboxes" in value and metadata_of is not None:
        certainty = CERTAINTY.get(str(value.get("confidence")), CERTAINTY["med"])
        boxes = value["bboxes"]
        found = [each for each in metadata_of if each is not None] if isinstance(metadata_of, list) else [metadata_of]
        texts = found if len(found) == len(boxes) else [metadata_of] * len(boxes)
        return {**value, "bboxes": [_native_box(*pair, certainty) for pair in zip(boxes, texts, strict=True)]}
    return {
        key: _with_native_boxes(
            child, value.get(key.removesuffix(grounding.SUFFIX)) if key.endswith(grounding.SUFFIX) else None
        )
        for key, child in value.items()
    }


def _native_box(box: Any, found: Any, certainty: float) -> Any:
    if not isinstance(box, dict) or "xywh" not in box:
        return box
    text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    return {"content": text, "bbox": {"xywh": box["xywh"]}, "confidence": certainty, **box}
