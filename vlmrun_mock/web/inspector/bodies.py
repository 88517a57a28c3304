"""What the page sends, checked."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

LONGEST_DRAFT = 2_000_000


class PictureBody(BaseModel):
    """A document of a request that is saved beside a fixture, under a path that is relative to it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    request: str
    document: Annotated[int, Field(ge=0)]
    name: Annotated[str, Field(max_length=200)]


class DraftBody(BaseModel):
    """A fixture as it is typed; `request` is the id of the one that it is made for, `picture` goes beside it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(max_length=400)]
    text: Annotated[str, Field(max_length=LONGEST_DRAFT)]
    request: str | None = None
    picture: PictureBody | None = None


class SavedBody(DraftBody):
    """A fixture to be written; `replaces` is the identity of the file that was shown as a difference."""

    replaces: str | None = None
