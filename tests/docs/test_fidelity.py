"""The fidelity map is complete, and each of its rows is what the server answers."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import httpx
import pytest

from scripts.fidelity import FILE_ID, MARKS, MOCKS_OWN, PREDICTION_ID, ROWS, STATUSES, Row
from scripts.reference import ROOT, ROUTES
from vlmrun_mock import MockServer

PDF = "%PDF-1.4 /Type /Page"


def test_every_route_of_the_api_has_a_row() -> None:
    of_the_api = {route for route in ROUTES if route not in MOCKS_OWN and not route.startswith(MOCKS_OWN[1:])}

    assert of_the_api <= set(ROWS) <= set(ROUTES)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_every_row_has_marks_and_names_a_test_that_is_there(row: Row) -> None:
    path, _, name = row.test.partition("::")

    text = (ROOT / path).read_text(encoding="utf-8")
    assert {row.mark, *row.fields.values()} <= set(MARKS)
    assert not name or f"def {name}(" in text


def test_the_statuses_are_in_order_and_marked() -> None:
    assert [status for status, _, _ in STATUSES] == sorted({status for status, _, _ in STATUSES})
    assert all(mark in MARKS for _, _, mark in STATUSES)


def filled(path: str, ids: dict[str, str]) -> str:
    """Return a path with the ids of what earlier answers made."""
    return re.sub(r"\{(\w+ /[^}]*|md5)\}", lambda found: ids[found[1]], path)


def test_every_example_is_answered_with_the_status_and_the_fields_of_its_row() -> None:
    ids = {"md5": hashlib.md5(PDF.encode(), usedforsecurity=False).hexdigest()}
    wrong: dict[str, Any] = {}
    with MockServer() as server, httpx.Client(base_url=server.url) as client:
        key = {"Authorization": "Bearer test"}
        client.post("/_mock/files", json={"id": FILE_ID, "filename": "a.pdf", "text": PDF}, headers=key)
        client.post("/_mock/predictions", json={"id": PREDICTION_ID, "response": {}}, headers=key)
        for route, row in ROWS.items():
            method, _, path = route.partition(" ")
            answer = client.request(
                method,
                filled(row.path or path, ids),
                json=row.body,
                content=row.content or None,
                files=dict(row.form) or None,
                headers=key if row.needs_key else {},
            )
            is_json = answer.headers.get("content-type", "").startswith("application/json")
            found = answer.json() if is_json and row.fields else {}
            listed = found if row.is_list else [found]
            if answer.status_code != row.status or not listed or any(set(each) != set(row.fields) for each in listed):
                wrong[route] = (answer.status_code, answer.text[:300])
            if not row.is_list and isinstance(found, dict) and "id" in found:
                ids[route] = found["id"]

    assert wrong == {}
