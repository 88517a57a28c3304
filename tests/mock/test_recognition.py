"""A picture that a client has encoded anew gets the answer that belongs to the file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from vlmrun.client import VLMRun
from vlmrun.client.types import RequestMetadata

from scripts.re_encodings import WAYS, drawn, lines_of, saved, with_another_digit
from tests.conftest import Put, Serve
from tests.printed import printed
from tests.serving import RunningMock, content, data_url, image_message, source
from vlmrun_mock import MockServer

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:datamodel_code_generator")

CARD = "business card"
LINES = lines_of(CARD, 7)
PICTURE = drawn(CARD, LINES)
FILE = saved(PICTURE, "PNG")
SENT = next(iter(WAYS.values()))(PICTURE)
"""The same picture, as VLM Run's Python SDK sends it."""

OTHER = next(iter(WAYS.values()))(drawn(CARD, with_another_digit(LINES, 1)))
"""The same but for one digit."""

DOMAIN = "custom.card"
ANSWER = {"name": "Ada Example"}


@pytest.fixture
def folder(tmp_path: Path, put: Put) -> Path:
    """Return a folder with a fixture for a picture beside it."""
    (tmp_path / "card.png").write_bytes(FILE)
    return put("card.json", {"content": ANSWER}, domain=DOMAIN, documents=["card.png"])


def ask(served: RunningMock, *pictures: bytes, **further: Any) -> httpx.Response:
    return served.chat(messages=image_message(*pictures), domain=DOMAIN, **further)


def test_a_file_that_the_official_sdk_encodes_anew_gets_its_answer(folder: Path, serve: Serve) -> None:
    served = serve(fixtures=(folder,), strict=True)
    client = VLMRun(api_key="test", base_url=f"{served.url}/v1", max_retries=1)

    found = client.image.generate(domain=DOMAIN, images=[folder / "card.png"], metadata=RequestMetadata())

    assert found.response == ANSWER
    assert "document 1 is card.png, re-encoded" in served.lines[-1]


def test_the_header_the_log_and_the_journal_say_that_it_is_re_encoded(folder: Path, serve: Serve) -> None:
    served = serve(fixtures=(folder,), strict=True)

    exact, again = ask(served, FILE), ask(served, SENT)

    entries = served.http.get("/_mock/requests").json()["requests"]
    assert content(exact) == content(again) == ANSWER
    assert source(again) == ("fixture", "card.json")
    assert "x-vlmrun-mock-documents" not in exact.headers
    assert again.headers["x-vlmrun-mock-documents"] == "re-encoded"
    assert "[document 1 is card.png, re-encoded]" in served.lines[1]
    assert [each["documents"][0]["identity"] for each in entries] == [entries[0]["documents"][0]["identity"]] * 2
    assert entries[1]["notes"] == ["document 1 is card.png, re-encoded"]


def test_the_same_request_again_says_so_again(folder: Path, serve: Serve) -> None:
    served = serve(fixtures=(folder,))

    first, second = ask(served, SENT), ask(served, SENT)

    assert (first.content, first.headers["x-vlmrun-mock-documents"]) == (
        second.content,
        second.headers["x-vlmrun-mock-documents"],
    )


@pytest.mark.parametrize(
    "sent",
    [OTHER, saved(PICTURE.reduce(2), "PNG"), saved(PICTURE.rotate(180), "PNG"), saved(PICTURE, "JPEG", quality=50)],
    ids=["another digit", "another size", "turned", "much loss"],
)
def test_another_picture_is_a_miss(sent: bytes, folder: Path, serve: Serve) -> None:
    answer = ask(serve(fixtures=(folder,), strict=True), sent)

    assert answer.status_code == 404
    assert answer.json()["error"]["miss"]["differences"][0]["part"] == "documents[0]"


def test_a_re_encoded_picture_prefers_its_own_fixture_to_one_for_any(folder: Path, put: Put, serve: Serve) -> None:
    put("any.json", {"content": "any"}, domain=DOMAIN)
    served = serve(fixtures=(folder,))

    assert content(ask(served, SENT)) == ANSWER
    assert source(ask(served, OTHER)) == ("fixture", "any.json")


def test_a_miss_of_a_re_encoded_picture_is_not_blamed_on_the_picture(folder: Path, serve: Serve) -> None:
    served = serve(fixtures=(folder,), strict=True)

    answer = served.chat(messages=image_message(SENT), domain="custom.other")

    assert [each["part"] for each in answer.json()["error"]["miss"]["differences"]] == ["domain"]


def test_exact_documents_let_the_bytes_alone_count(folder: Path, serve: Serve) -> None:
    served = serve(fixtures=(folder,), strict=True, exact_documents=True)

    assert ask(served, FILE).status_code == 201
    assert ask(served, SENT).status_code == 404


def test_a_recording_answers_for_its_very_bytes(folder: Path, serve: Serve) -> None:
    fixture = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    whole = {"generation": "vlm-1", "messages": [{"content": ["Extract", {"document": 1}]}], "json_object": False}
    fixture["match"] |= {**whole, "schema": {}, "config": {}}
    fixture["answer"]["completion"] = {"choices": [{"message": {"role": "assistant"}}]}
    (folder / "card.json").write_text(json.dumps(fixture), encoding="utf-8")
    served = serve(fixtures=(folder,), strict=True)

    assert ask(served, FILE).status_code == 201
    assert ask(served, SENT).status_code == 404


def test_an_error_says_so_as_well(folder: Path, put: Put, serve: Serve) -> None:
    put("card.json", {"error": {"status": 503, "message": "Busy"}}, domain=DOMAIN, documents=["card.png"])

    answer = ask(serve(fixtures=(folder,)), SENT)

    assert (answer.status_code, answer.headers["x-vlmrun-mock-documents"]) == (503, "re-encoded")


def test_each_of_several_pictures_is_known_again(folder: Path, put: Put, serve: Serve) -> None:
    second = drawn(CARD, lines_of(CARD, 8))
    (folder / "second.jpg").write_bytes(saved(second, "JPEG", quality=93))
    put("both.json", {"content": {"both": True}}, domain=DOMAIN, documents=["card.png", "second.jpg"])
    served = serve(fixtures=(folder,), strict=True)
    again = next(iter(WAYS.values()))(second)

    assert content(ask(served, SENT, again)) == {"both": True}
    assert content(ask(served, FILE, again)) == {"both": True}
    assert ask(served, again, SENT).status_code == 404


def test_two_files_that_are_alike_are_no_choice(folder: Path, put: Put, serve: Serve) -> None:
    (folder / "copy.jpg").write_bytes(saved(PICTURE, "JPEG", quality=97))
    put("copy.json", {"content": {"copy": True}}, domain=DOMAIN, documents=["copy.jpg"])
    served = serve(fixtures=(folder,), strict=True)

    answer = ask(served, SENT)

    assert answer.status_code == 404
    assert "document 1 might be card.png, copy.jpg, re-encoded: it is taken for none of them" in served.lines[-1]


def test_an_uploaded_picture_is_known_again(folder: Path, serve: Serve) -> None:
    served = serve(fixtures=(folder,), strict=True)
    stored = served.http.post("/v1/files", files={"file": ("card.jpg", SENT)}).json()

    answer = served.http.post("/v1/document/generate", json={"file_id": stored["id"], "domain": DOMAIN, "batch": False})

    assert answer.json()["response"] == ANSWER
    assert answer.headers["x-vlmrun-mock-documents"] == "re-encoded"


def test_a_picture_that_is_registered_by_its_data_is_known_again(serve: Serve) -> None:
    served = serve(strict=True)
    fixture = {"match": {"domain": DOMAIN, "documents": [data_url(FILE)]}, "answer": {"content": ANSWER}}

    served.http.post("/_mock/fixtures", json=fixture).raise_for_status()

    assert content(ask(served, SENT)) == ANSWER


@pytest.mark.parametrize("way", ["bytes", "path"])
def test_a_picture_that_a_test_registers_is_known_again_and_can_be_asserted(way: str, tmp_path: Path) -> None:
    path = tmp_path / "card.png"
    path.write_bytes(FILE)
    with MockServer(strict=True) as server:
        server.add(DOMAIN, documents=FILE if way == "bytes" else path, content=ANSWER)

        answer = httpx.post(
            f"{server.openai_url}/chat/completions",
            headers={"Authorization": f"Bearer {server.api_key}"},
            json={"messages": image_message(SENT), "domain": DOMAIN},
        )

        server.assert_requested(DOMAIN, documents=path)
    assert content(answer) == ANSWER


def test_a_picture_that_changes_is_compared_as_it_is_now(folder: Path) -> None:
    with MockServer(fixtures=[folder], strict=True) as server:
        headers = {"Authorization": f"Bearer {server.api_key}"}

        def status(sent: bytes) -> int:
            body = {"messages": image_message(sent), "domain": DOMAIN}
            return httpx.post(f"{server.openai_url}/chat/completions", headers=headers, json=body).status_code

        before = status(SENT), status(OTHER)
        (folder / "card.png").write_bytes(saved(drawn(CARD, with_another_digit(LINES, 1)), "PNG"))
        os.utime(folder / "card.png", (1, 1))
        unloaded = status(saved(PICTURE, "PNG", compress_level=1))
        server.scopes.everyone.store.reload()
        after = status(SENT), status(OTHER)

    assert before == (201, 404)
    assert unloaded == 404  # the file is no longer the one that was loaded
    assert after == (404, 201)


def test_broken_pictures_of_the_same_size_are_misses(folder: Path, serve: Serve) -> None:
    served = serve(fixtures=(folder,), strict=True)

    statuses = [ask(served, SENT[: len(SENT) // 2]).status_code, ask(served, FILE[:400]).status_code]

    assert statuses == [404, 404]
    assert ask(served, SENT).status_code == 201


def test_pictures_of_one_colour_are_told_apart_by_their_bytes(put: Put, serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(saved(Image.new("RGB", (400, 300), (200, 10, 10)), "PNG"))
    served = serve(fixtures=(put("a.json", {"content": ANSWER}, domain=DOMAIN, documents=["a.png"]),), strict=True)

    assert ask(served, saved(Image.new("RGB", (400, 300), (201, 10, 10)), "PNG")).status_code == 404


WITHOUT_PILLOW = """
import sys
sys.modules["PIL"] = None
import httpx
from vlmrun_mock import MockServer

url, folder = sys.stdin.read().split()
with MockServer(fixtures=[folder], strict=True) as server:
    part = {"type": "image_url", "image_url": {"url": url}}
    body = {"messages": [{"role": "user", "content": [part]}], "domain": "custom.card"}
    headers = {"Authorization": f"Bearer {server.api_key}"}
    answer = httpx.post(f"{server.openai_url}/chat/completions", headers=headers, json=body)
    print(answer.status_code, server.requests[0].notes)
"""


def test_without_pillow_the_log_says_what_would_help(folder: Path) -> None:
    given = f"{data_url(SENT, 'image/jpeg')} {folder}"

    printed = subprocess.run(
        [sys.executable, "-c", WITHOUT_PILLOW], input=given, capture_output=True, text=True, check=True
    ).stdout

    assert printed.startswith("404 ")
    assert "pip install 'vlmrun-mock[documents]'" in printed


STATEMENT = "document.bank-statement"


def pages_of(path: Path, form: str = "JPEG") -> list[bytes]:
    """Return the pages of a PDF as VLM Run's SDK draws and encodes them."""
    from vlmrun.common.pdf import pdf_images  # noqa: PLC0415 - it takes a second to import

    return [saved(page.image.convert("RGB"), form, quality=90) for page in pdf_images(path)]


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_all_pages_of_a_pdf_as_the_sdk_draws_them_are_the_pdf(form: str, tmp_path: Path, serve: Serve) -> None:
    document = printed(STATEMENT, 0)
    pages = pages_of(document.save(tmp_path), form)
    served = serve(fixtures=(tmp_path,), strict=True)

    answer = served.chat(messages=image_message(*pages), domain=STATEMENT)
    urls = [data_url(page) for page in pages]
    prediction = served.http.post("/v1/image/generate", json={"images": urls, "domain": STATEMENT}).json()

    assert len(pages) > 1
    assert content(answer) == document.answer == prediction["response"]
    assert answer.headers["x-vlmrun-mock-documents"] == "re-encoded"
    assert prediction["usage"]["elements_processed"] == len(pages)
    assert any(f"documents 1 to {len(pages)} are {document.name}.pdf, page by page" in line for line in served.lines)


def test_some_pages_of_a_pdf_or_all_in_another_order_are_not_the_pdf(tmp_path: Path, serve: Serve) -> None:
    pages = pages_of(printed(STATEMENT, 0).save(tmp_path))
    served = serve(fixtures=(tmp_path,), strict=True)

    answers = [served.chat(messages=image_message(*sent), domain=STATEMENT) for sent in (pages[:1], pages[::-1])]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert "[document 1 is page 0 of document.bank-stateme" in served.lines[0]


def test_pages_of_another_pdf_of_the_same_size_are_not_the_pdf(tmp_path: Path, serve: Serve) -> None:
    printed(STATEMENT, 0).save(tmp_path / "one")
    other = pages_of(printed(STATEMENT, 1).save(tmp_path / "other"))
    served = serve(fixtures=(tmp_path / "one",), strict=True)

    answer = served.chat(messages=image_message(*other), domain=STATEMENT)

    assert answer.status_code == 404


def test_a_pdf_that_cannot_be_read_is_compared_with_nothing(tmp_path: Path, put: Put, serve: Serve) -> None:
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    folder = put("broken.json", {"content": ANSWER}, domain=DOMAIN, documents=["broken.pdf"])
    served = serve(fixtures=(folder,), strict=True)

    assert ask(served, SENT).status_code == 404


def test_a_picture_in_bare_base64_is_known_again(folder: Path, serve: Serve) -> None:
    served = serve(fixtures=(folder,), strict=True)
    bare = data_url(SENT).partition(",")[2]

    answer = served.http.post("/v1/image/generate", json={"images": [bare], "domain": DOMAIN})

    assert answer.json()["response"] == ANSWER
