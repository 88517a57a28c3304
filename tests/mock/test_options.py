"""Every option of the table is known wherever it is used, by one name and with one default."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import get_args, get_type_hints

import click
import pytest

from vlmrun_mock import cli
from vlmrun_mock.cli.options import TYPES
from vlmrun_mock.cli.values import size
from vlmrun_mock.mock.keywords import READERS, configuration
from vlmrun_mock.mock.options import INI, OPTIONS, SETTINGS, of_command
from vlmrun_mock.mock.options.option import Command, Option
from vlmrun_mock.mock.settings import Settings

OPTIONS_OF: dict[str, list[Option]] = {command: list(of_command(command)) for command in get_args(Command)}
PAIRS = [(command, option) for option in OPTIONS for command in option.commands]


@pytest.mark.parametrize(("command", "option"), PAIRS, ids=[f"{command} {option.written}" for command, option in PAIRS])
def test_the_command_line_has_an_option_as_the_table_declares_it(command: str, option: Option) -> None:
    (known,) = (each for each in cli.command(command).params if each.name == option.name)

    assert isinstance(known, click.Option)
    assert (known.opts, known.envvar, known.help) == ([option.written], option.variable, option.help)
    if option.written_default is not None:
        default = size(str(known.default)) if option.kind == "bytes" else known.default
        assert default == option.default


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_a_command_has_the_options_of_the_table_and_no_others(name: str) -> None:
    known = [each.name for each in cli.command(name).params if isinstance(each, click.Option)]

    assert known == [option.name for option in OPTIONS_OF.get(name, ())]


def test_all_commands_together_have_one_option_that_ends_them() -> None:
    assert [each.name for each in cli.main.params] == ["version"]


def test_a_variable_has_the_name_of_its_option_and_of_the_command_where_others_mean_something_else() -> None:
    variables = {f"{command} {option.written}": option.variable for command, option in PAIRS}

    assert variables["serve --unknown-domain"] == "VLMRUN_MOCK_UNKNOWN_DOMAIN"
    assert variables["serve --seed"] == variables["domains --seed"] == variables["documents --seed"]
    assert variables["check --format"] == "VLMRUN_MOCK_FORMAT"
    assert variables["drift --format"] == "VLMRUN_MOCK_DRIFT_FORMAT"
    assert variables["documents --format"] == "VLMRUN_MOCK_DOCUMENTS_FORMAT"


def test_a_variable_means_the_same_to_each_command_that_reads_it() -> None:
    variables: dict[str, set[tuple[str, tuple[str, ...]]]] = {}
    for _, option in PAIRS:
        variables.setdefault(option.variable or "", set()).add((option.kind, option.words))

    assert "" not in variables
    assert not {name: meanings for name, meanings in variables.items() if len(meanings) > 1}


def test_the_settings_are_those_of_the_table_in_its_order_with_its_defaults() -> None:
    assert [each.name for each in fields(Settings)] == list(SETTINGS)
    for each in fields(Settings):
        assert each.default is not MISSING
        assert each.default == SETTINGS[each.name].default


@pytest.mark.parametrize("name", [name for name, option in SETTINGS.items() if option.words])
def test_the_words_of_a_setting_are_those_of_its_type(name: str) -> None:
    kind = get_type_hints(Settings)[name]

    words = get_args(kind) if SETTINGS[name].default is not None else get_args(get_args(kind)[0])

    assert words == SETTINGS[name].words


@pytest.mark.parametrize("name", SETTINGS)
def test_python_accepts_the_default_of_a_setting(name: str) -> None:
    default = SETTINGS[name].default

    assert getattr(configuration({name: default}).settings, name) == default


def test_pytest_has_every_setting_but_the_key_and_explains_it(pytestconfig: pytest.Config) -> None:
    assert set(SETTINGS) - set(INI) == {"upstream_key", "webhook_secret"}  # a key does not stand in a file
    for name, option in INI.items():
        assert option.explanation.endswith(".")
        assert pytestconfig.getini(f"vlmrun_mock_{name}") in (None, "", [], False)


def test_every_kind_of_option_has_what_reads_it() -> None:
    assert {option.kind for option in SETTINGS.values()} == set(READERS)
    assert {option.kind for option in OPTIONS if option.commands} == {*TYPES, "flag", "switch", "word", "integer"}
