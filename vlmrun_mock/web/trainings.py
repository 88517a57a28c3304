"""Datasets and fine-tuning, as far as the clients go: what is sent is kept, and nothing is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vlmrun_mock.api import dates
from vlmrun_mock.api.errors import NoSuchResource
from vlmrun_mock.api.prediction import usage
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.records import Records
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.web import native

if TYPE_CHECKING:
    from vlmrun_mock.api import native_bodies
else:
    native_bodies = lazy("vlmrun_mock.api.native_bodies")

NOTHING_TRAINED = "Nothing is trained by this mock"

SECRET = "wandb_api_key"  # noqa: S105 - the name of a key that is dropped
"""The key of a body that is neither kept nor sent back."""

OF_WANDB = ("wandb_base_url", "wandb_project_name")


class TrainingsApi:
    """The endpoints."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes

    def routes(self) -> list[Route]:
        """Return the routes."""
        routes = [
            Route("/v1/datasets", self.datasets),
            Route("/v1/datasets/create", self.create_dataset, methods=["POST"]),
            Route("/v1/datasets/{id}", self.dataset),
            Route("/v1/fine_tuning/create", self.create, methods=["POST"]),
            Route("/v1/fine_tuning/provision", self.provision, methods=["POST"]),
            Route("/v1/fine_tuning/models", self.models),
            Route("/v1/fine_tuning/jobs", self.jobs),
            Route("/v1/fine_tuning/jobs/{id}", self.job),
        ]
        return native.with_faults(self._scopes, "trainings", routes)

    async def datasets(self, request: Request) -> Response:
        """List the datasets, the newest first."""
        return self._listed(request, native.mock_of(self._scopes, request).resources.datasets)

    async def dataset(self, request: Request) -> Response:
        """Return a dataset."""
        return self._found(request, native.mock_of(self._scopes, request).resources.datasets, "Dataset")

    async def create_dataset(self, request: Request) -> Response:
        """Keep a dataset."""
        mock = native.mock_of(self._scopes, request)
        asked, _ = await native.read(native_bodies.DatasetBody, request, mock)
        made = _made(mock, "dataset", asked.dataset_name) | {
            "dataset_type": asked.dataset_type,
            "dataset_name": asked.dataset_name,
            "domain": asked.domain,
            "file_id": asked.file_id,
            "message": NOTHING_TRAINED,
            "wandb_url": None,
            **{name: getattr(asked, name) for name in OF_WANDB},
        }
        return JSONResponse(mock.resources.datasets.add(made["id"], made))

    async def create(self, request: Request) -> Response:
        """Keep a job of fine-tuning, which is done at once."""
        mock = native.mock_of(self._scopes, request)
        asked, sent = await native.read(native_bodies.TrainingBody, request, mock)
        made = {name: value for name, value in sent.items() if name != SECRET}
        made |= _made(mock, "training", asked.model, asked.training_file)
        made |= {"message": NOTHING_TRAINED, "model": asked.model, "suffix": asked.suffix, "wandb_url": None}
        for name in OF_WANDB:
            made.setdefault(name, None)
        return JSONResponse(mock.resources.trainings.add(made["id"], made))

    async def provision(self, request: Request) -> Response:
        """Say that a model is ready."""
        mock = native.mock_of(self._scopes, request)
        asked, _ = await native.read(native_bodies.ProvisionBody, request, mock)
        made = _made(mock, "provision", asked.model)
        told = {name: made[name] for name in ("id", "created_at", "completed_at")}
        return JSONResponse({**told, "model": asked.model, "message": NOTHING_TRAINED})

    async def models(self, request: Request) -> Response:
        """List the names of the models that jobs made."""
        trainings = native.mock_of(self._scopes, request).resources.trainings.newest_first()
        names = [f"{each['model']}:{each['suffix'] or each['id'][:8]}" for each in trainings]
        return JSONResponse(native.page(request).of(names))

    async def jobs(self, request: Request) -> Response:
        """List the jobs, the newest first."""
        return self._listed(request, native.mock_of(self._scopes, request).resources.trainings)

    async def job(self, request: Request) -> Response:
        """Return a job."""
        return self._found(request, native.mock_of(self._scopes, request).resources.trainings, "Fine-tuning job")

    def _listed(self, request: Request, records: Records[dict[str, Any]]) -> Response:
        return JSONResponse(native.page(request).of(records.newest_first()))

    def _found(self, request: Request, records: Records[dict[str, Any]], called: str) -> Response:
        found = records.get(request.path_params["id"])
        if found is None:
            raise NoSuchResource(f"{called} not found")
        return JSONResponse(found)


def _made(mock: Mock, *facts: str) -> dict[str, Any]:
    now = dates.written(mock.stamp.moment())
    done = {"created_at": now, "completed_at": now, "status": "completed", "usage": usage()}
    return {"id": mock.ids.next(*facts), **done}
