"""Skills: listed, looked up, created from a prompt, an archive or a session, and downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vlmrun_mock.api import dates
from vlmrun_mock.api.errors import ApiError, NoSuchResource
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.mock.skills import BadArchive, Skill, unpacked
from vlmrun_mock.web import native

if TYPE_CHECKING:
    from vlmrun_mock.api import native_bodies
else:
    native_bodies = lazy("vlmrun_mock.api.native_bodies")

DOWNLOADS = "/_mock/skills/"
"""Where an archive can be read."""

EXPIRES_IN = 3_600
USUAL_PAGE = 50
LONGEST_DESCRIPTION = 200

ORDERS = ("created_at", "updated_at", "name")


class SkillsApi:
    """The endpoints."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes

    def routes(self) -> list[Route]:
        """Return the routes."""
        routes = [
            Route("/v1/skills", self.skills),
            Route("/v1/skills/lookup", self.lookup, methods=["POST"]),
            Route("/v1/skills/create", self.create, methods=["POST"]),
            Route("/v1/skills/{id}", self.skill),
            Route("/v1/skills/{id}/update", self.update, methods=["POST"]),
            Route("/v1/skills/{id}/download", self.download),
        ]
        faulty = native.with_faults(self._scopes, "skills", routes)
        return [
            *faulty,
            Route(DOWNLOADS + "{id}/{filename}", self.archive),
        ]

    async def skills(self, request: Request) -> Response:
        """List the skills, every version of them or the newest of each name."""
        mock = native.mock_of(self._scopes, request)
        with native.query(request) as query:
            order, is_grouped = query.word("order_by", ORDERS, ORDERS[0]), query.flag("grouped", otherwise=False)
            descending, page = query.flag("descending", otherwise=True), query.page(USUAL_PAGE, "offset")
        found = mock.resources.skills.newest_first()
        if is_grouped:
            found = list({skill.name: skill for skill in reversed(found)}.values())[::-1]
        keys = {"created_at": lambda skill: skill.created, "updated_at": lambda skill: skill.updated}
        found.reverse()
        found.sort(key=keys.get(order, lambda skill: skill.name))
        found = found[::-1] if descending else found
        return JSONResponse([_described(each) for each in page.of(found)])

    async def lookup(self, request: Request) -> Response:
        """Return a skill by its name or its id."""
        mock = native.mock_of(self._scopes, request)
        asked, _ = await native.read(native_bodies.LookupBody, request, mock)
        if not (asked.id or asked.name):
            raise ApiError("Either id or name is required")
        return JSONResponse(_described(_known(mock, asked.id or asked.name, asked.skill_version or asked.version)))

    async def skill(self, request: Request) -> Response:
        """Return a skill by its id or its name."""
        mock = native.mock_of(self._scopes, request)
        return JSONResponse(_described(_known(mock, request.path_params["id"])))

    async def create(self, request: Request) -> Response:
        """Keep a new skill."""
        mock = native.mock_of(self._scopes, request)
        asked, _ = await native.read(native_bodies.SkillBody, request, mock)
        if sum(map(bool, (asked.file_id, asked.prompt, asked.session_id))) != 1:
            raise ApiError("Exactly one of file_id, prompt and session_id is required")
        schema: Any = asked.json_schema
        if asked.file_id:
            if not (asked.name and asked.description):
                raise ApiError("With a file_id, name and description are required")
            text, schema = _archive(mock, asked.file_id)
        elif asked.session_id:
            namespace = mock.resources.artifacts.get(asked.session_id)
            if namespace is None:
                raise NoSuchResource("Session not found")
            text = "\n".join(namespace.texts)
        else:
            text = asked.prompt or ""
        name = asked.name or f"skill-{mock.seed.digest('skill-name', text).hex()[:8]}"
        description = asked.description or text.split("\n")[0][:LONGEST_DESCRIPTION]
        skill = mock.resources.skills.add(name, description, text, schema, is_public=bool(asked.is_public))
        mock.changed()
        return JSONResponse(_described(skill))

    async def update(self, request: Request) -> Response:
        """Keep a new version of a skill, with an id of its own."""
        mock = native.mock_of(self._scopes, request)
        skill = _known(mock, request.path_params["id"])
        asked, _ = await native.read(native_bodies.SkillBody, request, mock)
        text, schema = _archive(mock, asked.file_id) if asked.file_id else (skill.manual, skill.schema)
        description = asked.description or skill.description
        found = mock.resources.skills.add(skill.name, description, text, schema, is_public=skill.is_public)
        mock.changed()
        return JSONResponse(_described(found))

    async def download(self, request: Request) -> Response:
        """Say where the archive of a skill is."""
        skill = _known(native.mock_of(self._scopes, request), request.path_params["id"])
        url = f"{native.base_url(request)}{DOWNLOADS}{skill.id}/{quote(skill.name, safe='')}.zip"
        return JSONResponse({"download_url": url, "expires_in": EXPIRES_IN})

    async def archive(self, request: Request) -> Response:
        """Return the archive of a skill, to anyone."""
        skills = (mock.resources.skills.find(request.path_params["id"]) for mock in self._scopes.all())
        skill = next((each for each in skills if each), None)
        if skill is None:
            raise NoSuchResource("Skill not found")
        return Response(skill.archive(), media_type="application/zip")


def _known(mock: Mock, name: str | None, version: str | None = None) -> Skill:
    skill = mock.resources.skills.find(name, version)
    if skill is None:
        raise NoSuchResource("Skill not found")
    return skill


def _archive(mock: Mock, file_id: str) -> tuple[str, Any]:
    """Return the manual and the schema in an uploaded archive; raises ApiError."""
    file = mock.files.get(file_id)
    if file is None or file.content is None:
        raise NoSuchResource("File not found")
    try:
        return unpacked(file.content.read())
    except BadArchive as problem:
        raise ApiError(f"The file {file.filename!r} is no skill: {problem}") from None


def _described(skill: Skill) -> dict[str, Any]:
    return {
        "id": skill.id,
        "name": skill.name,
        "description": skill.description,
        "skill_version": skill.version,
        "version": skill.version,
        "skill_uri": None,
        "is_public": skill.is_public,
        "created_at": dates.written(skill.created),
        "updated_at": dates.written(skill.updated),
        "status": "completed",
    }
