"""The inspector's page in a real browser: what a developer does with it, and what nobody may do to it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Inspect
from tests.conftest import Put
from tests.serving import CHAT, content, data_url, image_message, picture

Opened = Callable[..., Any]

INVOICE = {"vlmrun": {"domain": "document.invoice"}}
GROUNDED = {"vlmrun": {"domain": "document.invoice", "config": {"grounding": True, "confidence": True}}}
ATTACK = '<img src=x onerror="window.attacked=1"><script>window.attacked=1</script>'
ROW = "[role=option]"


def tab(page: Any, name: str) -> Any:
    """Open a tab, and return its panel."""
    opened = page.get_by_role("tab", name=re.compile(rf"^{name}\b"))
    opened.click()
    page.locator(f"[role=tabpanel][aria-labelledby='{opened.get_attribute('id')}']").wait_for()
    return page.get_by_role("tabpanel")


def choose(page: Any, number: int = 0) -> list[str]:
    """Choose a request by its place in the list, and return the names of its tabs, when the page shows that request.

    The one chosen before stays until then, with tabs that look the same.
    """
    identity = page.locator(ROW).nth(number).get_attribute("data-id")
    page.locator(f"{ROW}[data-id='{identity}']").click()
    page.locator(".head .facts").get_by_text(identity, exact=True).wait_for()
    names = [re.sub(r" \(\d+\)$", "", name) for name in page.get_by_role("tab").all_inner_texts()]
    assert "Answer" in names
    return names


def test_requests_appear_while_they_come_and_wait_while_it_is_paused(inspect: Inspect, opened: Opened) -> None:
    served = inspect()
    page = opened(served)
    page.get_by_text("Waiting for the first request").wait_for()

    served.chat(**INVOICE, messages=image_message(picture()))
    page.locator(ROW).wait_for()
    page.get_by_role("button", name="Pause").click()
    served.chat(**INVOICE)
    page.get_by_role("button", name="Resume (1 new)").wait_for()
    paused = page.locator(ROW).count()
    page.get_by_role("button", name="Resume").click()
    page.locator(ROW).nth(1).wait_for()

    assert paused == 1
    assert "no document" in page.locator(ROW).nth(0).inner_text()
    assert page.locator(f"{ROW} img.thumb").evaluate("image => image.decode().then(() => image.naturalWidth)") == 64


def test_a_reset_and_clear_empty_the_list(inspect: Inspect, opened: Opened) -> None:
    served = inspect()
    served.chat(**INVOICE)
    page = opened(served)
    choose(page)

    served.http.post("/_mock/reset")
    page.get_by_text("Waiting for the first request").wait_for()
    served.chat(**INVOICE)
    page.locator(ROW).wait_for()
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("Waiting for the first request").wait_for()

    assert served.http.get("/_mock/requests").json()["total"] == 0


def test_each_tab_shows_its_part_of_a_request(inspect: Inspect, opened: Opened) -> None:
    served = inspect()
    answer = served.chat(**INVOICE, messages=image_message(picture(), text="Read this"))
    page = opened(served)
    choose(page)

    assert content(answer)["invoice_id"] in page.get_by_role("tabpanel").inner_text()
    assert "Read this" in tab(page, "Request").inner_text()
    assert '"object": "chat.completion"' in tab(page, "Response").inner_text()
    assert "Bearer <redacted>" in tab(page, "Headers").inner_text()
    assert '"properties"' in tab(page, "Schema").inner_text()
    assert "No fixture of yours" in tab(page, "Match").inner_text()
    assert "nothing to find fault with" in tab(page, "Findings").inner_text()
    calls = tab(page, "Call").inner_text()
    assert all(word in calls for word in ("curl -X POST", "httpx.request(", "await fetch("))
    tab(page, "Fixture").wait_for()
    assert '"document.invoice"' in page.get_by_label("The fixture as JSON").input_value()


def test_a_stream_has_a_time_line_and_a_batch_its_readings(inspect: Inspect, opened: Opened) -> None:
    served = inspect(chunks_per_second=1000)
    served.chat(model="vlmrun-orion-1", stream=True, **INVOICE)
    body = {"images": [data_url(picture())], "domain": "document.invoice", "batch": True}
    made = served.http.post("/v1/image/generate", json={**body, "callback_url": "https://example.com/hook"}).json()
    served.http.get(f"/v1/predictions/{made['id']}")
    page = opened(served)

    choose(page, 1)
    line = tab(page, "Stream").inner_text()
    ticks = page.locator(".timeline .tick").count()
    choose(page)
    job = tab(page, "Job").inner_text()

    assert "[DONE]" in line
    assert ticks > 10
    assert "completed" in job
    assert "allow it with --webhook-host" in job


def test_a_field_lights_its_box_and_a_box_its_field(inspect: Inspect, opened: Opened) -> None:
    served = inspect()
    served.chat(**GROUNDED, messages=image_message(picture(size=(600, 800))))
    page = opened(served)
    choose(page)
    box, field = page.locator(".box[title='/invoice_id']"), page.locator("button.field").first
    box.wait_for()

    field.hover()
    by_field = box.get_attribute("class")
    page.mouse.move(5, 5)
    off = box.get_attribute("class")
    box.hover()
    by_box = field.get_attribute("class")
    page.mouse.move(5, 5)
    field.focus()
    by_keyboard = box.get_attribute("class")

    assert "lit" in by_field
    assert "lit" in by_box
    assert "lit" in by_keyboard
    assert "lit" not in off
    assert page.locator(".leaf.low, .leaf.med").count() > 0


def test_three_clicks_lead_from_a_miss_to_a_green_request(inspect: Inspect, opened: Opened, tmp_path: Path) -> None:
    served = inspect(strict=True)
    missed = served.chat(**INVOICE, messages=image_message(picture(3)))
    page = opened(served)

    choose(page)
    page.get_by_role("button", name="Make a fixture").click()
    page.get_by_role("button", name="Save as fixture").click()
    page.get_by_text("Saved as").wait_for()
    again = served.chat(**INVOICE, messages=image_message(picture(3)))
    page.locator(f"{ROW} .status.good").wait_for()

    assert (missed.status_code, again.status_code) == (404, 201)
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [".json"]


def test_mistakes_are_told_while_a_fixture_is_typed(inspect: Inspect, opened: Opened) -> None:
    served = inspect()
    served.chat(**INVOICE, messages=image_message(picture(3)))
    page = opened(served)
    choose(page)
    page.keyboard.press("f")
    text = page.get_by_label("The fixture as JSON")
    page.get_by_text("It answers this request").wait_for()

    text.fill(text.input_value().replace('"HB-2025-0347"', "12"))
    page.get_by_text('12 is not of type "string"').wait_for()
    refused = page.locator("#save").is_disabled()
    text.fill("{\n  oops")
    page.get_by_role("button", name="Line 2, column 3").click()
    place = text.evaluate("text => text.selectionStart")

    assert refused
    assert place == 4


def test_an_answer_is_edited_field_by_field_and_registered(inspect: Inspect, opened: Opened) -> None:
    served = inspect()
    served.chat(**INVOICE, messages=image_message(picture(3)))
    page = opened(served)
    choose(page)
    page.keyboard.press("f")
    page.get_by_role("button", name="Fields").click()

    page.get_by_label("invoice_id", exact=True).fill("INV-BY-FIELD")
    page.get_by_role("button", name="Register for this run").click()
    page.get_by_text("Registered as").wait_for()

    assert content(served.chat(**INVOICE, messages=image_message(picture(3))))["invoice_id"] == "INV-BY-FIELD"


def test_nothing_is_written_over_before_its_difference_is_shown(inspect: Inspect, opened: Opened, put: Put) -> None:
    folder = put("a.json", {"content": {"invoice_id": "OLD"}}, domain="document.invoice")
    served = inspect(folder)
    served.chat(**INVOICE, messages=image_message(picture(3)))
    page = opened(served)
    choose(page)
    page.keyboard.press("f")
    page.get_by_role("button", name="Save as fixture").wait_for()

    page.locator("input[id^=name-]").fill("a.json")
    page.get_by_label("The difference to the file").wait_for()
    difference = page.get_by_label("The difference to the file").inner_text()
    page.get_by_role("button", name="Replace the file").click()
    page.get_by_text("Saved as").wait_for()

    assert "-" in difference
    assert "OLD" in difference
    assert json.loads((folder / "a.json").read_text(encoding="utf-8"))["match"]["documents"]


def test_the_picture_is_saved_beside_its_fixture(inspect: Inspect, opened: Opened, tmp_path: Path) -> None:
    served = inspect()
    part = {"type": "image_url", "image_url": {"url": data_url(picture(8), "image/png;name=acme.png")}}
    served.chat(**INVOICE, messages=[{"role": "user", "content": [part]}])
    page = opened(served)
    choose(page)
    page.keyboard.press("f")
    page.get_by_role("button", name="Save as fixture").wait_for()

    page.get_by_label("save the picture beside it").check()
    page.get_by_role("button", name="Save as fixture").click()
    page.get_by_text("Saved as").wait_for()

    found = next(tmp_path.rglob("acme.json"))
    assert json.loads(found.read_text(encoding="utf-8"))["match"]["documents"] == ["pictures/acme.png"]
    assert (found.parent / "pictures" / "acme.png").read_bytes() == picture(8)


def test_a_file_that_is_dropped_becomes_a_fixture(inspect: Inspect, opened: Opened, tmp_path: Path) -> None:
    served = inspect()
    page = opened(served)
    page.get_by_text("live", exact=True).wait_for()
    dropped = base64.b64encode(picture(7)).decode()

    page.evaluate(
        """data => {
          const bytes = Uint8Array.from(atob(data), (each) => each.charCodeAt(0));
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([bytes], "Lunch.png", { type: "image/png" }));
          for (const kind of ["dragenter", "drop"]) {
            document.body.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer }));
          }
        }""",
        dropped,
    )
    page.get_by_label("Domain").select_option("document.receipt")
    page.wait_for_function("() => document.querySelector('textarea')?.value.includes('document.receipt')")
    page.get_by_role("button", name="Save as fixture").click()
    page.get_by_text("Saved as").wait_for()

    assert (tmp_path / "document.receipt" / "lunch.json").exists()
    answer = served.chat(vlmrun={"domain": "document.receipt"}, messages=image_message(picture(7)))
    assert answer.headers["x-vlmrun-mock-fixture"] == "document.receipt/lunch.json"


def test_the_address_keeps_filters_and_search(inspect: Inspect, opened: Opened) -> None:
    served = inspect()
    for domain in ("document.invoice", "document.receipt", "document.nothing"):
        served.chat(vlmrun={"domain": domain})
    page = opened(served)
    page.locator(ROW).nth(2).wait_for()

    page.get_by_label("Status").select_option("4xx")
    of_status = page.locator(f"{ROW}:visible").count()
    page.get_by_label("Status").select_option("")
    page.get_by_label("Search the requests").fill("receipt")
    page.reload()
    page.get_by_text("1 of 3").wait_for()

    assert of_status == 1
    assert page.get_by_label("Search the requests").input_value() == "receipt"
    assert "document.receipt" in page.locator(f"{ROW}:visible").inner_text()


def test_it_is_used_by_the_keyboard_alone(inspect: Inspect, opened: Opened) -> None:
    served = inspect()
    for domain in ("document.invoice", "document.receipt"):
        served.chat(vlmrun={"domain": domain})
    page = opened(served)
    page.locator(ROW).nth(1).wait_for()
    heading = page.locator(".head h2")

    page.keyboard.press("j")
    heading.get_by_text("document.receipt").wait_for()
    page.keyboard.press("j")
    heading.get_by_text("document.invoice").wait_for()
    page.keyboard.press("k")
    heading.get_by_text("document.receipt").wait_for()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    second = page.evaluate("document.activeElement.dataset.tab")
    page.keyboard.press("Escape")
    page.get_by_text("Choose a request").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("j")
    searched = page.get_by_label("Search the requests").input_value()
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    page.get_by_role("heading", name="Faults").wait_for()

    assert second == "request"
    assert searched == "j"


def test_the_state_shows_unused_fixtures_and_arms_a_fault(inspect: Inspect, opened: Opened, put: Put) -> None:
    put("used.json", {"content": "x"}, domain="custom.a")
    served = inspect(put("unused.json", {"content": "x"}, domain="custom.b"))
    served.chat(vlmrun={"domain": "custom.a"})
    page = opened(served, "#view=state")
    page.get_by_role("heading", name="Fixtures").wait_for()

    unused = page.get_by_role("row", name="unused.json").inner_text()
    page.get_by_label("Status").last.fill("418")
    page.get_by_role("button", name="Arm").click()
    page.get_by_text("error 418").wait_for()
    page.get_by_role("button", name="document.invoice", exact=True).click()
    page.get_by_role("img", name="A printed document of document.invoice").wait_for()
    gallery = page.get_by_role("dialog").inner_text()

    assert unused.endswith("unused")
    assert served.chat(**INVOICE).status_code == 418
    assert "HB-2025-0347" in gallery


def test_what_a_client_sends_is_text_and_nothing_else(inspect: Inspect, opened: Opened, put: Put) -> None:
    folder = put("attack.json", {"content": {ATTACK: ATTACK}}, domain=ATTACK)
    served = inspect(folder)
    schema = {"type": "object", "title": ATTACK, "properties": {ATTACK: {"type": "string", "description": ATTACK}}}
    named = f"image/png;name={ATTACK.replace(';', '')}".replace(",", "")
    parts = [
        {"type": "text", "text": ATTACK},
        {"type": "image_url", "image_url": {"url": data_url(picture(), named)}},
        {"type": "image_url", "image_url": {"url": data_url(ATTACK.encode(), "image/svg+xml")}},
        {"type": "image_url", "image_url": {"url": f"https://example.com/{ATTACK.replace(' ', '')}"}},
    ]
    bodies: list[dict[str, Any]] = [
        {"vlmrun": {"domain": ATTACK, "metadata": {ATTACK: ATTACK}}},
        {"vlmrun": {"domain": "document.invoice"}, "metadata": {ATTACK: ATTACK}, "model": ATTACK, ATTACK: ATTACK},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}},
    ]
    for body in bodies:
        head = {"x-request-id": ATTACK.replace(" ", ""), "x-more": ATTACK, "Authorization": f"Bearer {ATTACK}"}
        given = {"messages": [{"role": "user", "content": parts}], "model": "vlm-1", **body}
        served.http.post(f"{CHAT}?{ATTACK}", json=given, headers=head)
    served.http.post("/_mock/fixtures", json={"description": ATTACK, "answer": {"content": {ATTACK: ATTACK}}})
    served.http.post("/_mock/faults", json={"status": 500, "message": ATTACK, "domain": ATTACK})
    served.http.post(CHAT, content=ATTACK.encode())
    body = {"images": [data_url(picture())], "domain": ATTACK, "batch": True, "callback_url": f"http://{ATTACK}/"}
    served.http.post("/v1/image/generate", json=body)
    page = opened(served)
    page.locator(ROW).nth(len(bodies)).wait_for()

    for number in range(page.locator(ROW).count()):
        for name in choose(page, number):
            tab(page, name)
    page.get_by_role("button", name="State", exact=True).click()
    page.get_by_role("heading", name="Fixtures").wait_for()

    assert page.evaluate("window.attacked") is None
    assert page.locator("img[src='x'], main script").count() == 0
    assert "<img src=x" in page.locator("#state").inner_text()


def test_a_thousand_requests_are_a_list_that_stays_whole(inspect: Inspect, opened: Opened) -> None:
    served = inspect()
    for _ in range(1_000):
        served.http.post(CHAT, json={"messages": [{"role": "user", "content": "x"}], **INVOICE})
    page = opened(served)
    page.locator(ROW).nth(999).wait_for(state="attached")

    later = {"messages": [{"role": "user", "content": "x"}], "vlmrun": {"domain": "document.receipt"}}
    for _ in range(20):
        served.http.post(CHAT, json=later)
    page.locator(ROW).filter(has_text="document.receipt").nth(19).wait_for(state="attached")

    assert page.locator(ROW).count() == 1_000
    assert "document.receipt" in page.locator(ROW).first.inner_text()


def test_where_keys_are_set_the_page_asks_for_one(inspect: Inspect, opened: Opened) -> None:
    served = inspect(api_keys=frozenset({"right-key"}))
    served.http.headers["Authorization"] = "Bearer right-key"
    served.chat(**INVOICE, messages=image_message(picture()))
    page = opened(served, expected="401")

    page.get_by_label("Key", exact=True).fill("right-key")
    page.get_by_role("button", name="Use it").click()
    choose(page)
    image = page.locator(".sheet img")
    image.wait_for()

    assert image.evaluate("image => image.naturalWidth") == 64


@pytest.mark.parametrize("size", [(640, 400), (390, 800), (1280, 720)])
def test_nothing_is_cut_off_at_the_side_when_it_is_enlarged(
    size: tuple[int, int], inspect: Inspect, opened: Opened
) -> None:
    served = inspect()
    served.chat(**GROUNDED, messages=image_message(picture(size=(900, 700))))
    page = opened(served, viewport={"width": size[0], "height": size[1]})  # 1280 by 800 at 200 % is the first
    widest = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    page.locator(ROW).wait_for()

    fits = [page.evaluate(widest)]
    for name in choose(page):
        tab(page, name)
        fits.append(page.evaluate(widest))
    page.get_by_role("button", name="State", exact=True).click()
    page.get_by_role("heading", name="Fixtures").wait_for()
    fits.append(page.evaluate(widest))

    assert all(fits), fits


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_mend(scheme: str, inspect: Inspect, opened: Opened, axe: str, put: Put) -> None:
    served = inspect(put("other.json", {"content": {"invoice_id": "x"}}, text={"contains": "y"}))
    served.chat(**GROUNDED, messages=image_message(picture(size=(300, 400))))
    served.chat(vlmrun={"domain": "document.nothing"})
    served.chat(model="vlmrun-orion-1", stream=True, **INVOICE)
    page = opened(served, color_scheme=scheme)
    page.locator(ROW).nth(2).wait_for()
    found: list[str] = []

    def look(where: str) -> None:
        if not page.evaluate("'axe' in window"):
            page.evaluate(f"{axe}; 0")
        told = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        nodes = ((each["id"], node["html"]) for each in told["violations"] for node in each["nodes"][:3])
        found.extend(f"{where}: {rule}: {html[:120]}" for rule, html in nodes)

    look("list")
    for number in range(3):
        for name in choose(page, number):
            tab(page, name)
            look(f"{number} {name}")
    page.get_by_role("button", name="State", exact=True).click()
    page.get_by_role("heading", name="Fixtures").wait_for()
    look("state")
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    look("help")

    assert found == []
