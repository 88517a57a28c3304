"""Files: uploaded in a form or to an address of their own, known by their bytes whichever way a request names them."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import httpx
import pytest

from tests.conftest import Put, Serve
from tests.serving import RunningMock, content, data_url, picture, source
from vlmrun_mock.documents.identity import identity
from vlmrun_mock.mock.files import Arrival, Files
from vlmrun_mock.mock.ids import Ids
from vlmrun_mock.seed import Seed, Stamp

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "datasets", "assistants_output", "batch_output")


def upload(served: RunningMock, data: bytes, name: str = "a.png", **query: Any) -> httpx.Response:
    """Send a file in a form."""
    return served.http.post("/v1/files", files={"file": (name, data)}, params=query)


def presigned(served: RunningMock, data: bytes, name: str = "big.png") -> dict[str, Any]:
    """Send a file to an address of its own; return what announced it."""
    announced: dict[str, Any] = served.http.post("/v1/files/presigned-url", json={"filename": name}).json()
    assert httpx.put(announced["url"], content=data).status_code == 200
    return announced


def test_a_file_has_the_documented_fields(serve: Serve) -> None:
    served, data = serve(), picture(1)

    answer = upload(served, data, "scan 1.png", purpose="vision")

    file = answer.json()
    assert answer.status_code == 201
    assert list(file) == ["id", "filename", "bytes", "purpose", "created_at", "object", "public_url"]
    assert (file["filename"], file["bytes"], file["purpose"], file["object"]) == (
        "scan 1.png",
        len(data),
        "vision",
        "file",
    )
    assert file["created_at"] == "2025-01-01T00:00:00.000000Z"
    assert file["public_url"] == f"{served.url}/_mock/files/{file['id']}/scan%201.png"
    assert served.http.get(f"/v1/files/{file['id']}").json() == file


def test_all_that_is_wrong_with_a_query_is_told_and_nothing_is_done(serve: Serve) -> None:
    served = serve()
    kept = upload(served, b"data").json()["id"]

    posted = upload(served, b"more", purpose="fun", generate_public_url="perhaps")
    deleted = served.http.delete(f"/v1/files/{kept}?generate_public_url=perhaps")
    listed = served.http.get("/v1/files?skip=-1&limit=many&generate_public_url=perhaps")

    told = [
        [(problem["loc"][1], problem["type"]) for problem in answer.json()["detail"]]
        for answer in (posted, deleted, listed)
    ]
    assert {answer.status_code for answer in (posted, deleted, listed)} == {422}
    assert told == [
        [("purpose", "enum"), ("generate_public_url", "bool_parsing")],
        [("generate_public_url", "bool_parsing")],
        [("skip", "greater_than_equal"), ("limit", "int_parsing"), ("generate_public_url", "bool_parsing")],
    ]
    assert [file["id"] for file in served.http.get("/v1/files").json()] == [kept]


@pytest.mark.parametrize("purpose", PURPOSES)
def test_every_documented_purpose_is_taken(purpose: str, serve: Serve) -> None:
    assert upload(serve(), b"data", purpose=purpose).json()["purpose"] == purpose


def test_another_purpose_is_a_422(serve: Serve) -> None:
    answer = upload(serve(), b"data", purpose="fun")

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "purpose"]


def test_equal_bytes_make_a_further_file_and_the_hash_finds_the_oldest(serve: Serve) -> None:
    served, data = serve(), picture(1)

    first, second = (upload(served, data, purpose="vision").json() for _ in range(2))
    found = served.http.get(f"/v1/files/hash/{hashlib.md5(data, usedforsecurity=False).hexdigest()}").json()

    assert first["id"] != second["id"]
    assert found == {**first, "purpose": "assistants"}


def test_ids_are_the_same_in_another_server(serve: Serve) -> None:
    ids = [[upload(served, picture(1)).json()["id"] for _ in range(2)] for served in (serve(), serve())]

    assert ids[0] == ids[1]


def test_files_are_listed_newest_first_in_pages(serve: Serve) -> None:
    served = serve()
    ids = [upload(served, picture(number)).json()["id"] for number in range(12)][::-1]

    def listed(**query: Any) -> list[str]:
        return [file["id"] for file in served.http.get("/v1/files", params=query).json()]

    assert listed() == ids[:10]
    assert listed(skip=10) == ids[10:]
    assert listed(skip=1, limit=2) == ids[1:3]


@pytest.mark.parametrize(
    ("query", "place"),
    [({"limit": 0}, "limit"), ({"limit": 1001}, "limit"), ({"limit": "x"}, "limit"), ({"skip": -1}, "skip")],
)
def test_a_page_that_is_none_is_a_422(query: dict[str, Any], place: str, served: RunningMock) -> None:
    answer = served.http.get("/v1/files", params=query)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", place]


def test_a_file_without_a_public_url_has_one_in_the_next_answer(serve: Serve) -> None:
    served = serve()

    file = upload(served, b"data", generate_public_url="False").json()

    assert file["public_url"] is None
    assert served.http.get(f"/v1/files/{file['id']}").json()["public_url"].endswith("/a.png")


def test_a_deleted_file_is_gone(serve: Serve) -> None:
    served = serve()
    file = upload(served, b"data").json()

    deleted = served.http.delete(f"/v1/files/{file['id']}")

    assert (deleted.status_code, deleted.json()) == (200, file)
    assert [
        served.http.get(path).status_code for path in (f"/v1/files/{file['id']}", f"/_mock/files/{file['id']}/a.png")
    ] == [404, 404]


@pytest.mark.parametrize("path", ["/v1/files/an-id", "/v1/files/hash/0123", "/v1/files/verify-upload/an-id"])
def test_an_unknown_file_is_a_404(path: str, served: RunningMock) -> None:
    answer = served.http.get(path)

    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("File not found")


def test_bytes_that_were_announced_are_sent_without_a_key_and_verified(serve: Serve) -> None:
    served, data = serve(), picture(3)
    announced = served.http.post("/v1/files/presigned-url", json={"filename": "a.pdf", "expiration": 60}).json()
    early = served.http.get(f"/v1/files/verify-upload/{announced['id']}")

    put = httpx.put(announced["url"], content=data)
    late = served.http.get(f"/v1/files/verify-upload/{announced['id']}")

    assert (announced["method"], announced["upload_method"]) == ("PUT", "PUT")
    assert (announced["content_type"], announced["expiration"]) == ("application/pdf", 60)
    assert (early.status_code, put.status_code, late.status_code) == (404, 200, 200)
    assert late.json()["bytes"] == len(data)
    assert httpx.get(announced["public_url"]).content == data


def test_the_public_url_gives_the_bytes_to_anyone_and_acts_as_no_page_of_the_mock(serve: Serve) -> None:
    served = serve()
    file = upload(served, b"<script>", "a.html").json()

    got, head = httpx.get(file["public_url"]), httpx.head(file["public_url"])

    assert got.content == b"<script>"
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "8", b"")
    assert got.headers["content-security-policy"] == "sandbox"


@pytest.mark.parametrize(
    "way", ["file_id", "input_file", "file", "public_url", "data URL", "another host", "presigned"]
)
def test_a_document_is_the_same_whichever_way_it_comes(way: str, serve: Serve, put: Put) -> None:
    data = picture(7)
    served = serve(fixtures=(put("a.json", {"content": {"found": 1}}, documents=[identity(data)]),), strict=True)
    file = upload(served, data).json()
    url = file["public_url"]
    part = {
        "file_id": {"type": "input_file", "file_id": file["id"]},
        "input_file": {"type": "input_file", "input_file": {"file_id": file["id"]}},
        "file": {"type": "file", "file": {"file_id": file["id"]}},
        "public_url": {"type": "file_url", "file_url": {"url": url}},
        "data URL": {"type": "image_url", "image_url": {"url": data_url(data)}},
        "another host": {"type": "image_url", "image_url": {"url": url.replace(served.url, "https://mock.example")}},
        "presigned": {"type": "input_file", "file_id": presigned(served, data)["id"]},
    }[way]

    answer = served.chat(messages=[{"role": "user", "content": [part]}])

    assert source(answer) == ("fixture", "a.json")
    assert content(answer) == {"found": 1}


def test_an_answer_follows_a_file_that_came_or_went_since(serve: Serve, put: Put) -> None:
    data = picture(7)
    served = serve(fixtures=(put("a.json", {"content": {"found": 1}}, documents=[identity(data)]),))
    file_id = upload(serve(), data).json()["id"]
    body = {"messages": [{"content": [{"type": "input_file", "file_id": file_id}]}], "domain": "document.invoice"}

    before = source(served.chat(**body))
    assert upload(served, data).json()["id"] == file_id
    between = source(served.chat(**body))
    served.http.delete(f"/v1/files/{file_id}")
    after = source(served.chat(**body))

    assert before == after == ("fixture", "document.invoice/answer.json")
    assert between == ("fixture", "a.json")


def test_a_key_does_not_see_the_files_of_another_and_a_reset_forgets_them(serve: Serve) -> None:
    served = serve()
    file = upload(served, b"data").json()
    other = {"Authorization": "Bearer other"}

    assert served.http.get("/v1/files", headers=other).json() == []
    assert served.http.get(f"/v1/files/{file['id']}", headers=other).status_code == 404
    served.http.post("/_mock/reset")
    assert served.http.get("/v1/files").json() == []


@pytest.mark.parametrize(
    ("content_type", "raw", "reason"),
    [
        ("application/json", b"{}", "multipart/form-data"),
        ("multipart/form-data", b"x", "boundary"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=file\r\n\r\nx", "too early"),
        ("multipart/form-data; boundary=b", b"--b\r\nnonsense\r\n--b--\r\n", "head"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Type: a/b\r\n\r\nx\r\n--b--\r\n", "no name"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="other"\r\n\r\nx\r\n--b--\r\n',
            "Field required",
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n\r\n--b--\r\n',
            "empty",
        ),
    ],
    ids=["JSON", "no boundary", "cut short", "no head", "no name", "no file", "an empty file"],
)
def test_a_form_that_is_none_is_a_422_that_says_why(
    content_type: str, raw: bytes, reason: str, served: RunningMock
) -> None:
    answer = served.http.post("/v1/files", content=raw, headers={"Content-Type": content_type})

    assert answer.status_code == 422
    assert reason in answer.json()["detail"][0]["msg"]


def test_names_that_are_no_plain_ascii_and_bytes_that_look_like_a_boundary_come_through(serve: Serve) -> None:
    served, data = serve(), b"--b\r\n\r\n--b--\r\n\r\n" + bytes(range(256))

    file = upload(served, data, 'Müller "&" Söhne.bin').json()

    assert file["filename"] == 'Müller "&" Söhne.bin'
    assert httpx.get(file["public_url"]).content == data


def test_what_does_not_fit_into_memory_is_in_a_private_folder_that_a_reset_removes() -> None:
    files = Files(Stamp(Seed()), Ids(Stamp(Seed())), memory=100_000, mark="")
    small, large = Arrival(files), Arrival(files)
    small.write(b"a" * 60_000)
    kept = files.add("small", "vision", small.content("small"))
    for _ in range(5):
        large.write(b"b" * 50_000)
    path = files.add("large", "vision", large.content("large")).content
    assert path
    assert path.path

    assert kept.content
    assert kept.content.data == b"a" * 60_000
    assert path.path.parent.stat().st_mode & 0o077 == 0
    assert path.read() == b"b" * 250_000
    assert path.document.identity == identity(b"b" * 250_000)
    files.close()
    assert not path.path.parent.exists()


def test_a_local_page_may_send_and_read_files_and_nothing_else_of_the_mock(serve: Serve) -> None:
    served, page = serve(), {"Origin": "http://localhost:3000"}
    announced = served.http.post("/v1/files/presigned-url", json={"filename": "a.png"}, headers=page).json()

    put = httpx.put(announced["url"], content=b"data", headers=page)
    preflight = httpx.options(announced["url"], headers={**page, "Access-Control-Request-Method": "PUT"})

    assert put.status_code == 200
    assert put.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    assert httpx.get(announced["public_url"], headers=page).content == b"data"
    assert httpx.get(f"{served.url}/_mock/requests", headers=page).status_code == 403


def test_base64_of_a_file_counts_as_its_bytes(serve: Serve, put: Put) -> None:
    data = picture(9)
    served = serve(fixtures=(put("a.json", {"content": {}}, documents=[identity(data)]),), strict=True)

    answer = served.chat(
        messages=[{"content": [{"type": "file", "file": {"file_data": base64.b64encode(data).decode()}}]}]
    )

    assert answer.status_code == 201
