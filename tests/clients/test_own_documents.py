"""Documents of our own go through the official SDKs: each answer is what is printed, each box lies on its text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from vlmrun.client import VLMRun
from vlmrun.client.predictions import get_response_model

from tests.conftest import Serve
from tests.printed import printed, unsaid, wrong_boxes
from tests.serving import RunningMock
from vlmrun_mock.documents import identity
from vlmrun_mock.documents.printer import Printer, crafted
from vlmrun_mock.fixtures.domains import packaged
from vlmrun_mock.fixtures.printed import Press, PrintedDocument

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:datamodel_code_generator")


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    """Empty the module-level cache of the client, which would answer in place of the server."""
    get_response_model.cache.clear()
    yield
    get_response_model.cache.clear()


@pytest.fixture(scope="module")
def count(pytestconfig: pytest.Config) -> int:
    """Return how many documents of each domain are sent."""
    return 20 if pytestconfig.getoption("campaign") else 2


def by_chat(served: RunningMock, document: PrintedDocument, **config: Any) -> Any:
    """Return the answer to a document that OpenAI's SDK sends in a chat."""
    file = {"type": "file", "file": {"filename": document.filenames[0], "file_data": document.url}}
    completion = served.openai().chat.completions.create(
        model="vlm-1",
        messages=[{"role": "user", "content": [file]}],  # type: ignore[list-item, misc]  # a dict is what is sent
        extra_body={"vlmrun": {"domain": document.domain, "config": config}},
    )
    return json.loads(completion.choices[0].message.content or "")


def boxes_in(value: Any, pointer: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Yield the boxes in a grounded answer, by the JSON Pointers of the values, as a fixture has them."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from boxes_in(item, f"{pointer}/{index}")
    elif isinstance(value, dict):
        for name, inner in value.items():
            where = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            told = value.get(f"{name}_metadata")
            if name.endswith("_metadata"):
                continue
            if told:
                yield where, told["bboxes"]
            else:
                yield from boxes_in(inner, where)


def boxes_of(document: PrintedDocument, pointer: str) -> list[Any]:
    """Return the boxes of a value of a document, which for a list of texts are those of its items."""
    items = (document.boxes.get(f"{pointer}/{index}") for index in range(1_000))
    return document.boxes.get(pointer) or [box for boxes in items for box in boxes or ()]


@pytest.mark.parametrize("domain", crafted())
def test_the_official_sdks_get_what_is_printed(serve: Serve, tmp_path: Path, domain: str, count: int) -> None:
    documents = [printed(domain, seed) for seed in range(count)]
    paths = [document.save(tmp_path) for document in documents]
    served = serve(fixtures=(tmp_path,), strict=True)
    vlmrun = VLMRun(api_key="test", base_url=f"{served.url}/v1", max_retries=1)

    for document, path in zip(documents, paths, strict=True):
        prediction = vlmrun.document.generate(domain=domain, file=path, autocast=False)

        fixture = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        assert by_chat(served, document) == document.answer == prediction.response
        assert fixture["answer"]["boxes"] == json.loads(json.dumps(document.boxes))
        grounded = dict(boxes_in(by_chat(served, document, grounding=True)))
        assert grounded
        assert grounded == {pointer: boxes_of(document, pointer) for pointer in grounded}
        assert sum(map(len, grounded.values())) == sum(map(len, document.boxes.values()))
        assert unsaid(document) == []
        assert wrong_boxes(document) == []


@pytest.mark.parametrize(
    "domain",
    [
        domain if index % 5 == 0 else pytest.param(domain, marks=pytest.mark.campaign)
        for index, domain in enumerate(crafted())
    ],
)
def test_pictures_that_the_sdk_encodes_anew_get_what_is_printed(serve: Serve, tmp_path: Path, domain: str) -> None:
    known = packaged().get(domain)
    assert known is not None
    document = Press(Printer(), "png").of_domain(known, 1)
    document.save(tmp_path)
    served = serve(fixtures=(tmp_path,), strict=True)
    vlmrun = VLMRun(api_key="test", base_url=f"{served.url}/v1", max_retries=1)
    pages: list[Any] = [tmp_path / name for name in document.filenames]

    prediction = vlmrun.image.generate(images=pages, domain=domain, autocast=False)

    (entry,) = served.http.get("/_mock/requests").json()["requests"]
    assert prediction.response == document.answer
    assert [each["identity"] for each in entry["documents"]] == [identity.identity(file) for file in document.files]
