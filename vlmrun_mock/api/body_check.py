"""What is wrong with a JSON body: pydantic reads the same types as `bodies`, so that a 422 reads like FastAPI's.

A body comes here only if `bodies` refuses it. pydantic is laxer in a few places: it takes "5" for a number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
import pydantic_core
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    Tag,
    ValidationError,
    create_model,
)

from vlmrun_mock.api.bodies import Part, tag_of
from vlmrun_mock.api.errors import InvalidRequest, Problem
from vlmrun_mock.json_text import BYTE_ORDER_MARK, dotted
from vlmrun_mock.validation_error import mistakes

NO_OBJECT = "Input should be a valid dictionary or object to extract fields from"
"""What FastAPI says where pydantic alone would name its class."""


TEXT, LIST = "<text>", "<list>"


class LenientObject(BaseModel):
    """A documented object: its own fields are checked, further ones are accepted."""

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=(), allow_inf_nan=False)


@dataclass(frozen=True)
class UpToFirstWrong:
    """Lets the check of a list end at its first wrong item; pydantic's own FailFast cannot stand in a union.

    Half a million wrong items would be twenty seconds of work and an answer of 70 MB.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        return {**handler(source), "fail_fast": True}


def checked(struct: type[msgspec.Struct], raw: bytes) -> dict[str, Any]:
    """Return a JSON body that is valid as a struct, with the types that its fields say; raises InvalidRequest."""
    try:
        data = pydantic_core.from_json(raw.removeprefix(BYTE_ORDER_MARK), allow_inf_nan=False)
        if not _finite(data):
            raise ValueError("number out of range")
    except ValueError as error:
        raise InvalidRequest([Problem(("body",), f"JSON decode error: {error}", "json_invalid")]) from None
    try:
        sent: dict[str, Any] = _sent(_model(struct).model_validate(data))
    except ValidationError as error:
        raise InvalidRequest(list(_problems(error))) from None
    return sent


def _finite(value: Any) -> bool:
    """Return whether every number of a JSON value can be written as JSON again; the parser reads 1e999 as infinity."""
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    if isinstance(value, list):
        return all(map(_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def _sent(value: Any) -> Any:
    if isinstance(value, LenientObject):
        fields = type(value).model_fields
        given = {
            each.alias or name: getattr(value, name) for name, each in fields.items() if name in value.model_fields_set
        }
        return {**{name: _sent(each) for name, each in given.items()}, **(value.model_extra or {})}
    return [_sent(each) for each in value] if isinstance(value, list) else value


def _problems(error: ValidationError) -> Iterator[Problem]:
    unknown_part = f"Unknown type of content part; known are {', '.join(map(tag_of, get_args(Part)))}"
    words = {
        "union_tag_invalid": unknown_part,
        "union_tag_not_found": unknown_part,
        "model_type": NO_OBJECT,
        "model_attributes_type": NO_OBJECT,
    }
    for each in mistakes(error, words):
        is_url = each.message == NO_OBJECT and dotted(each.place).endswith("_url")
        yield Problem(("body", *each.place), each.message + (', such as {"url": "…"}' if is_url else ""), each.kind)


@cache
def _model(struct: type[msgspec.Struct]) -> type[LenientObject]:
    """Return a struct as a model. Its fields have names of their own, as pydantic keeps some, such as `schema`."""
    fields: dict[str, Any] = {
        f"{field.name}_": (
            _annotation(field.type),
            Field(... if field.required else field.default, alias=field.encode_name),
        )
        for field in msgspec.structs.fields(struct)
    }
    return create_model(struct.__name__, __base__=LenientObject, **fields)


def _annotation(kind: Any) -> Any:
    """Return a type with models in the places of structs."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _model(kind)
    if get_origin(kind) is Annotated:
        items, limit = get_args(kind)
        item = _annotation(*get_args(items))
        return Annotated[list[item], Field(max_length=limit.max_length), UpToFirstWrong()]  # type: ignore[valid-type]  # it is one
    if get_origin(kind) not in (Union, UnionType):
        return kind
    *branches, last = get_args(kind)
    if last is NoneType:
        return _union(branches) | None
    return _union([*branches, last])


def _union(branches: Sequence[Any]) -> Any:
    """Return a union in which the one branch is tried that a value is meant for, so that there is one problem."""
    if len(branches) == 1:
        return _annotation(branches[0])
    has_lists = any(get_origin(branch) is Annotated for branch in branches)
    if not has_lists and not all(map(tag_of, branches)):
        return Union[tuple(branches)]  # noqa: UP007 - `|` takes no tuple
    # The tags name the branch that was tried; `mistakes` leaves them out of a place by their brackets.
    names = {
        branch: LIST if get_origin(branch) is Annotated else f"<{tag_of(branch) or 'text'}>" for branch in branches
    }
    tagged = tuple(Annotated[_annotation(branch), Tag(name)] for branch, name in names.items())
    return Annotated[Union[tagged], Discriminator(_text_or_list if has_lists else _type)]  # noqa: UP007 - `|` takes no tuple


def _text_or_list(value: object) -> str:
    return LIST if isinstance(value, list) else TEXT


def _type(value: object) -> str:
    return f"<{value.get('type')}>" if isinstance(value, dict) else TEXT
