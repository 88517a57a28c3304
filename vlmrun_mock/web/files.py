"""`/v1/files`, and where uploaded bytes are sent and read without a key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from vlmrun_mock.api import dates
from vlmrun_mock.api.errors import BodyTooLarge, InvalidRequest, NoSuchResource, Problem
from vlmrun_mock.aside import aside
from vlmrun_mock.documents import identity
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.files import PUBLIC, UPLOADS, Arrival, StoredFile, media_type
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.options.option import MEBIBYTE
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.web import body, multipart, native
from vlmrun_mock.web.body import ClientGone
from vlmrun_mock.web.keys import raw_headers

if TYPE_CHECKING:
    from vlmrun_mock.api import native_bodies
else:
    native_bodies = lazy("vlmrun_mock.api.native_bodies")

LARGEST_FORM = 128 * MEBIBYTE
"""Bytes of a file that is sent in a form; the official clients send up to 32 MiB like that."""

LARGEST_UPLOAD = 1024 * MEBIBYTE
"""Bytes of a file that is sent to an address of its own."""

EXPIRATION = 86_400
"""Seconds for which an address of an upload is said to be good, unless it is asked for other ones."""

USUAL_PURPOSE = "assistants"
"""The purpose of a file for which none was named, and of one that is found by its hash."""


class FilesApi:
    """The endpoints."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes

    def routes(self) -> list[Route]:
        """Return the routes."""
        routes = [
            Route("/v1/files", self.files, methods=["GET", "POST"]),
            Route("/v1/files/presigned-url", self.presigned_url, methods=["POST"]),
            Route("/v1/files/hash/{md5}", self.by_hash),
            Route("/v1/files/verify-upload/{id}", self.verify_upload),
            Route("/v1/files/{id}", self.file, methods=["GET", "DELETE"]),
        ]
        faulty = native.with_faults(self._scopes, "files", routes)
        return [
            *faulty,
            Route(PUBLIC + "{id}/{filename}", self.content),
            Route(UPLOADS + "{id}/{filename}", self.upload, methods=["PUT"]),
        ]

    async def files(self, request: Request) -> Response:
        """List the files, the newest first, or take one."""
        mock = native.mock_of(self._scopes, request)
        if request.method == "POST":
            file, is_public = await self._posted(request, mock)
            return JSONResponse(_described(request, file, is_public=is_public), status_code=201)
        stored = [each for each in reversed(mock.files.all()) if each.content]
        with native.query(request) as query:
            page, is_public = query.page(), _is_public(query)
        return JSONResponse([_described(request, each, is_public=is_public) for each in page.of(stored)])

    async def file(self, request: Request) -> Response:
        """Return what is known of a file, or forget it."""
        mock = native.mock_of(self._scopes, request)
        file = mock.files.get(request.path_params["id"])
        if file is None or file.content is None:
            raise NoSuchResource("File not found")
        described = _asked(request, file)
        if request.method == "DELETE":
            mock.files.delete(file.id)
            mock.changed()
        return JSONResponse(described)

    async def by_hash(self, request: Request) -> Response:
        """Return the oldest file with an MD5; by this the official clients find out whether they have to send one."""
        found = native.mock_of(self._scopes, request).files.by_md5(request.path_params["md5"])
        if found is None:
            raise NoSuchResource("File not found")
        return JSONResponse({**_asked(request, found), "purpose": USUAL_PURPOSE})

    async def presigned_url(self, request: Request) -> Response:
        """Announce a file, and say where its bytes have to be sent."""
        mock = native.mock_of(self._scopes, request)
        asked, _ = await native.read(native_bodies.PresignedUrlBody, request, mock)
        name = identity.file_name(asked.filename)
        if name is None:
            raise InvalidRequest([Problem(("body", "filename"), "A file's name should be printable and not empty")])
        file = mock.files.announce(name, asked.purpose or USUAL_PURPOSE)
        return JSONResponse(
            {
                "id": file.id,
                "url": f"{native.base_url(request)}{UPLOADS}{file.id}/{quote(name)}",
                "filename": name,
                "content_type": media_type(name),
                "upload_method": "PUT",
                "public_url": _public_url(request, file),
                "created_at": dates.written(file.created),
                "expiration": EXPIRATION if asked.expiration is None else asked.expiration,
                "method": "PUT",
            }
        )

    async def verify_upload(self, request: Request) -> Response:
        """Return a file whose bytes have come."""
        file = native.mock_of(self._scopes, request).files.get(request.path_params["id"])
        if file is None or file.content is None:
            raise NoSuchResource("File not found: nothing was uploaded under this id")
        return JSONResponse(_asked(request, file))

    async def upload(self, request: Request) -> Response:
        """Take the bytes of an announced file."""
        found = self._scopes.file(request.path_params["id"])
        if found is None:
            raise NoSuchResource("File not found: POST /v1/files/presigned-url announces one")
        mock, file = found
        arrival = Arrival(mock.files)
        try:
            async for piece in body.pieces(raw_headers(request.scope), request.receive, LARGEST_UPLOAD):
                arrival.write(piece)
            if not arrival.size:
                raise InvalidRequest([Problem(("body",), "The file is empty: 0 bytes came")])
        except (BodyTooLarge, ClientGone, InvalidRequest):
            arrival.discard()
            raise
        mock.files.arrived(file, await aside(arrival.content, None, file.filename))
        mock.changed()
        return Response()

    async def content(self, request: Request) -> Response:
        """Return a file's bytes, to anyone."""
        found = self._scopes.file(request.path_params["id"])
        stored = found[1].content if found else None
        if stored is None:
            raise NoSuchResource("File not found")
        headers = {
            "content-length": str(stored.document.size or 0),
            # A page among the files must not act as one of the mock's own.
            "content-security-policy": "sandbox",
        }
        pieces: Iterator[bytes] = iter(()) if request.method == "HEAD" else stored.pieces()
        return StreamingResponse(pieces, headers=headers, media_type=stored.document.media_type)

    async def _posted(self, request: Request, mock: Mock) -> tuple[StoredFile, bool]:
        """Return the file in a form, which is kept from now on, and whether its public URL is told."""
        purposes = get_args(native_bodies.Purpose)
        headers = raw_headers(request.scope)
        with native.query(request) as query:
            purpose, is_public = query.word("purpose", purposes, USUAL_PURPOSE), _is_public(query)
        raw = await body.read(headers, request.receive, LARGEST_FORM)
        fields = {each.name: each for each in multipart.parts(headers.get(b"content-type", b""), raw)}
        if "purpose" in fields and "purpose" not in request.query_params:
            purpose = fields["purpose"].data.decode("utf-8", "replace")
            if purpose not in purposes:
                raise InvalidRequest(
                    [Problem(("body", "purpose"), f"Input should be {native.one_of(purposes)}", "enum")]
                )
        file = fields.get("file")
        if file is None:
            raise InvalidRequest([Problem(("body", "file"), "Field required", "missing")])
        if not file.data:
            raise InvalidRequest([Problem(("body", "file"), "The file is empty: it has 0 bytes")])
        name = identity.file_name(file.filename or "") or "file"
        return await aside(mock.add_file, None, file.data, name, purpose), is_public


def _is_public(query: native.Query) -> bool:
    return query.flag("generate_public_url", otherwise=True)


def _asked(request: Request, file: StoredFile) -> dict[str, Any]:
    """Return a file as the query asks for it; raises InvalidRequest."""
    with native.query(request) as query:
        is_public = _is_public(query)
    return _described(request, file, is_public=is_public)


def _described(request: Request, file: StoredFile, *, is_public: bool) -> dict[str, Any]:
    """Return a file as the API writes it."""
    return {
        "id": file.id,
        "filename": file.filename,
        "bytes": file.content.document.size if file.content else 0,
        "purpose": file.purpose,
        "created_at": dates.written(file.created),
        "object": "file",
        "public_url": _public_url(request, file) if is_public else None,
    }


def _public_url(request: Request, file: StoredFile) -> str:
    return f"{native.base_url(request)}{PUBLIC}{file.id}/{quote(file.filename)}"
