"""VLM Run's own Python SDK uploads files to the mock."""

from __future__ import annotations

from pathlib import Path

import pytest
from vlmrun.client import VLMRun
from vlmrun.client.exceptions import ResourceNotFoundError
from vlmrun.client.types import PresignedUrlRequest

from tests.conftest import Serve
from tests.serving import picture


@pytest.fixture
def client(serve: Serve) -> VLMRun:
    """Return VLM Run's client for a server of its own."""
    return VLMRun(api_key="test", base_url=f"{serve().url}/v1", max_retries=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of a picture."""
    path = tmp_path / "scan.png"
    path.write_bytes(picture(5))
    return path


@pytest.mark.parametrize("method", ["direct", "presigned-url", "auto"])
def test_a_file_is_uploaded_listed_read_and_deleted(method: str, client: VLMRun, file: Path) -> None:
    uploaded = client.files.upload(file, method=method)

    assert uploaded.filename == "scan.png"
    assert uploaded.bytes == file.stat().st_size
    assert client.files.list() == [uploaded]
    assert client.files.get(uploaded.id) == uploaded
    assert client.files.delete(uploaded.id) == uploaded
    assert client.files.list() == []


def test_a_file_that_was_uploaded_is_not_sent_again(client: VLMRun, file: Path) -> None:
    missing = client.files.get_cached_file(file)
    first = client.files.upload(file, purpose="vision")

    second = client.files.upload(file)
    third = client.files.upload(file, force=True)

    assert missing is None
    assert second.id == first.id != third.id
    assert second.purpose == "assistants"


def test_an_address_for_an_upload_is_made_without_a_purpose(client: VLMRun) -> None:
    announced = client.files.generate_presigned_url(PresignedUrlRequest(filename="a.mp4"))

    assert announced.content_type == "video/mp4"
    assert announced.url
    assert announced.url.endswith("/a.mp4")


def test_an_unknown_file_is_not_found(client: VLMRun) -> None:
    with pytest.raises(ResourceNotFoundError, match="File not found"):
        client.files.get("none")


def test_a_file_above_the_direct_limit_goes_to_an_address_of_its_own(client: VLMRun, tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    large.write_bytes(b"0123456789abcdef" * (2 * 1024 * 1024 + 1))

    uploaded = client.files.upload(large)

    assert uploaded.bytes == large.stat().st_size > 32 * 1024 * 1024
