"""The state of a server at a glance: domains, fixtures and how often each answered, faults, keys, options."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from vlmrun_mock import __version__
from vlmrun_mock.mock.faults import KINDS, WEBHOOK_KINDS
from vlmrun_mock.mock.journal import MOST_BYTES, MOST_ENTRIES
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.options import SETTINGS
from vlmrun_mock.mock.options.option import Option
from vlmrun_mock.mock.scopes import MOST_SCOPES, Scopes
from vlmrun_mock.redaction import Redaction
from vlmrun_mock.web.control_api import as_armed, listed
from vlmrun_mock.web.inspector.authoring import Authoring
from vlmrun_mock.web.inspector.inspection import Inspection

MOST_FIXTURES = 2_000
"""How many fixtures are listed: the first ones."""

MOST_WEBHOOKS = 200
"""How many webhooks are listed: the latest ones."""

SECRET_KINDS = ("key", "keys")


def state(
    scopes: Scopes, mock: Mock, mocks: list[Mock], inspection: Inspection | None, authoring: Authoring
) -> dict[str, Any]:
    """Return the state of a server; `mocks` are those whose requests are counted."""
    entries = [entry for each in mocks for entry in each.journal]
    used = Counter(entry.fixture for entry in entries if entry.fixture)
    asked = Counter(entry.domain for entry in entries if entry.domain)
    fixtures = _fixtures(mock, mocks)
    return {
        "version": __version__,
        "inspected": inspection is not None,
        "began": inspection.began if inspection else None,
        "kept_bytes": inspection.exchanges.bytes if inspection else 0,
        "most_bytes": inspection.exchanges.most_bytes if inspection else 0,
        "folder": authoring.folder,
        "domains": [
            {"name": name, "description": _description(mock, name), "requests": asked[name]}
            for name in scopes.store.domains.names()
        ],
        "fixtures": [{**each, "used": used[each["name"]]} for each in fixtures[:MOST_FIXTURES]],
        "fixture_count": len(fixtures),
        "faults": [
            {**as_armed(armed), "of": "everyone" if each is scopes.everyone else "key"}
            for each in dict.fromkeys((mock, *mocks))
            for armed in each.faults.armed
        ],
        "fault_kinds": [*KINDS, *WEBHOOK_KINDS],
        "keys": [
            {"mark": each.mark[:6], "requests": len(each.journal), "files": len(each.files)}
            for each in mocks
            if each.everyone is not None
        ],
        "without_key": sum(len(each.journal) for each in mocks if each.everyone is None),
        "webhooks": [_webhook(each.as_json()) for one in mocks for each in one.webhooks][-MOST_WEBHOOKS:],
        "options": [_option(option, getattr(mock.settings, name)) for name, option in SETTINGS.items()],
        "limits": _limits(mock, inspection),
    }


def _fixtures(mock: Mock, mocks: list[Mock]) -> list[dict[str, Any]]:
    """Return the fixtures of a mock, and before them those that were registered for keys alone."""
    fixtures = list(listed(mock))
    for each in mocks:
        if each is not mock and each.everyone is mock:
            fixtures = [*(one for one in listed(each) if one["of"] == "key"), *fixtures]
    return fixtures


def _limits(mock: Mock, inspection: Inspection | None) -> dict[str, int]:
    return {
        "requests of a key": MOST_ENTRIES,
        "bytes of a key's journal": MOST_BYTES,
        "keys": MOST_SCOPES,
        "bytes of a body": mock.settings.max_body,
        "bytes of files in memory": mock.settings.file_memory,
        **({"bytes kept for this page": inspection.exchanges.most_bytes} if inspection else {}),
    }


def _description(mock: Mock, name: str) -> str:
    domain = mock.domains.get(name)
    return domain.description if domain else ""


def _option(option: Option, value: Any) -> dict[str, Any]:
    """Return an option as it is now; of a secret only that there is one."""
    if option.kind in SECRET_KINDS:
        shown = f"{len(value)} set" if isinstance(value, frozenset) and value else "set" if value else ""
    elif isinstance(value, (tuple, frozenset)):
        shown = ", ".join(sorted(map(str, value)) if isinstance(value, frozenset) else map(str, value))
    elif isinstance(value, bool):
        shown = "yes" if value else "no"
    else:
        shown = "" if value is None else str(value)
    return {
        "name": option.written if option.commands else option.name,
        "value": Redaction(()).text(shown),
        "is_default": value == option.default,
        "help": option.help or option.ini_help,
    }


def _webhook(webhook: Mapping[str, Any]) -> dict[str, Any]:
    redaction = Redaction(())
    return {**webhook, "url": redaction.text(webhook["url"])}
