"""A request as a call to paste: for curl, Python and JavaScript, with the key in a variable and files by name."""

from __future__ import annotations

import json
import shlex
from typing import Any

ARROW = "…("


def calls(method: str, path: str, data: Any, base: str) -> dict[str, str]:
    """Return the calls that send a JSON body; its documents, which are only named, are read from a file.

    `base` is the server's address.
    """
    file, given = _placed(data)
    body = json.dumps(given, indent=2, ensure_ascii=False)
    url = f"{base}{path}"
    return {
        "curl": _curl(method, url, body, file=file),
        "python": _python(method, url, given, file=file),
        "javascript": _javascript(method, url, body, file=file),
    }


PLACEHOLDER = "@@DOCUMENT@@"


def _placed(data: Any) -> tuple[str, Any]:
    """Return the head of the first document's data URL, empty if there is none, and the body with a placeholder."""
    found: list[str] = []

    def replaced(value: Any) -> Any:
        if isinstance(value, str) and ARROW in value and "sha256:" in value:
            found.append(value.partition(ARROW)[0])
            return PLACEHOLDER
        if isinstance(value, list):
            return [replaced(each) for each in value]
        if isinstance(value, dict):
            return {name: replaced(each) for name, each in value.items()}
        return value

    given = replaced(data)
    return (found[0] or "data:image/png;base64,") if found else "", given


def _curl(method: str, url: str, body: str, *, file: str) -> str:
    head = (
        f"curl -X {method} {shlex.quote(url)} \\\n"
        '  -H "Authorization: Bearer $VLMRUN_API_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
    )
    if not file:
        return f"{head}  -d {shlex.quote(body)}\n"
    quoted = body.replace("\\", "\\\\").replace("$", "\\$").replace("`", "\\`")
    quoted = quoted.replace(PLACEHOLDER, f"{file}$document")
    return (
        f"document=$(base64 -w0 document.jpg)  # on macOS: base64 -i document.jpg\n{head}  -d @- <<EOF\n{quoted}\nEOF\n"
    )


def _python(method: str, url: str, data: Any, *, file: str) -> str:
    body = _python_literal(data)
    read = ""
    if file:
        read = f'document = {file!r} + base64.b64encode(Path("document.jpg").read_bytes()).decode()\n'
        body = body.replace(repr(PLACEHOLDER), "document")
    imports = "import base64\nimport os\nfrom pathlib import Path\n" if file else "import os\n"
    return (
        f"{imports}\nimport httpx\n\n{read}"
        f"response = httpx.request(\n"
        f"    {method!r},\n"
        f"    {url!r},\n"
        f'    headers={{"Authorization": f"Bearer {{os.environ[\'VLMRUN_API_KEY\']}}"}},\n'
        f"    json={_indented(body, 4)},\n"
        f"    timeout=60,\n"
        f")\n"
        "print(response.status_code, response.text)\n"
    )


def _python_literal(value: Any, depth: int = 0) -> str:
    """Return a JSON value as Python writes it, over several lines."""
    blank, inner = "    " * depth, "    " * (depth + 1)
    if isinstance(value, dict) and value:
        lines = (f"{inner}{key!r}: {_python_literal(each, depth + 1)}," for key, each in value.items())
        return "\n".join(("{", *lines, f"{blank}}}"))
    if isinstance(value, list) and value:
        lines = (f"{inner}{_python_literal(each, depth + 1)}," for each in value)
        return "\n".join(("[", *lines, f"{blank}]"))
    return repr(value)


def _javascript(method: str, url: str, body: str, *, file: str) -> str:
    read = ""
    if file:
        read = (
            'import { readFileSync } from "node:fs";\n\n'
            f'const document = {json.dumps(file)} + readFileSync("document.jpg").toString("base64");\n'
        )
        body = body.replace(json.dumps(PLACEHOLDER), "document")
    return (
        f"{read}const response = await fetch({json.dumps(url)}, {{\n"
        f"  method: {json.dumps(method)},\n"
        "  headers: {\n"
        "    Authorization: `Bearer ${process.env.VLMRUN_API_KEY}`,\n"
        '    "Content-Type": "application/json",\n'
        "  },\n"
        f"  body: JSON.stringify({_indented(body, 2)}),\n"
        "});\n"
        "console.log(response.status, await response.text());\n"
    )


def _indented(text: str, by: int) -> str:
    first, *others = text.splitlines()
    return "\n".join((first, *(f"{' ' * by}{line}" for line in others)))
