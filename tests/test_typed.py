"""Threads may decode the first values of a type together."""

from __future__ import annotations

import subprocess
import sys

AT_ONCE = """
import threading, time
from msgspec import Struct
from vlmrun_mock import typed

started = threading.Event()

def number():  # runs while msgspec reads the fields of `Outer`, half of which are known then
    started.set()
    time.sleep(0.2)
    return int

class Inner(Struct):
    number: "number()"

class Outer(Struct):
    inner: Inner

first = threading.Thread(target=lambda: read.append(typed.convert({"inner": {"number": 1}}, Outer)))
read = []
first.start()
assert started.wait(10)
read.append(typed.convert({"inner": {"number": 1}}, Outer))
first.join()
assert read == 2 * [Outer(Inner(1))]
"""


def test_a_thread_may_convert_to_a_type_while_another_one_does_for_the_first_time() -> None:
    ended = subprocess.run([sys.executable, "-c", AT_ONCE], capture_output=True, text=True, timeout=60, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")
