"""Skills: what a client created from a prompt or an archive, and the schemas that requests take from them."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

import msgspec

from vlmrun_mock.api.errors import ApiError, NoSuchResource
from vlmrun_mock.documents.identity import from_base64
from vlmrun_mock.mock.records import Records
from vlmrun_mock.seed import Stamp

MANUAL, SCHEMA = "SKILL.md", "schema.json"
"""The files of a skill."""

LARGEST_MEMBER = 2_000_000
"""Bytes of a file of a skill, unpacked."""

LATEST = "latest"

EPOCH = (2025, 1, 1, 0, 0, 0)
"""The date of the files in an archive, which is thereby the same every time."""

FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---", re.DOTALL)


class Skill(msgspec.Struct, frozen=True):
    """One version of a skill; `created` and `updated` are in seconds since 1970."""

    id: str
    name: str
    description: str
    version: str
    manual: str
    schema: Mapping[str, Any] | None
    created: float
    updated: float
    is_public: bool = False

    def archive(self) -> bytes:
        """Return the skill as a zip."""
        buffer = io.BytesIO()
        files = {MANUAL: self.manual, **({SCHEMA: json.dumps(self.schema, indent=2)} if self.schema else {})}
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(zipfile.ZipInfo(name, EPOCH), text)
        return buffer.getvalue()


class BadArchive(ValueError):
    """An archive that holds no skill; the message is for a client."""


def unpacked(data: bytes) -> tuple[str, Mapping[str, Any] | None]:
    """Return the manual and the schema in an archive; raises BadArchive."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {info.filename.rpartition("/")[2]: info for info in archive.infolist()}
            texts = {name: _member(archive, members[name]) for name in (MANUAL, SCHEMA) if name in members}
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise BadArchive(f"it is no zip that can be read: {error}") from None
    if MANUAL not in texts:
        raise BadArchive(f"it has no {MANUAL}")
    try:
        schema = json.loads(texts[SCHEMA]) if SCHEMA in texts else None
    except ValueError as error:
        raise BadArchive(f"{SCHEMA} is not JSON: {error}") from None
    if schema is not None and not isinstance(schema, dict):
        raise BadArchive(f"{SCHEMA} is no object")
    return texts[MANUAL], schema


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    with archive.open(info) as file:
        raw = file.read(LARGEST_MEMBER + 1)
    if len(raw) > LARGEST_MEMBER:
        raise BadArchive(f"{info.filename[:100]} is larger than {LARGEST_MEMBER:,} bytes")
    return raw.decode("utf-8", "replace")


def manual_of(name: str, description: str, text: str) -> str:
    """Return a manual in the form that the clients read: with the name and the description before the text."""
    body = FRONT_MATTER.sub("", text, count=1).strip("\n")
    return f"---\nname: {name}\ndescription: {description}\n---\n\n{body}\n"


class Skills:
    """The skills of one key, of which some are there from the start."""

    def __init__(self, stamp: Stamp) -> None:
        self._stamp = stamp
        self._records: Records[Skill] = Records()

    def add(
        self, name: str, description: str, text: str, schema: Mapping[str, Any] | None, *, is_public: bool = False
    ) -> Skill:
        """Return a new version of a skill; with the same name and content it is the one that is there already."""
        manual = manual_of(name, description, text)
        digest = hashlib.sha256(json.dumps([name, manual, schema], sort_keys=True).encode()).hexdigest()
        skill_id = self._stamp.seed.uuid("skill", digest)
        known = self._records.get(skill_id)
        if known is not None:
            return known
        now = self._stamp.moment()
        date = datetime.fromtimestamp(now, timezone.utc).strftime("%Y%m%d")
        version = f"{date}-{digest[:8]}"
        first = next((each.created for each in self.newest_first() if each.name == name), now)
        skill = Skill(skill_id, name, description, version, manual, schema, first, now, is_public)
        return self._records.add(skill_id, skill)

    def newest_first(self) -> list[Skill]:
        """Return all versions of all skills."""
        return self._records.newest_first()

    def find(self, name: str | None, version: str | None = None) -> Skill | None:
        """Return a skill by its id, or the version of one by its name: the newest unless it is given."""
        if not name:
            return None
        by_id = self._records.get(name)
        named = (
            each for each in self.newest_first() if each.name == name and version in (None, "", LATEST, each.version)
        )
        return by_id or next(named, None)

    def schema_of(self, wanted: Any, *, strict: bool) -> Mapping[str, Any] | None:
        """Return the first schema among the skills that a request names or brings along.

        Raises ApiError for an archive that cannot be read, and NoSuchResource for an unknown skill, if `strict`.
        """
        return next((schema for schema in self._schemas(wanted, strict=strict) if schema), None)

    def _schemas(self, wanted: Any, *, strict: bool) -> Iterator[Mapping[str, Any] | None]:
        for each in wanted if isinstance(wanted, Sequence) and not isinstance(wanted, str) else ():
            if not isinstance(each, Mapping):
                continue
            if each.get("type") == "inline":
                yield _inline(each)
                continue
            name = each.get("skill_id") or each.get("skill_name")
            version = each.get("skill_version") or each.get("version")
            skill = self.find(name, str(version or LATEST)) if isinstance(name, str) else None
            if skill is None and strict:
                raise NoSuchResource(f"Skill {str(name)[:100]!r} not found")
            yield skill.schema if skill else None


def _inline(skill: Mapping[str, Any]) -> Mapping[str, Any] | None:
    source = skill.get("source")
    data = source.get("data") if isinstance(source, Mapping) else skill.get("bundle")
    if not isinstance(data, str):
        return None
    try:
        return unpacked(from_base64(data))[1]
    except ValueError as error:
        raise ApiError(f"The skill {str(skill.get('name'))[:100]!r} cannot be used: {error}") from None
