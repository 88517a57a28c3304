"""Webhooks: signed, tried again, to this machine alone, in the journal, and spoilt on purpose."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from scripts.reference import WEBHOOK_FAULTS
from tests.conftest import Serve
from tests.serving import RunningMock
from vlmrun_mock.mock.faults import WEBHOOK_KINDS
from vlmrun_mock.mock.webhooks import refusal

SECRET = "whsec-of-the-test"
PATIENCE = 15


class Receiver:
    """A receiver of webhooks: what came, and the statuses that it answers next."""

    def __init__(self) -> None:
        self.received: list[tuple[bytes, dict[str, str]]] = []
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.received.append((body, dict(self.headers)))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        """Wait until so many webhooks have come, and return them."""
        deadline = time.monotonic() + PATIENCE
        while len(self.received) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(self.received) >= count
        return [json.loads(body) for body, _ in self.received]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return a receiver that listens."""
    found = Receiver()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


def predict(served: RunningMock, callback_url: str, url: str = "https://a.b/c.pdf") -> str:
    """Ask for a batch, and return its id."""
    body = {"url": url, "domain": "document.invoice", "callback_url": callback_url}
    found: str = served.http.post("/v1/document/generate", json=body).json()["id"]
    return found


def journal(served: RunningMock, attempts: int = 1) -> list[dict[str, Any]]:
    """Return the webhooks in the journal, as soon as the last one has so many attempts, or was skipped."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found: list[dict[str, Any]] = served.http.get("/_mock/webhooks").json()["webhooks"]
        if found and (found[-1]["skipped"] or len(found[-1]["attempts"]) >= attempts):
            return found
        time.sleep(0.01)
    raise AssertionError("no webhook was sent")


def test_a_batch_is_told_of_when_it_is_done_and_signed(serve: Serve, receiver: Receiver) -> None:
    served = serve(webhook_secret=SECRET)

    prediction = predict(served, receiver.url)
    (told,) = receiver.wait_for(1)

    raw, headers = receiver.received[0]
    assert (told["id"], told["status"]) == (prediction, "completed")
    assert told["response"]["invoice_id"]
    assert told == served.http.get(f"/v1/predictions/{prediction}").json()
    digest = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    assert headers["X-VLMRun-Signature"] == f"sha256={digest}"
    (entry,) = journal(served)
    assert (entry["kind"], entry["subject"], entry["delivered"]) == ("prediction", prediction, True)


def test_without_a_secret_there_is_no_signature(serve: Serve, receiver: Receiver) -> None:
    predict(serve(), receiver.url)

    receiver.wait_for(1)

    assert not any(name.lower() == "x-vlmrun-signature" for name in receiver.received[0][1])


def test_executions_and_agents_are_told_of_too(serve: Serve, receiver: Receiver) -> None:
    served = serve()

    execution = served.http.post("/v1/agent/execute", json={"name": "a", "callback_url": receiver.url}).json()
    receiver.wait_for(1)
    body = {"config": {"prompt": "Who?"}, "callback_url": receiver.url}
    agent = served.http.post("/v1/agent/create", json=body).json()

    first, second = receiver.wait_for(2)
    assert (first["id"], first["status"]) == (execution["id"], "completed")
    assert second == agent


def test_a_receiver_that_fails_is_tried_twice_again(serve: Serve, receiver: Receiver) -> None:
    served = serve()
    receiver.statuses += [500, 503]

    predict(served, receiver.url)
    receiver.wait_for(3)

    (entry,) = journal(served, attempts=3)
    assert [attempt["status"] for attempt in entry["attempts"]] == [500, 503, 204]
    times = [attempt["time"] for attempt in entry["attempts"]]
    assert times[1] - times[0] >= 0.9
    assert times[2] - times[1] >= 1.9


def test_a_dead_receiver_never_shows_in_the_api(serve: Serve) -> None:
    served = serve()

    prediction = predict(served, "http://127.0.0.1:1/nobody")

    (entry,) = journal(served)
    assert entry["delivered"] is False
    assert "Connect" in entry["attempts"][0]["error"]
    assert served.http.get(f"/v1/predictions/{prediction}").json()["status"] == "completed"


def test_another_machine_is_only_in_the_journal(serve: Serve) -> None:
    served = serve()

    predict(served, "https://hooks.example.com/a")

    (entry,) = journal(served)
    assert entry["attempts"] == []
    assert "--webhook-host" in entry["skipped"]


@pytest.mark.parametrize(
    ("url", "allowed", "is_sent"),
    [
        ("http://127.0.0.1:80/a", (), True),
        ("http://[::1]/a", (), True),
        ("https://localhost/a", (), True),
        ("http://app.localhost/a", (), True),
        ("http://10.0.0.1/a", (), False),
        ("http://localhost.example.com/a", (), False),
        ("http://127.0.0.1.example.com/a", (), False),
        ("http://hooks.example.com/a", ("hooks.example.com",), True),
        ("http://hooks.example.com/a", ("*",), True),
        ("ftp://127.0.0.1/a", ("*",), False),
        ("http://[half", ("*",), False),
        ("nonsense", ("*",), False),
    ],
)
def test_what_is_sent_where(url: str, allowed: tuple[str, ...], is_sent: bool) -> None:
    assert (refusal(url, allowed) is None) is is_sent


def test_the_reference_names_every_fault_of_webhooks() -> None:
    assert list(WEBHOOK_FAULTS) == list(WEBHOOK_KINDS)


def arm(served: RunningMock, kind: str, **further: Any) -> None:
    """Arm a fault that strikes the next webhook."""
    assert served.http.post("/_mock/faults", json={"kind": kind, **further}).status_code == 201


def test_a_late_webhook_comes_after_its_latency(serve: Serve, receiver: Receiver) -> None:
    served = serve()
    arm(served, "webhook-late", latency_ms=700)
    began = time.monotonic()

    predict(served, receiver.url)
    receiver.wait_for(1)

    assert time.monotonic() - began >= 0.6
    assert journal(served)[0]["fault"] == "webhook-late"


def test_a_webhook_comes_twice(serve: Serve, receiver: Receiver) -> None:
    served = serve()
    arm(served, "webhook-twice")

    predict(served, receiver.url)

    first, second = receiver.wait_for(2)
    assert first == second


def test_two_webhooks_come_out_of_order(serve: Serve, receiver: Receiver) -> None:
    served = serve()
    arm(served, "webhook-reordered")

    ids = [predict(served, receiver.url, url) for url in ("https://a.b/1.pdf", "https://a.b/2.pdf")]

    assert [told["id"] for told in receiver.wait_for(2)] == ids[::-1]


def test_a_webhook_is_signed_with_another_secret(serve: Serve, receiver: Receiver) -> None:
    served = serve(webhook_secret=SECRET)
    arm(served, "webhook-forged")

    predict(served, receiver.url)
    receiver.wait_for(1)

    raw, headers = receiver.received[0]
    digest = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    assert headers["X-VLMRun-Signature"].startswith("sha256=")
    assert headers["X-VLMRun-Signature"] != f"sha256={digest}"


def test_a_receiver_that_is_down_gets_the_second_attempt(serve: Serve, receiver: Receiver) -> None:
    served = serve()
    arm(served, "webhook-down")

    predict(served, receiver.url)
    receiver.wait_for(1)

    (entry,) = journal(served, attempts=2)
    assert [attempt["status"] for attempt in entry["attempts"]] == [None, 204]
    assert "injected" in entry["attempts"][0]["error"]


def test_a_fault_of_webhooks_strikes_no_request(serve: Serve) -> None:
    served = serve()
    arm(served, "webhook-twice")

    assert served.chat(domain="document.invoice").status_code == 201
    assert served.http.get("/_mock/faults").json()["faults"][0]["struck"] == 0
