"""VLM Run's own command line against the mock: what it prints comes from the answers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vlmrun_mock import MockServer

pytestmark = pytest.mark.campaign  # each of its processes takes seconds to start

Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Return a function that runs the command line to its end, and returns what it printed."""
    with MockServer(clock="wall") as server:
        changes = {**server.environment, "HOME": str(tmp_path), "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}

        def command(*arguments: str) -> str:
            finished = subprocess.run(
                [sys.executable, "-m", "vlmrun.cli.cli", *arguments],
                env={**os.environ, **changes},
                capture_output=True,
                text=True,
                encoding="utf-8",
                timeout=60,
                check=False,
            )
            assert finished.returncode == 0, finished.stdout + finished.stderr
            return finished.stdout

        yield command


@pytest.fixture
def pdf(tmp_path: Path) -> str:
    """Return the path of a document."""
    path = tmp_path / "acme.pdf"
    path.write_bytes(b"%PDF-1.4 /Type /Page")
    return str(path)


def test_a_document_is_generated_and_found_among_the_predictions(run: Run, pdf: str) -> None:
    printed = run("generate", "-i", pdf, "--domain", "document.invoice", "--format", "json")

    prediction = json.loads(printed[printed.index("{") :])
    assert prediction["response"]["invoice_id"] == "HB-2025-0347"
    listed = run("predictions", "list", "--since", "2020-01-01")
    assert "document.invoice" in listed
    assert "completed" in listed
    assert "No predictions" in run("predictions", "list", "--since", "2199-01-01")


def test_a_file_is_uploaded_and_listed(run: Run, pdf: str) -> None:
    file_id = re.findall(r"[0-9a-f-]{36}", run("files", "upload", pdf))[0]

    assert file_id in run("files", "list")


def test_orion_chats_about_a_document_and_its_artifacts_come_along(run: Run, pdf: str) -> None:
    assert re.search(r"doc_[0-9a-f]{6}", run("chat", "What is this?", "-i", pdf))


def test_a_prompt_is_executed_and_found_among_the_executions(run: Run) -> None:
    assert "completed" in run("execute", "-p", "Say hello")
    assert "completed" in run("executions", "list")


def test_skills_are_listed_looked_up_and_downloaded(run: Run, tmp_path: Path) -> None:
    assert "invoice-extraction" in run("skills", "list")
    assert "Extracts the fields" in run("skills", "get", "invoice-extraction")
    run("skills", "download", "invoice-extraction")
    assert list(tmp_path.rglob("SKILL.md"))
    assert list(tmp_path.rglob("schema.json"))


def test_models_and_the_hub_are_listed(run: Run) -> None:
    assert "audio.transcription" in run("models", "list")
    assert "document.invoice" in run("hub", "list")
    assert "invoice_id" in run("hub", "schema", "document.invoice")
