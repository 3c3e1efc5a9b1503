"""A map of a file that becomes shorter is torn, and nothing else notices."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from udfwidgets.errors import DataSetException
from udfwidgets.io.layout.files import check_whole, map_array
from udfwidgets.io.layout.guard import CAN_GUARD

pytestmark = pytest.mark.skipif(not CAN_GUARD, reason="maps are not guarded here")

PAGES = 64
PAGE = os.sysconf("SC_PAGE_SIZE")

ELSEWHERE = """
import mmap, os, sys
import numpy as np
from pathlib import Path
from udfwidgets.io.layout.files import map_array
path = Path(sys.argv[1])
ours = map_array(path, np.uint8, 0, (4096,))
other = path.with_suffix(".other")
other.write_bytes(bytes(1 << 16))
with other.open("rb") as file:
    theirs = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
os.truncate(other, 0)
"""
FAULT = "theirs.sum()"
MESSAGE = "import signal; os.kill(os.getpid(), signal.SIGBUS)"
ENABLED = "import faulthandler; faulthandler.enable()\n"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"\1" * PAGES * PAGE)
    return path


def test_what_is_left_is_read_and_the_rest_is_zeros(path):
    mapped = map_array(path, np.uint8, 0, (PAGES, PAGE))
    os.truncate(path, 16 * PAGE)
    assert (mapped[:16] == 1).all()
    check_whole(mapped)
    assert (mapped[16:] == 0).all()
    with pytest.raises(DataSetException, match=r"file cannot be read any more: .* shorter"):
        check_whole(mapped)


def test_another_map_of_the_same_file_is_not_torn(path):
    early, late = (map_array(path, np.uint8, at, (8 * PAGE,)) for at in (0, 48 * PAGE))
    os.truncate(path, 16 * PAGE)
    assert not late.any()
    assert early.all()
    check_whole(early)
    with pytest.raises(DataSetException):
        check_whole(late)


def test_a_place_is_used_again(path):
    for _ in range(3):
        mapped = map_array(path, np.uint8, 0, (PAGES * PAGE,))
        os.truncate(path, 0)
        assert not mapped.any()
        path.write_bytes(b"\1" * PAGES * PAGE)
        mapped = map_array(path, np.uint8, 0, (PAGES * PAGE,))
        assert mapped.all()
        check_whole(mapped)


@pytest.mark.parametrize("what", [FAULT, MESSAGE])
@pytest.mark.parametrize("before", ["", ENABLED])
@pytest.mark.parametrize("after", ["", ENABLED])
def test_a_fault_elsewhere_ends_the_process_as_before(path, before, after, what):
    code = before + ELSEWHERE + after + what
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == -signal.SIGBUS
    assert done.stderr.count("Fatal Python error: Bus error") == bool(before or after)


def test_a_handler_of_the_users_is_called(path):
    code = "import signal; signal.signal(signal.SIGBUS, lambda *_: print('heard'))\n"
    code += ELSEWHERE + MESSAGE + "\nos.truncate(path, 0); print(ours.sum())"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["heard", "0"]
