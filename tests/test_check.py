"""All that is wrong with folders of fixtures is found, each at its place, and nothing that is right."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests.conftest import Put, Serve
from tests.samples import SAMPLES
from tests.serving import picture
from tests.test_secret import SECRETS
from vlmrun_mock import chat_parser, recording, recording_file
from vlmrun_mock.check import check
from vlmrun_mock.domains import packaged
from vlmrun_mock.finding import CODES, LONGEST_MESSAGE, Report
from vlmrun_mock.hub import Hub
from vlmrun_mock.hub import packaged as packaged_hub
from vlmrun_mock.recording import Said

Write = Callable[[str, str | bytes], Path]
Told = tuple[str, str, str, str]
"""Of a finding: the file, the place, the level and the code."""

ROOT = Path(__file__).parent.parent
DOMAINS = packaged()
HUB = packaged_hub(DOMAINS)
INVOICE = "document.invoice"
OCR = "document.ocr"
HELLO: dict[str, Any] = {"content": "hello"}
ADDRESS = "customer_billing_address"


def report(*folders: Path, hub: Hub = HUB) -> Report:
    """Return what is wrong with folders; whatever it is, it is one of the codes, and says what to do."""
    found = check(folders, DOMAINS, hub)
    assert {finding.code for finding in found.findings} <= CODES.keys()
    assert all(finding.message for finding in found.findings)
    return found


def told(*folders: Path, hub: Hub = HUB) -> list[Told]:
    """Return the findings without what they say; the files by their path in the first folder."""
    findings = report(*folders, hub=hub).findings
    files = [Path(os.path.relpath(finding.file, folders[0])).as_posix() for finding in findings]
    return [(file, each.place, each.level, each.code) for file, each in zip(files, findings, strict=True)]


def messages(*folders: Path, hub: Hub = HUB) -> list[str]:
    return [finding.message for finding in report(*folders, hub=hub).findings]


def changed(name: str, change: Callable[[dict[str, Any]], None], version: str = "9.9.9") -> Hub:
    """Return the hub of a later release in which the schema of a domain has changed."""
    schema = json.loads(json.dumps(HUB.schemas[name]))
    change(schema)
    return Hub(version, "installed", {**HUB.schemas, name: schema})


def test_what_is_packaged_is_in_order(tmp_path: Path) -> None:
    for name in DOMAINS.names():
        shutil.copytree(ROOT / "fixtures" / name, tmp_path / name, ignore=shutil.ignore_patterns("schema.json"))

    found = report(tmp_path)

    assert found.findings == ()
    assert (found.ok, found.files, found.hub) == (True, len(DOMAINS.names()), str(HUB))


def test_the_examples_of_the_readme_are_in_order(tmp_path: Path, write: Write) -> None:
    tokens = MarkdownIt().parse((ROOT / "README.md").read_text(encoding="utf-8"))
    examples = [each.content for each in tokens if each.info == "json" and '"match"' in each.content]
    write("pictures/acme.jpg", picture(1, kind="JPEG"))
    for number, example in enumerate(examples):
        write(f"{number}.json", example)

    found = report(tmp_path)

    assert (found.findings, found.files) == ((), len(examples))
    assert found.files >= 2


def test_what_was_recorded_is_in_order(tmp_path: Path, serve: Serve) -> None:
    served = serve(unknown_domain="generate")
    for sample in SAMPLES.values():
        response = served.chat(**sample)
        request = chat_parser.parse(json.dumps(sample).encode())
        request = replace(request, domain=DOMAINS.canonical(request.domain))
        said = Said(response.status_code, response.headers, response.content, 1.0)
        recorded = recording.record(request, said, DOMAINS, keys=())
        recording_file.write(tmp_path, recording_file.name_of(request), recorded)

    found = report(tmp_path)

    assert found.findings == ()
    assert found.files > 20


# Malformed


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        ("{", "", "is not JSON"),
        (b"\xff\xfe", "", "is not JSON"),
        ("[]", "", "it should be an object"),
        ("{}", "", "exactly one of answer and answers is required"),
        ('{"answer": {"content": 5}}', "answer.content", "it should be an object, or it should be a list"),
        ('{"answer": {"content": "x"}, "match": {"domian": "x"}}', "match.domian", "this key is unknown"),
        ('{"answer": {"merge": {}}}', "answer.merge", "there is no packaged answer to merge into"),
        ('{"answer": {"content": "x"}, "match": {"documents": ["../a"]}}', "match.documents.0", "it leads out of"),
        ('{"answer": {"content": "x"}, "match": {"documents": ["a"]}}', "match.documents.0", "'a' cannot be read"),
        ('{"answer": {"content": "x"}, "match": {"documents": ["sha256:1"]}}', "match.documents.0", "64 lower-case"),
    ],
)
def test_what_does_not_load_is_an_error(
    tmp_path: Path, write: Write, content: str | bytes, place: str, reason: str
) -> None:
    write("a.json", content)

    assert told(tmp_path) == [("a.json", place, "error", "malformed")]
    assert reason in messages(tmp_path)[0]


def test_a_link_out_of_the_folders_is_an_error(tmp_path: Path, write: Write) -> None:
    outside = write("outside.json", json.dumps({"answer": HELLO}))
    write("fixtures/a.json", json.dumps({"answer": HELLO}))
    (tmp_path / "fixtures" / "b.json").symlink_to(outside)

    assert told(tmp_path / "fixtures") == [("b.json", "", "error", "malformed")]


def test_every_mistake_of_a_file_is_named(tmp_path: Path, write: Write) -> None:
    write("a.json", json.dumps({"mach": {}, "match": {"model": 5}, "answer": {"content": "x", "latency_ms": -1}}))

    assert [place for _, place, _, _ in told(tmp_path)] == ["match.model", "answer.latency_ms", "mach"]


def test_what_is_no_folder_is_an_error_and_hides_no_other(tmp_path: Path, write: Write) -> None:
    file = write("file.json", "")
    write("fixtures/a.json", "{")

    found = report(tmp_path / "missing", file, tmp_path / "fixtures")

    assert [Path(finding.file).name for finding in found.findings] == ["missing", "file.json", "a.json"]
    assert [finding.message for finding in found.findings][:2] == ["it is no folder", "it is no folder"]
    assert (found.ok, found.files) == (False, 1)


def test_a_document_that_is_missing_hides_nothing_of_the_content(tmp_path: Path, put: Put) -> None:
    put("a.json", {"content": {"invoice_id": 5}}, domain=INVOICE, documents=["gone.png"])

    assert told(tmp_path) == [
        ("a.json", "match.documents.0", "error", "malformed"),
        ("a.json", "answer.content.invoice_id", "error", "schema"),
    ]


# Schemas


def test_every_field_that_violates_a_schema_of_the_hub_is_an_error(tmp_path: Path, put: Put) -> None:
    content = {"invoice_id": 5, "items": [{"quantity": "x"}, {"unit_price": []}], ADDRESS: {"city": 1, "state": 2}}
    put("a.json", {"content": content}, domain=INVOICE)

    places = ["invoice_id", "items.0.quantity", "items.1.unit_price", f"{ADDRESS}.city", f"{ADDRESS}.state"]
    assert told(tmp_path) == [("a.json", f"answer.content.{place}", "error", "schema") for place in places]
    assert messages(tmp_path)[0] == f'5 is not of type "string", by the schema of document.invoice ({HUB.release})'


def test_a_schema_of_ours_is_only_a_warning(tmp_path: Path, put: Put) -> None:
    put("a.json", {"content": {"pages": 5, "page": 1}}, domain=OCR)

    assert told(tmp_path) == [
        ("a.json", "answer.content.pages", "warning", "schema"),
        ("a.json", "answer.content.page", "warning", "unknown_field"),
    ]
    assert report(tmp_path).ok


@pytest.mark.parametrize(
    ("answer", "place"),
    [
        ({"content": '{"invoice_id": 5}'}, "content.invoice_id"),
        ({"content": "[]"}, "content"),
        ({"merge": {"invoice_id": 5}}, "merge.invoice_id"),
        ({"merge": {"items": [{"quantity": "x"}]}}, "merge.items.0.quantity"),
        ({"content": {"invoice_id": 5}, "completion": {"choices": [{"message": {}}]}}, "content.invoice_id"),
    ],
    ids=["JSON in a text", "a list in a text", "a patch", "a list in a patch", "recorded"],
)
def test_content_is_held_against_its_schema_however_it_is_given(
    tmp_path: Path, put: Put, answer: dict[str, Any], place: str
) -> None:
    put("one.json", answer, domain=INVOICE)
    put("several.json", [HELLO, answer], domain=INVOICE, model="vlm-1")

    assert told(tmp_path) == [
        ("one.json", f"answer.{place}", "error", "schema"),
        ("several.json", f"answers.1.{place}", "error", "schema"),
    ]


@pytest.mark.parametrize(
    "answer",
    [HELLO, {"content": "42"}, {"content": "{"}, {"error": {"status": 503, "body": {"invoice_id": 5}}}, {"merge": {}}],
    ids=str,
)
def test_what_is_no_content_of_the_domain_follows_no_schema(tmp_path: Path, put: Put, answer: dict[str, Any]) -> None:
    put("a.json", answer, domain=INVOICE)

    assert told(tmp_path) == []


@pytest.mark.parametrize("name", ["custom.delivery-note", "acme.delivery-note"])
def test_a_domain_of_ones_own_has_no_schema(tmp_path: Path, put: Put, name: str) -> None:
    put("a.json", {"content": {"anything": {"goes": 1}}}, domain=name)

    assert told(tmp_path) == []


def test_an_old_spelling_follows_the_schema_of_today(tmp_path: Path, put: Put) -> None:
    put("a.json", {"content": {"nothing_like_it": 1}}, domain="document.w2-form")

    assert ("a.json", "answer.content.nothing_like_it", "error", "unknown_field") in told(tmp_path)


CALLERS = {
    "type": "object",
    "properties": {"total": {"type": "number"}, "place": {"type": ["string", "null"]}},
    "required": ["total", "place"],
}


def test_the_callers_schema_replaces_the_domains(tmp_path: Path, put: Put) -> None:
    put("a.json", {"content": {"total": 5, "place": None, "more": 1}}, domain=INVOICE, schema=CALLERS)
    put("b.json", {"content": {"total": "5", "more": 1}}, domain=OCR, schema=CALLERS)

    assert told(tmp_path) == [
        ("b.json", "answer.content.total", "error", "schema"),
        ("b.json", "answer.content.place", "error", "schema"),
    ]
    assert messages(tmp_path)[0] == '"5" is not of type "number", by match.schema'


def test_the_callers_schema_may_forbid_what_it_does_not_name(tmp_path: Path, put: Put) -> None:
    put("a.json", {"content": {"more": 1}}, schema={"properties": {"a": {}}, "additionalProperties": False})

    assert told(tmp_path) == [("a.json", "answer.content.more", "error", "schema")]


def test_an_empty_schema_is_none_and_leaves_the_domains(tmp_path: Path, put: Put) -> None:
    put("a.json", {"content": {"invoice_id": 5}}, domain=INVOICE, schema={})

    assert told(tmp_path) == [("a.json", "answer.content.invoice_id", "error", "schema")]


def test_a_schema_that_no_request_can_have_is_told_once(tmp_path: Path, put: Put) -> None:
    answers = [{"content": {"a": 1}}, {"content": {"a": 2}}]
    put("a.json", answers, schema={"properties": {"a": {"$ref": "https://example.com/a.json"}}})

    assert told(tmp_path) == [("a.json", "match.schema.properties.a.$ref", "error", "schema")]
    assert "nothing is fetched" in messages(tmp_path)[0]


def test_a_merged_answer_is_made_to_meet_the_callers_schema(tmp_path: Path, put: Put) -> None:
    put("a.json", {"merge": {"invoice_id": "1"}}, domain=INVOICE, schema=CALLERS)

    assert told(tmp_path) == []


@pytest.mark.parametrize("config", [{"grounding": True}, {"confidence": True}], ids=str)
def test_metadata_stands_beside_its_field_where_it_was_asked_for(
    tmp_path: Path, put: Put, config: dict[str, Any]
) -> None:
    metadata = {"confidence": "hi"}
    content = {
        "invoice_id": "1",
        "invoice_id_metadata": metadata,
        "items": [{"quantity": 1, "quantity_metadata": None}],
    }
    put("a.json", {"content": content}, domain=INVOICE, config=config)
    put("b.json", {"content": {"invoice_id_metadata": metadata}}, domain=INVOICE, config=config, model="vlm-1")
    put("c.json", {"content": content}, domain=INVOICE, config={}, generation="vlm-1")

    assert told(tmp_path) == [
        ("b.json", "answer.content.invoice_id_metadata", "error", "unknown_field"),
        ("c.json", "answer.content.invoice_id_metadata", "error", "unknown_field"),
        ("c.json", "answer.content.items.0.quantity_metadata", "error", "unknown_field"),
    ]


@pytest.mark.parametrize("config", [{}, {"grounding": True}], ids=str)
def test_content_that_is_nested_without_end_is_an_error(tmp_path: Path, put: Put, config: dict[str, Any]) -> None:
    put("a.json", {"content": '{"items":[' * 300 + "]}" * 300}, domain=INVOICE, config=config)
    put("b.json", {"content": "[" * 900 + "]" * 900}, domain="", config=config, schema={"items": {"$ref": "#"}})

    # How deep a validator goes is its own affair.
    found = told(tmp_path)
    assert {(file, level) for file, _, level, _ in found} == {("a.json", "error"), ("b.json", "error")}
    assert ("b.json", "answer.content", "error", "schema") in found


def test_of_a_selection_nothing_is_required_but_all_is_known(tmp_path: Path, put: Put) -> None:
    config = {"gql_stmt": "{ pages { text } }"}
    put("a.json", {"content": {"pages": [{}]}}, domain=OCR, config=config)
    put("b.json", {"content": {"pages": [{"txt": 1}]}}, domain=OCR, config=config, model="vlm-1")
    put("c.json", {"content": {"pages": [{}]}}, domain=OCR, config={}, model="vlm-1", metadata={"k": 1})
    put("d.json", {"content": {"total": 1}}, schema=CALLERS, config=config, json_object=True, generation="orion")

    found = told(tmp_path)

    assert [each for each in found if each[0] in ("a.json", "d.json")] == []
    assert [each for each in found if each[0] == "b.json"] == [
        ("b.json", "answer.content.pages.0.txt", "warning", "unknown_field")
    ]
    assert {each[3] for each in found if each[0] == "c.json"} == {"schema"}


# Fields


def test_a_field_that_the_domain_does_not_have_is_an_error_with_the_closest(tmp_path: Path, put: Put) -> None:
    put("a.json", {"content": {"issuer": "Acme", "items": [{"price": 1}], ADDRESS: {"xyz": 1}}}, domain=INVOICE)

    found = report(tmp_path).findings

    assert [(each.place, each.level, each.code) for each in found] == [
        ("answer.content.issuer", "error", "unknown_field"),
        ("answer.content.items.0.price", "error", "unknown_field"),
        (f"answer.content.{ADDRESS}.xyz", "error", "unknown_field"),
    ]
    assert found[0].message == (
        f"there is no such field in the schema of document.invoice ({HUB.release}); the closest is issuer_name: rename "
        "it, or remove it"
    )
    assert found[2].message.endswith("; remove it")


def _rename(schema: dict[str, Any]) -> None:
    properties = schema["properties"]
    properties["issuer_full_name"] = properties.pop("issuer_name")
    properties["total_amount"] = {"type": "string"}


def test_a_new_release_shows_what_has_drifted_field_by_field(tmp_path: Path, put: Put) -> None:
    hub = changed(INVOICE, _rename)
    put("a.json", {"content": {"invoice_id": "1", "issuer_name": "Acme", "total_amount": 5}}, domain=INVOICE)
    put("b.json", {"content": {"invoice_id": "1"}}, domain=INVOICE, model="vlm-1")

    found = report(tmp_path, hub=hub)

    assert told(tmp_path) == []
    assert told(tmp_path, hub=hub) == [
        ("a.json", "answer.content.issuer_name", "error", "unknown_field"),
        ("a.json", "answer.content.total_amount", "error", "schema"),
    ]
    assert "(vlmrun-hub 9.9.9); the closest is issuer_full_name" in found.findings[0].message
    assert found.hub == "vlmrun-hub 9.9.9 (installed)"


def test_what_a_patch_leaves_of_the_packaged_answer_is_told_as_such(tmp_path: Path, put: Put) -> None:
    put("a.json", {"merge": {"issuer_name": "Acme"}}, domain=INVOICE)

    found = messages(tmp_path, hub=changed(INVOICE, _rename))

    assert len(found) == 2
    assert "packaged" not in found[0]
    assert found[1].endswith("; it is in the packaged answer, change it in the patch")


def test_a_patch_can_follow_a_new_release(tmp_path: Path, put: Put) -> None:
    put("a.json", {"merge": {"issuer_name": None, "issuer_full_name": "Acme", "total_amount": "5"}}, domain=INVOICE)

    assert [code for _, _, _, code in told(tmp_path, hub=changed(INVOICE, _rename))] == ["malformed"]


def test_what_a_new_release_allows_and_the_server_refuses_is_an_error(tmp_path: Path, put: Put) -> None:
    put("a.json", {"content": {"total_amount": "5"}}, domain=INVOICE)

    hub = changed(INVOICE, _rename)

    assert told(tmp_path, hub=hub) == [("a.json", "answer.content.total_amount", "error", "malformed")]
    assert f"its schemas are of {HUB.release}; update vlmrun-mock" in messages(tmp_path, hub=hub)[0]


# Domains


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("document.invoce", "document.invoice"),
        ("Document.Invoice", "document.invoice"),
        ("document_invoice", "document.invoice"),
        ("document.w2-forms", "accounting.form-w2"),
        ("document.bank-statment", "document.bank-statement"),
    ],
)
def test_a_domain_that_may_be_misspelt_is_a_warning_with_the_closest(
    tmp_path: Path, put: Put, name: str, meant: str
) -> None:
    put("a.json", HELLO, domain=name)

    assert told(tmp_path) == [("a.json", "match.domain", "warning", "unknown_domain")]
    assert f"there is no domain {name}; the closest is {meant}:" in messages(tmp_path)[0]
    assert report(tmp_path).ok


@pytest.mark.parametrize(
    "name",
    ["", INVOICE, "document.rfp", "custom.invoice", "custom.document.invoce", "document.hotel-bill", "acme.invoice"],
)
def test_a_domain_of_ones_own_or_none_is_no_finding(tmp_path: Path, put: Put, name: str) -> None:
    put("a.json", HELLO, domain=name)

    assert told(tmp_path) == []


def test_a_domain_that_a_new_release_has_no_more_is_a_warning(tmp_path: Path, put: Put) -> None:
    schemas = {name: schema for name, schema in HUB.schemas.items() if name != INVOICE}
    put("a.json", {"content": {"invoice_id": "1", "more": 1}}, domain=INVOICE)

    hub = Hub("9.9.9", "installed", {**schemas, "document.bill": {}})

    assert told(tmp_path, hub=hub) == [
        ("a.json", "match.domain", "warning", "unknown_domain"),
        ("a.json", "answer.content.more", "warning", "unknown_field"),
    ]
    assert f"({HUB.release})" in messages(tmp_path, hub=hub)[1]


def test_a_domain_that_only_a_new_release_has_is_known(tmp_path: Path, put: Put) -> None:
    put("a.json", {"content": {"a": 1, "c": 1}}, domain="document.bill")

    schema = {"properties": {"a": {"type": "string"}, "b": {}}}
    hub = Hub("9.9.9", "installed", {**HUB.schemas, "document.bill": schema})

    assert told(tmp_path, hub=hub) == [
        ("a.json", "answer.content.a", "error", "schema"),
        ("a.json", "answer.content.c", "error", "unknown_field"),
    ]


# Ties and shadows


def test_equal_matches_are_a_tie_of_the_later_one(tmp_path: Path, put: Put) -> None:
    for name in ("c.json", "a.json", "b/b.json"):
        put(name, HELLO, domain=INVOICE)

    assert told(tmp_path) == [("c.json", "match", "error", "tie"), ("b/b.json", "match", "error", "tie")]
    assert messages(tmp_path)[0].startswith(f"{tmp_path.as_posix()}/a.json matches the same requests")


def test_a_tie_counts_the_others(tmp_path: Path, put: Put) -> None:
    for number in range(12):
        put(f"a{number:02}.json", HELLO, metadata={f"case-{number}": 1})

    found = messages(tmp_path)

    assert "/a00.json matches" in found[0]
    assert "/a00.json (and 1 more) matches" in found[1]
    assert "/a00.json (and many more) matches" in found[-1]


def test_needles_that_may_meet_in_a_text_are_a_warning(tmp_path: Path, put: Put) -> None:
    put("a.json", HELLO, domain=INVOICE, text={"contains": "first"})
    put("b.json", HELLO, domain=INVOICE, text={"contains": "second"})

    assert told(tmp_path) == [("b.json", "match", "warning", "tie")]


def test_matches_that_exclude_each_other_are_no_finding(tmp_path: Path, put: Put) -> None:
    put("a.json", HELLO, domain=INVOICE)
    put("b.json", HELLO, domain=OCR)
    put("c.json", HELLO, domain=OCR, model="vlm-1")

    assert told(tmp_path) == []


def test_what_an_earlier_folder_answers_is_hidden(tmp_path: Path, put: Put) -> None:
    put("one/a.json", HELLO, domain=INVOICE)
    put("two/a.json", HELLO, domain=INVOICE, model="vlm-1")

    assert told(tmp_path / "one", tmp_path / "two") == [("../two/a.json", "match", "error", "shadow")]
    assert f"{tmp_path.as_posix()}/one/a.json, which comes first" in messages(tmp_path / "one", tmp_path / "two")[0]
    assert told(tmp_path / "two", tmp_path / "one") == []


def test_a_file_that_is_in_two_of_the_folders_is_looked_at_once(tmp_path: Path, put: Put) -> None:
    put("sub/a.json", {"content": {"invoice_id": 5}}, domain=INVOICE)

    found = report(tmp_path, tmp_path / "sub", tmp_path)

    assert (len(found.findings), found.files) == (1, 1)


def test_a_match_that_no_request_can_have_is_an_error(tmp_path: Path, put: Put) -> None:
    put("a.json", HELLO, model="vlm-1", generation="orion")

    assert told(tmp_path) == [("a.json", "match", "error", "shadow")]
    assert messages(tmp_path) == [
        "no request can match: the generation of the model vlm-1 is vlm-1; remove one of the two"
    ]


def test_what_does_not_load_gets_in_nobodys_way(tmp_path: Path, put: Put) -> None:
    put("a.json", HELLO, domain=INVOICE, documents=["gone.png"])
    put("b.json", HELLO, domain=INVOICE)

    assert [each[3] for each in told(tmp_path)] == ["malformed"]


# Secrets


TELLING = {"a private key": "MIIE", "an API key": "0123456789", "a password in a URL": "wonderland"}
"""What of a secret may not be told, where that is not its end."""


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_an_error_wherever_it_stands_and_is_never_told(tmp_path: Path, put: Put, kind: str) -> None:
    secret = SECRETS[kind]
    put("a.json", {"content": {"total_amount": f"x {secret}", secret: 1}}, domain=INVOICE, text={"contains": secret})

    found = report(tmp_path)

    secrets = [finding for finding in found.findings if finding.code == "secret"]
    assert len(secrets) >= 3
    assert all(kind in finding.message for finding in secrets)
    assert {finding.level for finding in secrets} == {"error"}
    assert {finding.code for finding in found.findings} == {"secret", "schema", "unknown_field"}
    assert TELLING.get(kind, secret[-8:]) not in json.dumps(found.as_json())


@pytest.mark.parametrize("password", ["wonderland", "sesame", 'quo"te\\d', "x" * 5_000], ids=lambda each: each[:10])
def test_a_secret_by_the_name_of_its_key_is_not_told_by_any_other_finding(
    tmp_path: Path, put: Put, password: str
) -> None:
    content = {"invoice_id": {"password": password}, "items": [{"description": ["-" * 390, {"password": password}]}]}
    put("a.json", {"content": content}, domain=INVOICE)

    found = report(tmp_path)

    assert [finding.code for finding in found.findings] == ["secret", "secret", "schema", "schema"]
    assert password[:6] not in json.dumps(found.as_json())


def test_a_fixture_that_does_not_load_is_searched_for_secrets_all_the_same(tmp_path: Path, write: Write) -> None:
    key = SECRETS["an API key"].split()[1]
    write("unknown.json", json.dumps({key: {}, "answer": {"content": "x"}}))
    write("twice.json", f'{{"answer": {{"content": "{key}"}}, "{key}": 1, "{key}": 2}}')
    write("deep.json", "[" * 100_000)

    found = report(tmp_path)

    assert [(Path(each.file).name, each.code, each.place) for each in found.findings] == [
        ("deep.json", "malformed", ""),
        ("twice.json", "secret", "answer.content"),
        ("twice.json", "secret", "<redacted>"),
        ("twice.json", "malformed", ""),
        ("unknown.json", "secret", "<redacted>"),
        ("unknown.json", "malformed", "<redacted>"),
    ]
    assert key not in json.dumps(found.as_json())


def test_what_was_redacted_is_no_secret(tmp_path: Path, put: Put) -> None:
    put("a.json", {"content": {"api_key": "<redacted>"}}, text={"contains": "Bearer <redacted>"})

    assert told(tmp_path) == []


# Leftovers


def test_what_an_interrupted_recording_has_left_is_an_error(tmp_path: Path, put: Put, write: Write) -> None:
    put("sub/a.json", HELLO)
    write("sub/.a.json.123-4.tmp", "{")
    write("sub/notes.tmp", "")
    write("sub/.hidden.json", "{")
    write(".git/.a.tmp", "")

    assert told(tmp_path) == [("sub/.a.json.123-4.tmp", "", "error", "leftover")]


@pytest.mark.parametrize(
    ("content", "verbatim", "is_current"),
    [
        ({"a": 1}, '{ "a": 1.0 }', True),
        ({"a": 1}, '{"a":2}', False),
        ({"a": 1}, "", False),
        ({"a": True}, '{"a":1}', False),
        ("text", "text", False),
    ],
)
def test_a_verbatim_text_that_says_something_else_is_an_error(
    tmp_path: Path,
    put: Put,
    content: object,
    verbatim: str,
    is_current: bool,  # noqa: FBT001
) -> None:
    put("a.json", {"content": content, "verbatim": verbatim})
    put("b.json", [HELLO, {"content": content, "verbatim": verbatim}], model="vlm-1")

    places = [("a.json", "answer.verbatim"), ("b.json", "answers.1.verbatim")]
    assert told(tmp_path) == ([] if is_current else [(*place, "error", "leftover") for place in places])


# The whole


@pytest.mark.parametrize("name", ["notes.txt", ".hidden.json", ".git/a.json"])
def test_a_folder_without_a_fixture_is_a_warning(tmp_path: Path, write: Write, name: str) -> None:
    write(f"fixtures/{name}", "{}")

    found = report(tmp_path / "fixtures")

    assert [(each.code, each.level, each.file) for each in found.findings] == [
        ("empty", "warning", (tmp_path / "fixtures").as_posix())
    ]
    assert (found.ok, found.files) == (True, 0)


def test_the_findings_of_a_file_stand_together(tmp_path: Path, put: Put, write: Write) -> None:
    put("a.json", HELLO, domain=INVOICE)
    put("b.json", {"content": {"invoice_id": 5, "more": 1}}, domain=INVOICE)
    write("c.json", "{")

    assert [(file, code) for file, _, _, code in told(tmp_path)] == [
        ("b.json", "schema"),
        ("b.json", "unknown_field"),
        ("b.json", "tie"),
        ("c.json", "malformed"),
    ]


def test_a_long_message_is_cut(tmp_path: Path, put: Put) -> None:
    put("a.json", {"content": {"total_amount": "x" * 10_000}}, domain=INVOICE)

    (message,) = messages(tmp_path)

    assert message.startswith('"xxx')
    assert len(message) == LONGEST_MESSAGE + 1


def test_a_file_may_be_called_anything(tmp_path: Path) -> None:
    names = ["line\nbreak.json", "\x1b[31m.json", "{}.json", "%0A::error::.json"]
    for name in names:
        (tmp_path / name).write_text(json.dumps({"answer": HELLO}), encoding="utf-8")

    files = [finding.file for finding in report(tmp_path).findings]

    assert len(files) == len(names) - 1
    assert all(file.isprintable() for file in files)


def test_files_are_called_as_the_folders_were_given(tmp_path: Path, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    put("fixtures/sub/a.json", {"content": 5})
    monkeypatch.chdir(tmp_path)

    assert [finding.file for finding in report(Path("fixtures")).findings] == ["fixtures/sub/a.json"]
    assert [finding.file for finding in report(Path("fixtures/sub/..")).findings] == ["fixtures/sub/../sub/a.json"]


def test_the_report_is_data(tmp_path: Path, put: Put) -> None:
    put("a.json", {"content": {"invoice_id": 5}}, domain=INVOICE)
    finding: Mapping[str, str] = {
        "file": f"{tmp_path.as_posix()}/a.json",
        "place": "answer.content.invoice_id",
        "code": "schema",
        "level": "error",
        "message": f'5 is not of type "string", by the schema of document.invoice ({HUB.release})',
    }

    assert report(tmp_path).as_json() == {"ok": False, "files": 1, "hub": str(HUB), "findings": [finding]}
