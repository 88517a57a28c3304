"""The journal keeps what a test asks about, in order, and never more than its bounds."""

from __future__ import annotations

import gc
import json
import re
import sys
import threading
import tracemalloc
from typing import Any

import pytest

from scripts.reference import DOCS
from tests.serving import data_url, image_message, picture
from vlmrun_mock.api import chat_parser
from vlmrun_mock.mock.journal import Entry, Journal, JournalQuery
from vlmrun_mock.mock.request_summary import summarise


def entry(number: int = 0, *, about: dict[str, Any] | None = None, **facts: Any) -> Entry:
    """Return an entry about a request body."""
    from_body = None
    if about is not None:
        request = chat_parser.parse(json_bytes(about)).extraction
        from_body = summarise(request)
    return Entry(
        **{"id": f"r{number}", "time": float(number), "seconds": 0.5, "status": 201, "request": from_body, **facts}
    )


def json_bytes(body: dict[str, Any]) -> bytes:
    """Return a body as it is sent."""
    return json.dumps(body).encode()


def ids(entries: Any) -> list[str]:
    """Return the ids of entries, in order."""
    return [each.id for each in entries]


def test_entries_are_kept_in_the_order_in_which_they_were_added() -> None:
    kept = Journal()

    for number in (3, 1, 2):
        kept.add(entry(number))

    assert ids(kept) == ["r3", "r1", "r2"]
    assert len(kept) == 3


def test_the_oldest_entries_make_room_and_are_counted() -> None:
    kept = Journal(most_entries=3)

    for number in range(10):
        kept.add(entry(number))

    assert ids(kept) == ["r7", "r8", "r9"]
    assert kept.dropped == 7


def test_a_latest_entry_over_the_bound_is_kept_alone() -> None:
    kept = Journal(most_bytes=10_000)

    kept.add(entry(0))
    kept.add(entry(1, about={"messages": [{"content": "x" * 20_000}]}))

    assert ids(kept) == ["r1"]


def test_requests_with_long_texts_take_no_more_than_the_bound() -> None:
    kept = Journal(most_bytes=2_000_000)
    body = {
        "messages": [{"content": "x"}],
        "vlmrun": {"domain": "document.invoice", "metadata": {"a": list(range(500))}},
    }
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()

    for number in range(200):
        body["messages"] = [{"content": f"{number} " + "€" * 30_000}]
        kept.add(entry(number, about=body))

    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(kept) + kept.dropped == 200
    assert len(kept) > 25
    assert after - before < 2_000_000


def test_an_entry_as_data_holds_documents_without_their_bytes() -> None:
    body = {"messages": image_message(picture(1))}

    data = entry(about=body).as_json()

    (document,) = data["documents"]
    assert document["identity"].startswith("sha256:")
    assert set(document) == {"identity", "kind", "media_type", "size", "width", "height", "filename"}
    assert data_url(picture(1))[30:60] not in json_bytes(data).decode()


def test_the_control_api_page_explains_every_key_of_an_entry() -> None:
    section = (
        (DOCS / "control-api.md").read_text(encoding="utf-8").partition("| key of a request |")[2].partition("\n\n")[0]
    )

    explained = {
        name for row in re.findall(r"^\| (.+?) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }

    assert explained == set(entry().as_json())


def test_an_unreadable_body_is_known_by_its_digest() -> None:
    data = entry(digest="abc", status=422).as_json()

    assert data["fingerprint"] == "abc"
    assert data["domain"] is None
    assert data["model"] is None
    assert data["documents"] == ()


INVOICE = {"messages": [{"content": "a"}], "domain": "document.invoice"}
KEPT = (
    entry(1, about=INVOICE, source="fixture"),
    entry(2, about=INVOICE, status=503, fault="error"),
    entry(3, about={"messages": [{}]}, source="generated"),
    entry(4, status=422),
)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (JournalQuery(), ["r1", "r2", "r3", "r4"]),
        (JournalQuery(id="r2"), ["r2"]),
        (JournalQuery(domain="document.invoice"), ["r1", "r2"]),
        (JournalQuery(status=503), ["r2"]),
        (JournalQuery(status=0), []),
        (JournalQuery(source="generated"), ["r3"]),
        (JournalQuery(fault="error"), ["r2"]),
        (JournalQuery(since=2.0, until=3.0), ["r2", "r3"]),
        (JournalQuery(domain="document.invoice", status=201), ["r1"]),
    ],
)
def test_a_query_wants_what_agrees_in_all_that_it_names(query: JournalQuery, wanted: list[str]) -> None:
    assert ids(each for each in KEPT if query.wants(each)) == wanted


def test_removed_entries_make_room_for_others() -> None:
    kept = Journal(most_entries=4)
    for each in KEPT:
        kept.add(each)

    removed = kept.remove(JournalQuery(domain="document.invoice"))
    for number in (5, 6):
        kept.add(entry(number))

    assert removed == 2
    assert ids(kept) == ["r3", "r4", "r5", "r6"]
    assert kept.dropped == 0


def test_removed_bytes_are_given_back() -> None:
    kept = Journal(most_bytes=100_000)
    long = {"messages": [{"content": "x" * 20_000}], "domain": "document.invoice"}

    for number in range(50):
        kept.add(entry(number, about=long))
        kept.remove(JournalQuery(domain="document.invoice"))

    assert len(kept) == 0
    assert kept.dropped == 0


def test_a_cleared_journal_is_as_new() -> None:
    kept = Journal(most_entries=1)
    kept.add(entry(1))
    kept.add(entry(2))

    kept.clear()

    assert ids(kept) == []
    assert kept.dropped == 0


def test_it_is_read_safely_while_others_write_and_remove() -> None:
    kept = Journal(most_entries=50)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    failures: list[BaseException] = []
    removed: list[int] = []

    def write(offset: int) -> None:
        for number in range(2_000):
            kept.add(entry(offset + number))

    def read() -> None:
        try:
            for _ in range(300):
                found = ids(kept)
                assert len(found) <= 50
                assert len(set(found)) == len(found)
                removed.append(kept.remove(JournalQuery(id=found[0] if found else "none")))
        except BaseException as failure:  # noqa: BLE001 - a thread's failure is asserted on below
            failures.append(failure)

    threads = [threading.Thread(target=write, args=(offset,)) for offset in (0, 10_000)]
    threads += [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    sys.setswitchinterval(interval)
    assert failures == []
    assert len(kept) + kept.dropped + sum(removed) == 4_000
