"""The pytest plugin, in sessions of its own that run tests as a user writes them."""

from __future__ import annotations

from importlib.metadata import entry_points
from textwrap import dedent

import pytest

from tests.testing.conftest import Imports
from vlmrun_mock.mock.options import INI

pytest_plugins = ["pytester"]

# A checkout that is only on the path, and not installed, has no entry point.
FOUND = bool(entry_points(group="pytest11", name="vlmrun_mock"))
PLUGIN = () if FOUND else ("-p", "vlmrun_mock.testing.pytest_plugin")
UNUSED = ("anyio", "asyncio", "cacheprovider", "faker", "hypothesispytest", "platformdirs", "randomly", "typeguard")
"""Plugins of other packages that no session needs, unless it asks for one: they take most of a session's time."""

QUIET = (*(argument for name in UNUSED for argument in ("-p", f"no:{name}")), "-W", "error")

ASKING = """
import json, os, urllib.error, urllib.request

def ask(domain="document.invoice", text="Extract", key=None):
    body = json.dumps({"messages": [{"content": text}], "vlmrun": {"domain": domain}}).encode()
    headers = {"Authorization": "Bearer " + (key or os.environ["OPENAI_API_KEY"])}
    request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body, headers)
    try:
        # `urlopen` would keep the proxies of the environment in which it was first called.
        with urllib.request.build_opener().open(request) as answer:
            return json.load(answer)["choices"][0]["message"]["content"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code
"""


class Run:
    """A session of pytest over one module of tests: in this process, or `apart`, in a process of its own."""

    def __init__(self, pytester: pytest.Pytester, imports: Imports) -> None:
        self.pytester = pytester
        self._imports = imports

    def __call__(self, source: str, *arguments: str, quiet: bool = True, apart: bool = False) -> pytest.RunResult:
        """Run the tests in a source."""
        self.pytester.makepyfile(test_it="import pytest\nfrom asking import ask\n" + dedent(source))
        return self.again(*arguments, quiet=quiet, apart=apart)

    def again(self, *arguments: str, quiet: bool = True, apart: bool = False) -> pytest.RunResult:
        """Run what is there."""
        options = (*PLUGIN, *(QUIET if quiet else ()), *arguments)
        if apart:
            return self.pytester.runpytest_subprocess(*options)
        result = self.pytester.runpytest_inprocess(*options, plugins=[self._imports])
        self._imports.restore()
        return result


@pytest.fixture
def run(imports: Imports, pytester: pytest.Pytester) -> Run:
    """Return what runs the tests in a source."""
    return prepared(pytester, imports)


def prepared(pytester: pytest.Pytester, imports: Imports) -> Run:
    """Return what runs the tests in a source, which no configuration file above its folder changes."""
    pytester.makepyfile(asking=ASKING)
    pytester.makefile(".ini", pytest="[pytest]\n")
    pytester.syspathinsert()
    return Run(pytester, imports)


def test_the_fixture_is_found_without_an_import_and_leads_an_application_to_it(run: Run) -> None:
    result = run(
        """
    import os

    def test_environment(vlmrun_mock):
        assert os.environ["OPENAI_BASE_URL"] == vlmrun_mock.openai_url == vlmrun_mock.url + "/v1/openai"
        assert os.environ["VLMRUN_BASE_URL"] == vlmrun_mock.url + "/v1"
        assert os.environ["OPENAI_API_KEY"] == os.environ["VLMRUN_API_KEY"] == vlmrun_mock.api_key
        assert "HB-2025-0347" in ask()
        assert vlmrun_mock.assert_requested("document.invoice", times=1)[0].status == 201

    def test_after():
        assert not {"OPENAI_BASE_URL", "VLMRUN_BASE_URL"} & os.environ.keys()
    """,
        apart=True,
    )

    result.assert_outcomes(passed=2)


def test_a_proxy_in_the_environment_is_passed_by_for_the_length_of_a_test(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "internal.example")

    result = run("""
    import os

    def test_with(vlmrun_mock):
        assert "HB-2025-0347" in ask()
        assert os.environ["NO_PROXY"] == "internal.example,127.0.0.1"

    def test_after():
        assert os.environ["NO_PROXY"] == "internal.example"
    """)

    result.assert_outcomes(passed=2)


def test_host_names_and_origins_stand_on_lines_of_the_configuration_file(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makefile(".ini", pytest="[pytest]\nvlmrun_mock_allow_hosts =\n    a.example\n    b.example\n")

    result = run("""
    def test_settings(vlmrun_mock):
        assert vlmrun_mock._mock.settings.allow_hosts == {"a.example", "b.example"}
    """)

    result.assert_outcomes(passed=1)


def test_the_environment_is_restored_after_the_test(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://before.example")

    result = run("""
    import os

    def test_with(vlmrun_mock, monkeypatch):
        monkeypatch.undo()
        assert os.environ["OPENAI_BASE_URL"] == vlmrun_mock.openai_url

    def test_after():
        assert os.environ["OPENAI_BASE_URL"] == "https://before.example"
    """)

    result.assert_outcomes(passed=2)


def test_each_test_starts_clean_on_the_same_server(run: Run) -> None:
    result = run("""
    urls, keys = set(), set()

    @pytest.mark.parametrize("number", range(3))
    def test_each(vlmrun_mock, number):
        urls.add(vlmrun_mock.url)
        keys.add(vlmrun_mock.api_key)
        assert vlmrun_mock.requests == []
        assert "HB-2025-0347" in ask()
        vlmrun_mock.add("document.invoice", content={"invoice_id": "mine"})
        vlmrun_mock.fail(times=None)
        assert ask() == 429
        assert (len(urls), len(keys)) == (1, number + 1)
    """)

    result.assert_outcomes(passed=3)


KEPT = {
    "a client that a function caches": """
    @functools.cache
    def client():
        return Client()

    @pytest.fixture
    def kept(vlmrun_mock):
        return client()
    """,
    "a client in a module's variable": """
    clients = []

    @pytest.fixture
    def kept(vlmrun_mock):
        clients.append(Client()) if not clients else None
        return clients[0]
    """,
    "a client in an attribute of a class": """
    class Application:
        client = None

    @pytest.fixture
    def kept(vlmrun_mock):
        Application.client = Application.client or Client()
        return Application.client
    """,
    "a client of a session's fixture": """
    @pytest.fixture(scope="session")
    def kept(vlmrun_mock_session):
        return Client(vlmrun_mock_session.url + "/v1/openai", vlmrun_mock_session.api_key)
    """,
    "a client of a module's fixture": """
    @pytest.fixture(scope="module")
    def kept(vlmrun_mock_session):
        return Client(**{name.lower(): value for name, value in vlmrun_mock_session.environment.items()})
    """,
    "a client with a key of its own, which asked before the first test": """
    @pytest.fixture(scope="session")
    def kept(vlmrun_mock_session):
        client = Client(vlmrun_mock_session.openai_url, "hard-coded")
        assert "HB-2025-0347" in client.ask()
        return client
    """,
    "a thread that an earlier test started": """
    @functools.cache
    def pool():
        client = Client()
        return ThreadPoolExecutor(1, initializer=lambda: None), client

    @pytest.fixture
    def kept(vlmrun_mock):
        class Asking:
            def ask(self):
                threads, client = pool()
                return threads.submit(client.ask).result()
        return Asking()
    """,
}
"""Ways in which a client outlives the test that it was made in, each as a fixture."""

KEEPING = """
import functools, json, os, urllib.request
from concurrent.futures import ThreadPoolExecutor

class Client:
    def __init__(self, openai_base_url=None, openai_api_key=None, **_):
        self.url = openai_base_url or os.environ["OPENAI_BASE_URL"]
        self.key = openai_api_key or os.environ["OPENAI_API_KEY"]

    def ask(self):
        body = json.dumps({"messages": [{"content": "Hello"}], "vlmrun": {"domain": "document.invoice"}}).encode()
        headers = {"Authorization": "Bearer " + self.key}
        request = urllib.request.Request(self.url + "/chat/completions", body, headers)
        with urllib.request.build_opener().open(request) as answer:
            return json.load(answer)["choices"][0]["message"]["content"]
"""


@pytest.mark.parametrize("way", KEPT)
def test_a_client_that_outlives_its_test_is_served_as_the_running_test_says(way: str, run: Run) -> None:
    asking = """
    @pytest.mark.parametrize("number", range(3))
    def test_each(kept, vlmrun_mock, number):
        vlmrun_mock.add("document.invoice", content={"invoice_id": f"number {number}"})
        assert f"number {number}" in kept.ask()
        entry, = vlmrun_mock.assert_requested("document.invoice", times=1)
        assert all(note.endswith("test_it.py::test_each[0], which is over") for note in entry.notes)
        print("noted:", len(entry.notes))
    """

    result = run(KEEPING + dedent(KEPT[way]) + dedent(asking), "-rP", "-p", "no:xdist")

    result.assert_outcomes(passed=3)
    of_a_test = "session" not in way and "module's fixture" not in way and "of its own" not in way
    assert result.stdout.str().count("noted: 1") == (2 if of_a_test else 0)


def test_a_client_that_outlives_its_test_learns_why_it_is_not_served_without_one(run: Run) -> None:
    result = run("""
    import functools, httpx, openai, os

    @functools.cache
    def client():
        return openai.OpenAI(max_retries=0)

    def extract():
        return client().chat.completions.create(model="vlm-1", messages=[{"role": "user", "content": "Hello"}])

    def test_first(vlmrun_mock):
        extract()

    def test_without_the_fixture():
        with pytest.raises(openai.AuthenticationError, match="the key of test_it.py::test_first, which is over") as e:
            extract()
        assert e.value.body["code"] == "test_is_over"
        url = str(client().base_url).replace("/v1/openai/", "/_mock/requests")
        answer = httpx.get(url, headers={"Authorization": "Bearer " + client().api_key})
        assert answer.status_code == 401
        assert "vlmrun_mock_session" in answer.json()["detail"]
    """)

    result.assert_outcomes(passed=2)


def test_the_session_s_address_leads_fixtures_of_each_scope_to_the_mock(run: Run) -> None:
    run.pytester.makefile(".ini", pytest="[pytest]\nvlmrun_mock_fixtures = mine\n")
    folder = run.pytester.mkdir("mine")
    (folder / "any.json").write_text('{"answer": {"content": "of the configuration file"}}')

    result = run("""
    import os, urllib.request, vlmrun_mock

    def asked(address):
        os.environ["OPENAI_BASE_URL"] = address.openai_url
        return ask(key=address.api_key)

    @pytest.fixture(scope="session")
    def of_the_session(vlmrun_mock_session):
        assert isinstance(vlmrun_mock_session, vlmrun_mock.Address)
        yield asked(vlmrun_mock_session)
        assert asked(vlmrun_mock_session) == "of the configuration file"

    @pytest.fixture(scope="module")
    def of_the_module(vlmrun_mock_session):
        yield asked(vlmrun_mock_session)
        assert asked(vlmrun_mock_session) == "of the configuration file"

    @pytest.fixture(scope="class")
    def of_the_class(vlmrun_mock_session):
        return asked(vlmrun_mock_session)

    class TestAll:
        def test_all(self, of_the_session, of_the_module, of_the_class, vlmrun_mock, vlmrun_mock_session):
            assert {of_the_session, of_the_module, of_the_class} == {"of the configuration file"}
            assert vlmrun_mock.requests == []
            vlmrun_mock.add(content="of the test")
            assert asked(vlmrun_mock_session) == "of the test"

        def test_without_the_test_s_own(self, vlmrun_mock_session):
            assert asked(vlmrun_mock_session) == "of the configuration file"
    """)

    result.assert_outcomes(passed=2)


def test_clients_of_wider_fixtures_pass_a_proxy_by(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    result = run("""
    import openai

    @pytest.fixture(scope="session")
    def client(vlmrun_mock_session):
        return openai.OpenAI(base_url=vlmrun_mock_session.openai_url, api_key=vlmrun_mock_session.api_key)

    def test_it(client):
        client.chat.completions.create(model="vlm-1", messages=[{"role": "user", "content": "Hello"}])
    """)

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("scope", ["class", "module", "package", "session"])
def test_a_wider_fixture_that_asks_for_a_test_s_mock_is_told_what_to_do(scope: str, run: Run) -> None:
    result = run(f"""
    @pytest.fixture(scope="{scope}")
    def client(vlmrun_mock):
        return vlmrun_mock.url

    def test_it(client):
        pass
    """)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*ScopeMismatch: You tried to access the function scoped fixture vlmrun_mock with*", "*vlmrun_mock_session*"]
    )


def test_a_wrong_option_of_the_file_is_a_clear_error_for_the_session_as_well(run: Run) -> None:
    result = run("def test_it(vlmrun_mock_session): pass", "-o", "vlmrun_mock_seed=seven")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["vlmrun_mock_session: seed is a whole number, not 'seven'"])


def test_a_session_s_client_is_shared_by_asynchronous_tests_and_by_each_process(run: Run) -> None:
    options = ("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=session", "-n", "2")
    unused = (argument for name in UNUSED if name != "asyncio" for argument in ("-p", f"no:{name}"))

    result = run(
        """
    import httpx

    @pytest.fixture(scope="session")
    async def client(vlmrun_mock_session):
        key = {"Authorization": f"Bearer {vlmrun_mock_session.api_key}"}
        async with httpx.AsyncClient(base_url=vlmrun_mock_session.openai_url, headers=key) as client:
            yield client

    @pytest.mark.asyncio(loop_scope="session")
    @pytest.mark.parametrize("number", range(6))
    async def test_each(client, vlmrun_mock, number):
        vlmrun_mock.add(content=f"number {number}")
        answer = await client.post("/chat/completions", json={"messages": [{"role": "user", "content": "x"}]})
        assert answer.json()["choices"][0]["message"]["content"] == f"number {number}"
        vlmrun_mock.assert_requested(times=1)
    """,
        *options,
        *unused,
        quiet=False,
        apart=True,
    )

    result.assert_outcomes(passed=6)


def test_an_application_with_a_key_of_its_own_is_served_as_the_test_says(run: Run) -> None:
    result = run("""
    @pytest.mark.parametrize("number", range(2))
    def test_hard_coded_key(vlmrun_mock, number):
        vlmrun_mock.add("document.invoice", content={"invoice_id": f"number {number}"})
        assert f"number {number}" in ask(key="hard-coded")
        vlmrun_mock.assert_requested("document.invoice", times=1)
    """)

    result.assert_outcomes(passed=2)


def test_what_is_registered_without_a_key_does_not_outlive_the_test(run: Run) -> None:
    result = run("""
    import httpx

    @pytest.mark.parametrize("number", range(2))
    def test_control_api(vlmrun_mock, number):
        assert "HB-2025-0347" in ask()
        fixture = {"answer": {"content": "for everyone"}}
        assert httpx.post(vlmrun_mock.url + "/_mock/fixtures", json=fixture).status_code == 201
        assert ask() == "for everyone"
        assert httpx.post(vlmrun_mock.openai_url + "/chat/completions", json={}).status_code == 401
        assert [entry.status for entry in vlmrun_mock.requests] == [201, 201, 401]
    """)

    result.assert_outcomes(passed=2)


def test_a_failed_expectation_explains_itself_and_the_report_lists_the_requests(run: Run) -> None:
    result = run("""
    def test_expects(vlmrun_mock):
        ask("document.receipt")
        vlmrun_mock.assert_requested("document.invoice")
    """)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">       vlmrun_mock.assert_requested(*",
            "E       AssertionError: expected a request with domain document.invoice, but there was none",
            "E       the nearest other is req_*: the domain is document.receipt, not document.invoice",
            "E       what was asked instead:",
            'E           req_*  201  document.receipt  no document  "Extract"  document.receipt/answer.json',
            "*Captured vlmrun-mock call*",
            "req_*  201  document.receipt  *",
        ]
    )
    assert "control.py" not in result.stdout.str()


def test_the_marker_sets_the_settings_of_a_test_and_the_closest_wins(run: Run) -> None:
    result = run("""
    pytestmark = pytest.mark.vlmrun_mock(strict=True, seed=7)

    def test_of_the_module(vlmrun_mock):
        assert ask() == 404
        vlmrun_mock.reset()

    @pytest.mark.vlmrun_mock(strict=False)
    class TestOfTheClass:
        def test_class(self, vlmrun_mock):
            assert "HB-2025-0347" in ask()

        @pytest.mark.vlmrun_mock(faults="status=503", rate_limit="2/min", unknown_domain="generate")
        def test_function(self, vlmrun_mock):
            assert ask("custom.slip") == 503
            assert '"title"' in ask("custom.slip")
            assert ask() == 429
    """)

    result.assert_outcomes(passed=3)


def test_the_marker_starts_the_mock_for_a_test_that_does_not_name_the_fixture(run: Run) -> None:
    result = run("""
    import unittest

    @pytest.mark.vlmrun_mock(unsupported="reject")
    def test_marked():
        assert "HB-2025-0347" in ask()

    @pytest.mark.vlmrun_mock
    class TestCase(unittest.TestCase):
        def test_unittest(self):
            assert "HB-2025-0347" in ask()
    """)

    result.assert_outcomes(passed=2)


def test_the_folders_of_a_marker_are_relative_to_the_test_and_those_of_the_file_to_the_file(run: Run) -> None:
    for folder, answer in (("mine", "of the marker"), ("tests/mine", "of the test"), ("suite", "of the file")):
        (run.pytester.path / folder).mkdir(parents=True)
        (run.pytester.path / folder / "any.json").write_text(f'{{"answer": {{"content": "{answer}"}}}}')
    run.pytester.makefile(".ini", pytest="[pytest]\nvlmrun_mock_fixtures = suite\npythonpath = .\n")
    run.pytester.makepyfile(
        **{
            "tests/test_folders": """
            import pytest
            from asking import ask

            def test_file(vlmrun_mock):
                assert ask() == "of the file"

            @pytest.mark.vlmrun_mock(fixtures="mine")
            def test_marker(vlmrun_mock):
                assert ask() == "of the test"

            @pytest.mark.vlmrun_mock(fixtures=["mine", {"answer": {"content": "in place"}}])
            def test_in_place(vlmrun_mock):
                assert ask() == "in place"
                vlmrun_mock.reset()
                assert ask() == "in place"
            """
        }
    )

    result = run.again("tests")

    result.assert_outcomes(passed=3)


def test_a_folder_is_loaded_once_for_all_tests_that_name_it(run: Run) -> None:
    folder = run.pytester.mkdir("many")
    for number in range(200):
        (folder / f"{number}.json").write_text('{"answer": {"content": "x"}}')

    result = run("""
    @pytest.mark.parametrize("number", range(50))
    @pytest.mark.vlmrun_mock(fixtures="many")
    def test_many(vlmrun_mock, number):
        assert ask() == "x"
        stores.add(id(vlmrun_mock._mock.store))
        assert len(stores) == 1

    stores = set()
    """)

    result.assert_outcomes(passed=50)


def test_the_configuration_file_sets_the_settings_of_all_tests(run: Run) -> None:
    run.pytester.makefile(
        ".ini",
        pytest="""
        [pytest]
        vlmrun_mock_strict = true
        vlmrun_mock_seed = 7
        vlmrun_mock_max_body = 1000
        vlmrun_mock_ids = random
        vlmrun_mock_api_keys =
            right
        vlmrun_mock_faults =
            status=503
            status=500,times=2
        """,
    )

    result = run("""
    def test_file(vlmrun_mock):
        assert [ask(), ask(), ask(), ask(), ask(key="wrong")] == [503, 500, 500, 404, 401]
        assert ask(text="x" * 2000) == 413
        assert vlmrun_mock.api_key == "right"
        assert vlmrun_mock._mock.settings.seed == 7
        vlmrun_mock.reset()

    @pytest.mark.vlmrun_mock(strict=False, faults=[])
    def test_marker(vlmrun_mock):
        assert "HB-2025-0347" in ask()
    """)

    result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("marker", "explained"),
    [
        (
            "strikt=True",
            "vlmrun_mock: there is no setting 'strikt' (did you mean 'strict'?); there are fixtures, strict, ",
        ),
        ("'folder'", "vlmrun_mock: the marker takes settings by name, such as strict=True, not 'folder'"),
        ("seed='x'", "vlmrun_mock: seed is a whole number, not 'x'"),
        ("fixtures='nowhere'", "nowhere: is no folder"),
        ("fixtures={'answer': {}}", "vlmrun_mock: fixtures[0]: answer: exactly one of content, merge and error"),
        ("faults='hung'", "vlmrun_mock: faults: kind: "),
    ],
)
def test_a_wrong_marker_is_a_clear_error(marker: str, explained: str, run: Run) -> None:
    result = run(f"""
    @pytest.mark.vlmrun_mock({marker})
    def test_marked(vlmrun_mock):
        pass

    def test_another(vlmrun_mock):
        pass
    """)

    result.assert_outcomes(errors=1, passed=1)
    assert explained in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


def test_a_wrong_option_of_the_file_is_a_clear_error(run: Run) -> None:
    result = run("def test_it(vlmrun_mock): pass", "-o", "vlmrun_mock_seed=seven")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["vlmrun_mock: seed is a whole number, not 'seven'"])


def test_a_strict_test_fails_for_a_miss_that_the_application_hid(run: Run) -> None:
    result = run("""
    @pytest.mark.vlmrun_mock(strict=True)
    def test_hidden(vlmrun_mock):
        vlmrun_mock.add("document.receipt", content="x", documents="sha256:" + 64 * "0")
        assert ask("document.receipt") == 404

    @pytest.mark.vlmrun_mock(strict=True)
    def test_forgiven(vlmrun_mock):
        assert ask() == 404
        vlmrun_mock.reset()

    @pytest.mark.vlmrun_mock(strict=True)
    def test_other_errors(vlmrun_mock):
        vlmrun_mock.fail(status=404)
        assert ask() == 404
    """)

    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_hidden*",
            "the test is strict, and no fixture matched:",
            'req_*  404  document.receipt  no document  "Extract"  no_fixture',
            "    No fixture matches. The nearest of 1 is registered-*: the request has no documents, not 1; *",
        ]
    )


def test_with_the_plugin_unused_nothing_heavy_is_imported(run: Run) -> None:
    result = run(
        """
    import sys

    def test_nothing_heavy():
        heavy = {"faker", "tiktoken", "starlette", "uvicorn", "pydantic", "jsonschema_rs", "graphql"}
        assert heavy & sys.modules.keys() == set()
        ours = {name for name in sys.modules if name.startswith("vlmrun_mock")}
        plugin = {"vlmrun_mock", "vlmrun_mock.testing", "vlmrun_mock.testing.pytest_plugin"}
        options = {name for name in ours if name.startswith("vlmrun_mock.mock.options")}
        words = {"vlmrun_mock.documents", "vlmrun_mock.documents.appearance"}  # of styles and formats
        assert ours - options == plugin | words | {"vlmrun_mock.lazy", "vlmrun_mock.mock", "vlmrun_mock.mock.proxies"}
    """,
        # Plugins of others that import some of these themselves, among them Faker's own.
        "-p",
        "no:faker",
        "-p",
        "no:hypothesispytest",
        "-p",
        "no:typeguard",
        apart=True,
    )

    result.assert_outcomes(passed=1)


def test_the_package_is_not_compiled_anew_to_explain_assertions(run: Run) -> None:
    run.pytester.makeconftest("import pytest; pytest.register_assert_rewrite('vlmrun_mock')")

    result = run(
        """
    def test_loader(vlmrun_mock):
        from vlmrun_mock.testing import mock_server
        assert type(mock_server.__loader__).__name__ == "SourceFileLoader"
    """,
        apart=True,
    )

    result.assert_outcomes(passed=1)


def test_the_marker_and_the_options_are_documented_by_pytest(run: Run) -> None:
    markers, options = run.again("--markers"), run.again("--help")

    markers.stdout.fnmatch_lines(["@pytest.mark.vlmrun_mock(fixtures=..., strict=..., *"])
    options.stdout.fnmatch_lines([f"  vlmrun_mock_{name} (*" for name in INI])


MANY = """
import random, time

@pytest.mark.parametrize("number", range(60))
def test_one_of_many(vlmrun_mock, number):
    vlmrun_mock.add("document.invoice", content={"invoice_id": f"number {number}"})
    if number % 3 == 0:
        vlmrun_mock.fail()
        assert ask() == 429
    assert f"number {number}" in ask()
    assert len(vlmrun_mock.requests) == (2 if number % 3 == 0 else 1)
    assert vlmrun_mock.assert_requested("document.invoice", times=1 + (number % 3 == 0))
"""


def test_tests_in_many_processes_and_in_random_order_do_not_see_each_other(
    run: Run, pytestconfig: pytest.Config
) -> None:
    processes = "4" if pytestconfig.getoption("campaign") else "2"
    unused = (argument for name in UNUSED if name != "randomly" for argument in ("-p", f"no:{name}"))

    result = run(MANY, "-n", processes, *unused, "-W", "error", quiet=False, apart=True)

    result.assert_outcomes(passed=60)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_the_tests_does_not_matter(seed: int, run: Run) -> None:
    result = run(MANY, "-p", "no:cacheprovider", "-p", "no:asyncio", f"--randomly-seed={seed}", quiet=False)

    result.assert_outcomes(passed=60)
    result.stdout.fnmatch_lines([f"Using --randomly-seed={seed}"])


def test_asynchronous_tests_use_it(run: Run) -> None:
    options = ("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function")

    result = run(
        """
    import asyncio
    import httpx
    import openai

    async def test_sdk(vlmrun_mock):
        vlmrun_mock.add("document.invoice", content={"invoice_id": "INV-1"})
        vlmrun_mock.fail(retry_after=0)
        async with openai.AsyncOpenAI() as client:
            completion = await client.chat.completions.create(
                model="vlm-1", messages=[{"role": "user", "content": "x"}], extra_body={"domain": "document.invoice"}
            )
        assert "INV-1" in completion.choices[0].message.content
        assert [entry.status for entry in vlmrun_mock.requests] == [429, 201]

    async def test_side_by_side(vlmrun_mock):
        async with openai.AsyncOpenAI() as client:
            await asyncio.gather(*(
                client.chat.completions.create(model="vlm-1", messages=[{"role": "user", "content": str(number)}])
                for number in range(20)
            ))
        vlmrun_mock.assert_requested(times=20)

    async def test_without_a_socket(vlmrun_mock):
        vlmrun_mock.add(content="in process")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(vlmrun_mock.app)) as http:
            client = openai.AsyncOpenAI(base_url="http://mock/v1/openai", http_client=http)
            messages = [{"role": "user", "content": "x"}]
            completion = await client.chat.completions.create(model="vlm-1", messages=messages)
        assert completion.choices[0].message.content == "in process"
        assert len(vlmrun_mock.requests) == 1
    """,
        *("-p", "no:cacheprovider", "-p", "no:randomly"),
        *options,
        quiet=False,
    )

    result.assert_outcomes(passed=3)


def test_a_run_that_is_interrupted_in_the_middle_ends(run: Run) -> None:
    result = run(
        """
    def test_interrupted(vlmrun_mock):
        ask()
        raise KeyboardInterrupt
    """,
        apart=True,
    )

    assert result.ret == pytest.ExitCode.INTERRUPTED


def test_sessions_without_a_network_key_or_option_show_no_warning(run: Run) -> None:
    result = run("def test_it(vlmrun_mock): ask()", "-p", "no:cacheprovider", apart=True)

    result.assert_outcomes(passed=1, warnings=0)
