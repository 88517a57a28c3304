"""The list of routes."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.web.agents import AgentsApi
from vlmrun_mock.web.artifacts import ArtifactsApi
from vlmrun_mock.web.catalog import Catalog
from vlmrun_mock.web.chat import PATH, ChatEndpoint
from vlmrun_mock.web.control_api import ControlApi
from vlmrun_mock.web.feedback import FeedbackApi
from vlmrun_mock.web.files import FilesApi
from vlmrun_mock.web.inspector.api import InspectorApi
from vlmrun_mock.web.inspector.inspection import Inspection
from vlmrun_mock.web.predictions import PredictionsApi
from vlmrun_mock.web.skills import SkillsApi
from vlmrun_mock.web.trainings import TrainingsApi


def routes(scopes: Scopes, inspection: Inspection | None = None) -> list[BaseRoute]:
    """Return all routes."""
    return [
        Route(PATH, ChatEndpoint(scopes), methods=["POST"]),
        *Catalog(scopes).routes(),
        *FilesApi(scopes).routes(),
        *PredictionsApi(scopes).routes(),
        *AgentsApi(scopes).routes(),
        *SkillsApi(scopes).routes(),
        *ArtifactsApi(scopes).routes(),
        *FeedbackApi(scopes).routes(),
        *TrainingsApi(scopes).routes(),
        *ControlApi(scopes).routes(),
        *InspectorApi(scopes, inspection).routes(),
    ]
