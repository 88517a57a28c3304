"""Messages of several shapes, the documents in them, and what is wrong with some."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from tests.corpus import documents
from tests.corpus.case import Cases, Request, case, chat, show
from tests.corpus.documents import data_url, png

TEXT = {"type": "text", "text": "Extract"}
PICTURE = {"type": "image_url", "image_url": {"url": data_url(documents.PNG)}}
PDF_BASE64 = base64.b64encode(documents.PDF).decode()
BASE64 = base64.b64encode(documents.JPEG).decode()
ODD = base64.b64encode(b"\xfb\xff\xfe?" * 5 + b"x").decode()

MESSAGES: Mapping[str, Any] = {
    "none": [],
    "an empty one": [{}],
    "null as content": [{"role": "user", "content": None}],
    "an empty text": [{"role": "user", "content": ""}],
    "no parts": [{"role": "user", "content": []}],
    "one part of text": [{"role": "user", "content": [TEXT]}],
    "several texts": [{"role": "user", "content": [TEXT, {"type": "text", "text": "the total, s'il vous plaît"}]}],
    "system and user": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Extract"}],
    "a conversation": [
        {"role": "user", "content": [TEXT, PICTURE]},
        {"role": "assistant", "content": '{"invoice_id": "1"}'},
        {"role": "user", "content": "And the total?"},
    ],
    "a picture between texts": [{"content": [TEXT, PICTURE, {"type": "text", "text": "as JSON"}]}],
    "pictures in two messages": [{"content": [PICTURE]}, {"content": [PICTURE, TEXT]}],
    "names and further keys": [{"role": "user", "name": "Ann", "content": "Extract", "refusal": None}],
    "further keys in parts": [
        {"content": [{**TEXT, "cache_control": {"type": "ephemeral"}}, {**PICTURE, "name": "a"}]}
    ],
    "special tokens": [{"content": "<|endoftext|> <|im_start|>system"}],
    "many languages": [{"content": "Ünïcödé 漢字 🙂 \u0000 \u2028"}],
    "a long text": [{"content": "lorem ipsum 42 " * 3_000}],
    "half of a pair": [{"content": "\ud83d"}],
    "the role developer": [{"role": "developer", "content": "Extract"}],
    "the role tool": [{"role": "tool", "content": "1", "tool_call_id": "a"}],
}

WRONG_MESSAGES: Mapping[str, Any] = {
    "left out": None,
    "a text": "Extract",
    "an object": {"role": "user", "content": "Extract"},
    "texts": ["Extract"],
    "null among them": [None],
    "an unknown role": [{"role": "robot", "content": "Extract"}],
    "a number as content": [{"role": "user", "content": 5}],
    "an object as content": [{"role": "user", "content": TEXT}],
    "a text among parts": [{"role": "user", "content": ["Extract"]}],
    "a part without a type": [{"content": [{"text": "Extract"}]}],
    "a part of an unknown type": [{"content": [{"type": "image", "image": "a"}]}],
    "a part whose type is a list": [{"content": [{"type": ["text"]}]}],
    "a text that is a number": [{"content": [{"type": "text", "text": 5}]}],
    "a text part without text": [{"content": [{"type": "text"}]}],
    "a picture without a URL": [{"content": [{"type": "image_url"}]}],
    "a picture whose URL is a text": [{"content": [{"type": "image_url", "image_url": "https://example.com/a.png"}]}],
    "a picture whose URL is null": [{"content": [{"type": "image_url", "image_url": {"url": None}}]}],
    "a picture with a wrong detail": [
        {"content": [{"type": "image_url", "image_url": {"url": "https://example.com/a", "detail": 3}}]}
    ],
    "a file without a reference": [{"content": [{"type": "input_file"}]}],
    "a file with an empty reference": [{"content": [{"type": "input_file", "input_file": {"file_id": ""}}]}],
    "a file whose id is a number": [{"content": [{"type": "input_file", "input_file": {"file_id": 7}}]}],
    "two wrong ones": [{"role": 1}, {"role": 2}],
    "the second wrong": [{}, {"content": [TEXT, {"type": "audio"}]}],
    "more than there may be": [{}] * 10_001,
}

URLS: Mapping[str, str] = {
    "a PNG": data_url(documents.PNG),
    "another PNG of that size": data_url(documents.OTHER_PNG),
    "a large PNG": data_url(documents.LARGE_PNG),
    "a tall PNG": data_url(png(300, 9_000)),
    "a PNG without a width": data_url(png(0, 10)),
    "a JPEG": data_url(documents.JPEG, "image/jpeg"),
    "a JPEG that is called a PNG": data_url(documents.JPEG),
    "a GIF": data_url(documents.GIF, "image/gif"),
    "a WebP": data_url(documents.WEBP, "image/webp"),
    "a bitmap": data_url(documents.BMP, "image/bmp"),
    "a TIFF": data_url(documents.TIFF, "image/tiff"),
    "a HEIC": data_url(documents.HEIC, "image/heic"),
    "a PDF": data_url(documents.PDF, "application/pdf"),
    "a text": data_url(documents.TEXT, "text/plain"),
    "bytes of no type": data_url(b"\x00\x01", ""),
    "a type that is none": data_url(documents.TEXT, "not a type"),
    "a file name": f"data:application/pdf;name=scan%201.pdf;base64,{PDF_BASE64}",
    "a quoted file name": f'data:application/pdf;filename="C:\\a\\b.pdf";base64,{PDF_BASE64}',
    "base64 in lines": f"data:image/jpeg;base64,{BASE64[:20]}\r\n{BASE64[20:]}\n",
    "base64 without padding": f"data:image/jpeg;base64,{BASE64.rstrip('=')}",
    "base64 for URLs": f"data:application/x-odd;base64,{ODD.replace('+', '-').replace('/', '_')}",
    "escaped base64": f"data:application/x-odd;base64,{ODD.replace('+', '%2B').replace('/', '%2F')}",
    "percent signs": "data:text/plain,a%20b%C3%BC",
    "capitals": f"DATA:IMAGE/JPEG;BASE64,{BASE64}",
    "http": "http://example.com/a.png",
    "https with a query": "https://example.com/a.pdf?page=1#top",
    "https in capitals": "HTTPS://EXAMPLE.COM/A.PNG",
    "https with letters of all kinds": "https://example.com/größe/漢字.png",
    "a signed URL": "https://bucket.s3.amazonaws.com/a.png?X-Amz-Signature=0123456789abcdef",
}

WRONG_URLS: Mapping[str, str] = {
    "empty": "",
    "blank": "  ",
    "a path": "/home/me/a.png",
    "a drive": "C:\\a.png",
    "a file URL": "file:///etc/passwd",
    "ftp": "ftp://example.com/a.png",
    "javascript": "javascript:alert(1)",
    "a word": "data",
    "only https": "https://",
    "a line break": "https://example.com/\r\nX-Injected: 1",
    "no comma": "data:image/png;base64",
    "no data": "data:image/png;base64,",
    "no data after an escape": "data:text/plain,",
    "not base64": "data:image/png;base64,AB!D",
    "a letter that is not ASCII": "data:image/png;base64,ABéD",
    "cut base64": "data:image/png;base64,AAAAA",
    "half of a pair": "data:text/plain,\ud800",
    "bare base64 of a PNG": "iVBORw0KGgoAAAANSUhEUg",
    "bare base64 of a JPEG": "/9j/4AAQSkZJRg",
    "bare base64 of a GIF": "R0lGODlhAQABAAAAACw",
    "bare base64 of a WebP": "UklGRiIAAABXRUJQ",
    "bare base64 of a PDF": "JVBERi0xLjQKJ",
    "a long word": "x" * 500,
}

FILES: Mapping[str, dict[str, Any]] = {
    "an id in an object": {"input_file": {"file_id": "file-1"}},
    "an id beside the type": {"file_id": "file-1"},
    "a URL in an object": {"input_file": {"file_url": "https://example.com/a.pdf"}},
    "a URL beside the type": {"file_url": data_url(documents.PDF, "application/pdf")},
    "an id and a URL": {"input_file": {"file_id": "file-1", "file_url": "https://example.com/a.pdf"}},
    "a file name in the object": {"input_file": {"file_id": "file-1", "filename": "a.pdf"}},
    "a file name beside a URL": {"file_url": "https://example.com/a.pdf", "filename": "ordner/b.pdf"},
    "an id with a line break": {"file_id": "file\n1"},
    "a wrong URL": {"file_url": "a.pdf"},
}

BODIES: Mapping[str, bytes] = {
    "nothing": b"",
    "blanks": b" \r\n",
    "null": b"null",
    "a list": b"[]",
    "a number": b"1",
    "a text": b'"messages"',
    "an empty object": b"{}",
    "cut off": b'{"messages": [{}], "domain": "document.invoice"',
    "two values": b'{"messages": [{}]} {"messages": [{}]}',
    "a comment": b'{"messages": [{}] /* none */}',
    "single quotes": b"{'messages': [{}]}",
    "a comma too many": b'{"messages": [{}],}',
    "form data": b"messages=1&model=vlm-1",
    "invalid UTF-8": b'{"messages": [{"content": "\xff"}]}',
    "UTF-16": '{"messages": [{}]}'.encode("utf-16-le"),
    "a byte order mark": b'\xef\xbb\xbf{"messages": [{}], "domain": "document.invoice"}',
    "NaN": b'{"messages": [{}], "temperature": NaN}',
    "infinity": b'{"messages": [{}], "further": -Infinity}',
    "a number beyond a double": b'{"messages": [{}], "further": [{"a": 1e999}]}',
    "a repeated key": b'{"messages": 5, "messages": [{}], "domain": "document.invoice"}',
    "escapes": b'{"m\\u0065ssages": [{}], "domain": "docum\\u0065nt.invoice"}',
    "deep lists": b'{"messages": [{}], "further": ' + b"[" * 300 + b"]" * 300 + b"}",
    "a long integer": b'{"messages": [{}], "domain": "document.invoice", "max_tokens": ' + b"9" * 100 + b"}",
}


def cases() -> Cases:
    """Return the cases by name."""
    invoice = "document.invoice"
    return {
        **{f"messages: {name}": case(chat(messages=given, domain=invoice)) for name, given in MESSAGES.items()},
        **{f"messages without a domain: {name}": case(chat(messages=MESSAGES[name])) for name in list(MESSAGES)[:8]},
        **{f"wrong messages: {name}": case(chat(messages=given)) for name, given in WRONG_MESSAGES.items()},
        **{f"a document: {name}": case(chat(messages=show(url), domain=invoice)) for name, url in URLS.items()},
        **{f"a wrong document: {name}": case(chat(messages=show(url))) for name, url in WRONG_URLS.items()},
        **_of_other_kinds(),
        **{f"a body: {name}": case(Request(body=body)) for name, body in BODIES.items()},
    }


def _of_other_kinds() -> Cases:
    found: Cases = {}
    for kind in ("video_url", "audio_url", "file_url"):
        for name in ("a PDF", "http", "a PNG"):
            found[f"{name} as {kind}"] = case(chat(messages=show(URLS[name], kind=kind), domain="document.file"))
        found[f"a wrong {kind}"] = case(chat(messages=show("nowhere", kind=kind)))
        found[f"{kind} that is a text"] = case(chat(messages=[{"content": [{"type": kind, kind: "https://a.b/c"}]}]))
    for name, reference in FILES.items():
        part = {"type": "input_file", **reference}
        found[f"a file: {name}"] = case(chat(messages=[{"content": [TEXT, part]}], domain="document.file"))
    several = show(*(URLS[name] for name in ("a PNG", "a JPEG", "a PDF", "http", "a large PNG")))
    found["five documents"] = case(chat(messages=several, domain="document.invoice"))
    found["five documents with grounding"] = case(
        chat(messages=several, vlmrun={"domain": "document.bank-statement", "config": {"grounding": True}})
    )
    return found
