"""`python -m vlmrun_mock` is `vlmrun-mock`."""

from vlmrun_mock.cli import main

main(prog_name="vlmrun-mock")
