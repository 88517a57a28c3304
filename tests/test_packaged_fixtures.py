"""Every packaged domain has a believable answer that is valid against its schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from vlmrun.hub.registry import registry

from scripts.export_schemas import exported, release

FIXTURES = Path(__file__).parent.parent / "fixtures"
HUB_DOMAINS = registry.list_schemas()
DOMAINS = sorted(path.parent.name for path in FIXTURES.glob("*/schema.json"))
PLACEHOLDERS = re.compile(
    r"lorem ipsum|\bfoo\b|\bbar baz\b|john doe|jane doe|\btodo\b|\bxxx+\b|\bstring\b",
    re.IGNORECASE,
)


def read(domain: str, name: str) -> Any:
    return json.loads((FIXTURES / domain / name).read_text(encoding="utf-8"))


def content(domain: str) -> Any:
    return read(domain, "answer.json")["answer"]["content"]


def leaves(value: Any) -> Iterator[Any]:
    """Yield every scalar of a JSON value; an empty list or object counts as one missing value."""
    children = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(children, list):
        yield value
    elif not children:
        yield None
    else:
        for child in children:
            yield from leaves(child)


def declared(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """Return the object or array schema behind references and `X or null` unions, where there is just one."""
    if "$ref" in schema:
        return declared(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root)
    options = [option for option in schema.get("anyOf", []) if option.get("type") != "null"]
    return declared(options[0], root) if len(options) == 1 else schema


def undeclared_gaps(value: Any, schema: dict[str, Any], root: dict[str, Any], place: str) -> Iterator[str]:
    """Yield the place of every property that a schema declares and an answer leaves out."""
    schema = declared(schema, root)
    if isinstance(value, dict):
        for name, child in schema.get("properties", {}).items():
            if name in value:
                yield from undeclared_gaps(value[name], child, root, f"{place}.{name}")
            else:
                yield f"{place}.{name}"
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, child in enumerate(value):
            yield from undeclared_gaps(child, schema["items"], root, f"{place}[{index}]")


def test_every_hub_domain_is_packaged() -> None:
    assert len(HUB_DOMAINS) == 31
    assert set(HUB_DOMAINS) <= set(DOMAINS)


def test_the_exported_release_is_the_installed_hub() -> None:
    assert json.loads((FIXTURES / "vlmrun-hub.json").read_text(encoding="utf-8")) == release()


@pytest.mark.parametrize("domain", HUB_DOMAINS)
def test_the_export_is_what_the_installed_hub_declares(domain: str) -> None:
    assert read(domain, "schema.json") == exported(domain)


@pytest.mark.parametrize("domain", HUB_DOMAINS)
def test_an_answer_validates_as_the_hub_model(domain: str) -> None:
    model = registry[domain]

    parsed = model.model_validate_json(json.dumps(content(domain)))

    assert isinstance(parsed, model)


@pytest.mark.parametrize("domain", DOMAINS)
def test_an_answer_validates_against_its_schema(domain: str) -> None:
    validator = jsonschema_rs.validator_for(read(domain, "schema.json"), validate_formats=True)

    errors = [f"{list(error.instance_path)}: {error.message}" for error in validator.iter_errors(content(domain))]

    assert errors == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_declared_key_is_present(domain: str) -> None:
    schema = read(domain, "schema.json")

    assert list(undeclared_gaps(content(domain), schema, schema, "$")) == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_nearly_every_field_has_a_value(domain: str) -> None:
    values = list(leaves(content(domain)))

    assert len(values) >= 3
    assert values.count(None) <= 0.15 * len(values), f"{values.count(None)} of {len(values)} leaves are null"


@pytest.mark.parametrize("domain", DOMAINS)
def test_no_value_is_a_placeholder(domain: str) -> None:
    texts = [value for value in leaves(content(domain)) if isinstance(value, str)]

    assert [text for text in texts if not text.strip() or PLACEHOLDERS.search(text)] == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_contact_details_are_reserved_for_fiction(domain: str) -> None:
    text = json.dumps(content(domain), ensure_ascii=False)

    mail_hosts = set(re.findall(r"[\w.+-]+@([\w.-]+\w)", text))
    web_hosts = set(re.findall(r"(?:https?://|www\.)([\w.-]+\w)", text))
    us_phones = re.findall(r"(?<![\d-])(?:\+1[ .-]?)?\(?\d{3}\)?[ .-](\d{3})[ .-](\d{4})(?![\d-])", text)

    allowed = re.compile(r"(^|\.)(example\.(com|org|net)|\w+\.example|example)$")
    assert [host for host in mail_hosts | web_hosts if not allowed.search(host)] == []
    assert [phone for phone in us_phones if not (phone[0] == "555" and phone[1].startswith("01"))] == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_packaged_fixture_names_its_domain_and_says_what_it_is(domain: str) -> None:
    fixture = read(domain, "answer.json")

    assert fixture["match"] == {"domain": domain}
    assert 20 <= len(fixture["description"]) <= 160
    assert not fixture["description"].endswith(".")
