"""Make the pictures of the inspector in docs/inspector/: `scripts/test-browser --screenshots`."""

from __future__ import annotations

import io
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS, NAMES
from tests.inspecting import inspected
from tests.serving import RunningMock, content, data_url

SIZES = {"wide": (1280, 800), "narrow": (640, 900)}

VIEWS: Sequence[tuple[str, str]] = (
    ("answer", "#id={grounded}"),
    ("match", "#id={missed}&tab=match"),
    ("fixture", "#id={missed}&tab=fixture"),
    ("stream", "#id={streamed}&tab=stream"),
    ("state", "#view=state"),
)
DARK = ("fixture", "state")
SHEET = (850, 1100)
COLOURS = 256

INVOICE = {"domain": "document.invoice"}
GROUNDED = {**INVOICE, "config": {"grounding": True, "confidence": True}}


def sheet(texts: Sequence[tuple[str, Mapping[str, Any]]], title: str) -> bytes:
    """Return a picture of a page with texts at their boxes."""
    page = Image.new("RGB", SHEET, "white")
    draw = ImageDraw.Draw(page)
    draw.text((70, 40), title, fill="#20304f", font=ImageFont.load_default(30))
    for text, box in texts:
        x, y, width, height = (side * SHEET[index % 2] for index, side in enumerate(box["xywh"]))
        size = max(8, min(13, int(height)))
        draw.text((x + 2, y), text[: int(2 * width / size)], fill="#222", font=ImageFont.load_default(size))
    buffer = io.BytesIO()
    page.save(buffer, "PNG")
    return buffer.getvalue()


def texts_of(value: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the values of a grounded answer with their boxes."""
    if isinstance(value, list):
        return [each for item in value for each in texts_of(item)]
    if not isinstance(value, dict):
        return []
    found = []
    for name, inner in value.items():
        beside = value.get(f"{name}_metadata") or {}
        found += [(str(inner), box) for box in beside.get("bboxes", ())[:1]]
        found += texts_of(inner)
    return found


def ask(served: RunningMock, picture: bytes, name: str, vlmrun: Mapping[str, Any], **more: Any) -> Any:
    """Send a picture under a name."""
    url = data_url(picture, f"image/png;name={name}")
    parts = [{"type": "text", "text": "Extract the document."}, {"type": "image_url", "image_url": {"url": url}}]
    return served.chat(messages=[{"role": "user", "content": parts}], vlmrun=vlmrun, **more)


def latest(served: RunningMock) -> str:
    """Return the id of the latest request."""
    found: str = served.http.get("/_mock/inspector/requests").json()["requests"][0]["id"]
    return found


def prepare(served: RunningMock) -> dict[str, str]:
    """Send the requests that the pictures show, and return the ids of some."""
    blank = sheet([], "INVOICE")
    places = texts_of(content(ask(served, blank, "blank.png", GROUNDED)))
    served.http.post("/_mock/reset")
    ids = {}
    ask(served, sheet([], "RECEIPT"), "lunch.png", {"domain": "document.receipt"})
    ask(served, sheet(places, "INVOICE"), "order.png", {"domain": "document.purchase-ordr"})
    ask(served, sheet(places, "INVOICE 2"), "march.png", INVOICE, model="vlmrun-orion-1", stream=True)
    ids["streamed"] = latest(served)
    served.http.post("/_mock/faults", json={"status": 429, "retry_after": 2})
    ask(served, sheet(places, "INVOICE 3"), "april.png", INVOICE)
    body = {"images": [data_url(sheet([], "CHECK"))], "domain": "document.bank-check", "batch": True}
    served.http.post("/v1/image/generate", json=body)
    ask(served, sheet(places, "INVOICE 4"), "hollis-birch.png", GROUNDED)
    ids["grounded"] = latest(served)
    ask(served, sheet(places, "INVOICE 5"), "acme-0512.png", INVOICE)
    ids["missed"] = latest(served)
    return ids


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    chromium = next(filter(None, map(shutil.which, NAMES)))
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as driver:
        fixtures = Path(temporary) / "fixtures"
        fixtures.mkdir()
        written = {"match": {**INVOICE, "text": {"contains": "ACME"}}, "answer": {"content": {"invoice_id": "INV-1"}}}
        (fixtures / "acme.json").write_text(json.dumps(written), encoding="utf-8")
        browser = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        with inspected(fixtures, chunks_per_second=60) as served:
            ids = prepare(served)
            for view, address in VIEWS:
                for size, (width, height) in SIZES.items():
                    scheme: Literal["dark", "light"] = "dark" if view in DARK else "light"
                    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
                    page.goto(f"{served.url}/_mock/{address.format(**ids)}")
                    page.wait_for_timeout(
                        1_500
                    )  # until pictures are there: the page listens on, so that it is never idle
                    picture = Image.open(io.BytesIO(page.screenshot()))
                    picture.convert("RGB").quantize(COLOURS).save(folder / f"{view}-{size}.png", optimize=True)
                    page.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
