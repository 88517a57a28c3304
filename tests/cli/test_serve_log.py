"""What a server prints about its requests: a line for each, with nothing that does harm and nothing secret."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.process import COMMAND, PATIENCE, environment, serving
from tests.serving import CHAT, image_message, picture
from vlmrun_mock.cli.console import MOST_WAITING, Console

Write = Callable[[str, str | bytes], Path]
SECRET = "sk-do-not-tell-1234567890"
INVOICE = {"messages": image_message(picture()), "domain": "document.invoice"}


def test_a_request_is_one_line_with_time_domain_documents_source_tokens_and_status(tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        usage = process.http.post(CHAT, json=INVOICE).json()["usage"]
        line = process.line("document.invoice")

    tokens = f"{usage['prompt_tokens']}\\+{usage['completion_tokens']} tokens"
    source = r"fixture document\.invoice/answer\.json"
    assert re.fullmatch(rf"\d\d:\d\d:\d\d  201  document\.invoice  png 64x48 \d+ kB  {source}  {tokens}  \d+ ms", line)


def test_a_request_without_a_document_or_with_an_error_says_so(tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        process.http.post(CHAT, json={"messages": [{}], "domain": "document.receipt"})
        process.http.post(CHAT, json={"messages": [{}], "domain": "document.recept"})
        process.http.post(CHAT, content=b"{")
        process.http.get("/v1/nowhere")
        answered, unknown, broken, missing = (
            process.line(word) for word in ("document.receipt ", "document.recept ", "validation", "nowhere")
        )

    assert "  201  document.receipt  no document  " in answered
    assert re.search(r"  422  document\.recept  no document .*\[unknown_domain: ", unknown)
    assert re.search(r"  422  POST /v1/openai/chat/completions .*\[validation_error: body: JSON", broken)
    assert re.search(r"  404  GET /v1/nowhere .*\[not_found: ", missing)


ESCAPES = "\x1b[31mred\x07\x9b\x00\r\n\u202eevil\u2028\u200b"


def test_control_characters_never_reach_the_terminal(tmp_path: Path) -> None:
    bodies = [
        {"messages": [{}], "domain": f"document.{ESCAPES}"},
        {"messages": [{}], "domain": ESCAPES, "json_schema": {"type": "string"}},
        {"messages": [{}], "domain": "document.invoice", "model": ESCAPES, "id": ESCAPES},
        {"messages": [{}], "vlmrun": {"config": {"gql_stmt": f"{{ {ESCAPES} }}"}, "domain": "document.invoice"}},
        {"messages": image_message(ESCAPES.encode()), "domain": "document.invoice"},
        {"messages": [{"content": [{"type": "image_url", "image_url": {"url": f"http://a.b/{ESCAPES}"}}]}]},
        {"messages": [{"content": [{"type": "input_file", "file_id": ESCAPES}]}]},
        {"messages": [{"role": ESCAPES}]},
        {"messages": [{}], "json_schema": {"properties": {ESCAPES: {"type": ESCAPES}}}},
    ]
    with serving(tmp_path) as process:
        statuses = [process.http.post(CHAT, json=body).status_code for body in bodies]
        process.http.get("/v1/%1b%5b31mred%0d%0a%e2%80%ae")
        process.line("/v1/.*red")
        printed = process.output + process.errors

    assert max(statuses) < 500
    assert [line for line in printed.splitlines() if not line.isprintable()] == []
    assert len([line for line in printed.split("\n") if re.match(r"\d\d:\d\d:\d\d", line)]) == len(bodies) + 1


def test_no_key_is_ever_printed_or_answered(tmp_path: Path) -> None:
    other = "sk-somebody-elses-0987654321"
    with serving(tmp_path, "--api-key", SECRET, changes={"VLMRUN_MOCK_API_KEY": "unused"}) as process:
        answers = [
            process.http.post(path, json=body, headers=headers)
            for path in (CHAT, "/v1/schema", "/v1/nowhere")
            for body in (INVOICE, {"messages": 5, "domain": "x"})
            for headers in (
                {"Authorization": f"Bearer {SECRET}"},
                {"Authorization": f"Bearer {other}"},
                {"Authorization": f"Basic {other}", "X-Api-Key": SECRET},
                {"Authorization": "", "X-Api-Key": other},
            )
        ]
        process.line("nowhere")
        process.stop()
        printed = process.output + process.errors

    told = printed + "".join(f"{answer.text} {answer.headers}" for answer in answers)
    assert {answer.status_code for answer in answers} >= {201, 401, 404, 422}
    assert [key for key in (SECRET, other) if key in told] == []


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_every_request_is_logged_whatever_the_terminal_can_show(encoding: str, tmp_path: Path) -> None:
    changes = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    with serving(tmp_path, changes=changes) as process:
        process.http.post(CHAT, json={"messages": [{}], "domain": "документ.счёт…", "json_schema": {"type": "string"}})
        process.http.post(CHAT, json=INVOICE)

        assert process.line("  201  document.invoice")


def test_a_log_that_nobody_reads_stops_neither_a_request_nor_the_end(tmp_path: Path) -> None:
    path = "/v1/" + "x" * 200
    command = [*COMMAND, "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, cwd=tmp_path, text=True) as process:
        assert process.stdout
        url = re.search(r"http://\S+", process.stdout.readline())
        assert url
        with httpx.Client(base_url=url[0]) as client:
            statuses = {client.get(path).status_code for _ in range(1_500)}

        process.terminate()
        status = process.wait(PATIENCE)

    assert statuses == {404}
    assert status == 0


def test_a_reader_that_was_slow_is_told_how_much_it_missed() -> None:
    lines: list[str] = []
    reading, free = threading.Event(), threading.Event()

    class Slow(io.StringIO):
        def write(self, text: str) -> int:
            reading.set()
            free.wait(PATIENCE)
            lines.extend(text.splitlines())
            return len(text)

    async def log() -> None:
        for number in range(MOST_WAITING + 20):
            output.log(f"line {number}")
            await asyncio.sleep(0)
            output._hand_over()
        free.set()
        await asyncio.to_thread(output._writes.join)
        output.log("the last line")

    with contextlib.redirect_stdout(Slow()):
        output = Console()
        asyncio.run(log())
        output.flush()

    assert reading.is_set()
    assert lines[0] == "line 0"
    assert "the last line" in lines
    assert [line for line in lines if re.fullmatch(r"\[\d+ lines of this log are lost, .*\]", line)]
