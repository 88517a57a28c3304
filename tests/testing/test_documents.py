"""`vlmrun_mock.document` prints a document and registers its answer, in one line of a test."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from vlmrun_mock import MockServer

CHECK = "document.bank-check"


@pytest.fixture(scope="module")
def started() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


@pytest.fixture
def server(started: MockServer) -> MockServer:
    """Return a server without fixtures of other tests."""
    started.reset()
    return started


def test_a_document_is_answered_with_what_is_printed_on_it(server: MockServer) -> None:
    check = server.document(CHECK, seed=3, format="png")
    other = server.document(CHECK, seed=4, format="png")

    client = openai.OpenAI(base_url=server.openai_url, api_key=server.api_key)
    answers = []
    for document in (check, other):
        picture = {"type": "image_url", "image_url": {"url": document.url}}
        completion = client.chat.completions.create(
            model="vlm-1",
            messages=[{"role": "user", "content": [picture]}],  # type: ignore[list-item, misc]  # a dict is what is sent
            extra_body={"vlmrun": {"domain": CHECK}},
        )
        answers.append(json.loads(completion.choices[0].message.content or ""))

    assert answers == [check.answer, other.answer]
    assert check.media_type == "image/png"
    assert check.data.startswith(b"\x89PNG")
    assert set(check.boxes) > {"/payee", "/amount_numeric"}
    server.assert_requested(CHECK, documents=[check.data], times=1)


def test_a_document_is_saved_with_its_fixture(server: MockServer, tmp_path: Path) -> None:
    check = server.document(CHECK, style="modern")

    path = check.save(tmp_path / "sent")

    assert path.read_bytes() == check.data
    assert path.suffix == ".pdf"
    assert json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["answer"]["content"] == check.answer


def test_the_pages_of_a_document_of_pictures_are_its_files(server: MockServer) -> None:
    lease = server.document("real-estate.lease-agreement", format="png", style="compact")

    assert len(lease.files) == len(lease.urls) == lease.page_count > 1
    with pytest.raises(ValueError, match="each is a picture: see files"):
        _ = lease.data


def test_what_was_read_is_scored_against_what_is_printed(server: MockServer) -> None:
    check = server.document(CHECK)

    right = server.score({**check.answer, "id": 7}, check.answer)
    wrong = server.score({**check.answer, "payee": "Nobody at all"}, check.answer)

    assert (right.total, right.further) == (1, ("id",))
    assert [field.field for field in wrong.wrong] == ["payee"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"domain": "document.invoce"}, "unknown domain 'document.invoce'; closest: document.invoice"),
        ({"format": "tiff"}, "the format is pdf, png or jpg, not 'tiff'"),
        ({"style": "baroque"}, "the style is classic, modern or compact, not 'baroque'"),
        ({"locale": "xx_XX"}, "the locale is en_US, "),
        ({"locale": "ja_JP"}, "no font at hand shows "),
    ],
)
def test_what_there_is_not_is_refused(server: MockServer, options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        server.document(**{"domain": CHECK, **options})  # type: ignore[arg-type]  # what is refused


def test_nothing_of_it_is_loaded_before_it_is_used() -> None:
    script = (
        "import sys, vlmrun_mock.testing.mock_server, vlmrun_mock.cli.serve_command\n"
        "print([name for name in ('typst', 'PIL', 'vlmrun_mock.documents.printer') if name in sys.modules])"
    )

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == "[]"
