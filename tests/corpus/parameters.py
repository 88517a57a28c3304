"""What a request may hold beside its messages: parameters without effect, models, ids, metadata, config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.corpus.case import Cases, Request, case, chat, extract, show, with_body
from tests.corpus.documents import PNG, data_url

TOOL = {"type": "function", "function": {"name": "save", "parameters": {"type": "object", "properties": {}}}}

WITHOUT_EFFECT: Mapping[str, tuple[Any, ...]] = {
    "max_tokens": (1, 0, -1, 100_000, None, 10**30),
    "logprobs": (True, 1, 0, False, None),
    "top_logprobs": (2, 0, None, False, "2"),
    "logit_bias": ({"50256": -100}, {}, None, []),
    "presence_penalty": (0.5, 0, 0.0, None, False),
    "frequency_penalty": (-2, 0, 0.0, None),
    "n": (3, 0, 1, None, 1.0),
    "stop": ("\n", ["a", "b"], [], "", None),
    "stream": (True, False, None),
}
"""Values of each parameter of the table in the README, those that ask for nothing among them."""

DETAILS = ("low", "high", "auto", None, "")

ACCEPTED: Mapping[str, Any] = {
    "tools": [TOOL],
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "functions": [TOOL["function"]],
    "function_call": "auto",
    "seed": 42,
    "user": "someone",
    "max_completion_tokens": 5,
    "stream_options": {"include_usage": True},
    "temperature": 0,
    "top_p": 0.1,
    "top_k": 5,
    "store": True,
    "reasoning_effort": "low",
    "metadata": {"order": "17"},
    "extra_body": {"vlmrun": {"domain": "document.receipt"}},
    "something": [{"else": None}],
}
"""Parameters that are taken without a word."""

WRONG: Mapping[str, tuple[Any, ...]] = {
    "max_tokens": ("many", 1.5, True),
    "n": (1.5, "3x", []),
    "temperature": ("warm", [], 1e999),
    "top_p": ({},),
    "top_k": (0.5,),
    "logprobs": ("yes please", 2.5),
    "stream": ("perhaps", 2),
    "response_format": ("json", [], 1),
    "model": (5, ["vlm-1"]),
    "id": (1,),
    "domain": (3, ["document.invoice"]),
    "vlmrun": ("document.invoice", [], {"domain": 5}, {"config": "x"}, {"metadata": []}, {"json_schema": "x"}),
    "json_schema": ("x", []),
    "schema": (True,),
    "metadata": ("x", {"environment": "production"}, {"allow_training": "maybe"}, {"session_id": 4}),
}
"""Values that are no values of their parameters."""

CONFIGS: Mapping[str, Any] = {
    "prompt": {"prompt": "Read the total"},
    "detail hi": {"detail": "hi"},
    "detail lo": {"detail": "lo"},
    "detail auto": {"detail": "auto"},
    "nulls": {"prompt": None, "detail": None, "json_schema": None, "gql_stmt": None, "grounding": None},
    "effort": {"max_retries": 3, "max_tokens": 100, "temperature": 0.5, "service_tier": "default"},
    "further keys": {"keyframes": True, "page_indices": [0, 1], "skills": [{"name": "a"}], "response_model": None},
    "an empty selection": {"gql_stmt": ""},
    "an empty schema": {"json_schema": {}},
    "a wrong detail": {"detail": "high"},
    "a wrong grounding": {"grounding": "perhaps"},
    "a wrong selection": {"gql_stmt": ["invoice_id"]},
    "a wrong schema": {"json_schema": "{}"},
    "several wrong values": {"detail": 1, "grounding": [], "prompt": {}},
}

METADATA: Mapping[str, Any] = {
    "dev": {"environment": "dev"},
    "staging": {"environment": "staging"},
    "prod": {"environment": "prod", "session_id": "s-1", "allow_training": False},
    "further keys": {"order": 17, "nested": {"a": [1, 2.50]}},
    "another environment": {"environment": "test"},
    "null": {"environment": None},
}

MODELS = (
    "vlm-1",
    "",
    None,
    "vlm-1:latest",
    "gpt-4o-mini",
    "Qwen/Qwen2.5-VL-7B-Instruct",
    "vlm-agent-1",
    "vlm-agent-1:auto",
    "vlm-agent-1:pro",
    "vlmrun-orion-1",
    "vlmrun-orion-1:lite",
    "vlmrun-orion-1:fast",
    "vlmrun-orion-1:auto",
    "vlmrun-orion-1:pro",
    "vlmrun-orion-2",
    "vlmrun-orion-2:pro",
    "VLM-AGENT-1",
    "模型",
)


def cases() -> Cases:
    """Return the cases by name."""
    return {**_without_effect(), **_accepted(), **_wrong(), **_described(), **_of_models()}


def _without_effect() -> Cases:
    found: Cases = {}
    for mode, options in (("ignore", {}), ("reject", {"unsupported": "reject"})):
        for name, values in WITHOUT_EFFECT.items():
            for value in values:
                request = with_body(extract("document.invoice"), **{name: value})
                found[f"{name} {value!r:.30}, {mode}"] = case(request, settings=options)
        for detail in DETAILS:
            found[f"image_url.detail {detail!r}, {mode}"] = case(_detailed(detail), settings=options)
        every = {name: values[0] for name, values in WITHOUT_EFFECT.items()}
        found[f"everything without effect, {mode}"] = case(
            with_body(_detailed("auto", "low"), **every),
            with_body(_detailed("auto", None), **{**every, "n": 1}, model="vlm-agent-1"),
            with_body(extract("document.invoice"), presence_penalty=1, frequency_penalty=1, stream=True),
            settings=options,
        )
    return found


def _detailed(*details: str | None) -> Request:
    """Return a request with a picture of each detail."""
    parts = [{"type": "image_url", "image_url": {"url": data_url(PNG), "detail": detail}} for detail in details]
    return extract("document.invoice", messages=[{"role": "user", "content": parts}])


def _accepted() -> Cases:
    found = {
        f"the parameter {name}": case(with_body(extract("document.invoice"), **{name: value}))
        for name, value in ACCEPTED.items()
    }
    further = {name: value for name, value in ACCEPTED.items() if name != "metadata"}
    found["all further parameters"] = case(with_body(extract("document.invoice"), **further))
    return found


def _wrong() -> Cases:
    return {
        f"a wrong {name}: {value!r:.40}": case(with_body(extract("document.invoice"), **{name: value}))
        for name, values in WRONG.items()
        for value in values
    }


def _described() -> Cases:
    found = {f"config: {name}": case(extract("document.invoice", config=config)) for name, config in CONFIGS.items()}
    for name, metadata in METADATA.items():
        found[f"metadata: {name}"] = case(extract("document.invoice", metadata=metadata))
        found[f"metadata at the top: {name}"] = case(chat(domain="document.invoice", metadata=metadata))
    return found


def _of_models() -> Cases:
    found: Cases = {}
    for model in MODELS:
        found[f"the model {model!r}"] = case(with_body(extract("document.receipt"), model=model))
    for model in ("vlm-1", "vlm-agent-1:auto", "vlmrun-orion-1:fast"):
        found[f"the model {model} without a domain"] = case(chat(model=model))
        found[f"a stream of the model {model}"] = case(chat(model=model, stream=True, domain="document.receipt"))
        found[f"the model {model} with a document by its id"] = case(
            chat(
                model=model,
                messages=[{"content": [{"type": "input_file", "input_file": {"file_id": "abc"}}]}],
                domain="document.receipt",
            )
        )
    for name in ("chosen-by-the-client", "", None, "ünïcode"):
        found[f"the id {name!r}"] = case(with_body(extract("document.receipt"), id=name))
    found["messages of two pictures with the same words"] = case(
        extract("document.receipt", messages=show(data_url(PNG), data_url(PNG)))
    )
    return found
