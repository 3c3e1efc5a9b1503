from __future__ import annotations

import threading

import pytest

from udfwidgets.explore.asking import Asking


@pytest.fixture
def gate():
    return threading.Event()


@pytest.fixture
def asked():
    return []


@pytest.fixture
def asking(gate, asked):
    def ask(key):
        asked.append(key)
        if key == "gate":
            gate.wait(10)
        if key == "fails":
            raise ValueError("on purpose")

    asking = Asking(ask, lambda key: key != "unripe" or gate.is_set())
    yield asking
    gate.set()
    asking.close()


def test_what_is_overtaken_is_asked_once(asking, asked, gate):
    asking.want("gate")
    for _ in range(100):
        asking.want("a")
        asking.want("b")
    gate.set()
    assert asking.wait(10)
    assert asked == ["gate", "a", "b"]


def test_what_is_not_ripe_lets_others_pass(asking, asked, gate):
    asking.want("unripe")
    asking.want("a")
    while "a" not in asked:
        pass
    assert asked == ["a"]
    gate.set()
    assert asking.wait(10)
    assert asked == ["a", "unripe"]


def test_one_that_fails_stops_no_other(asking, asked, caplog):
    asking.want("fails")
    asking.want("a")
    assert asking.wait(10)
    assert asked == ["fails", "a"]
    assert "on purpose" in caplog.text


def test_a_thread_that_has_ended_is_started_again(asking, asked):
    for key in "abc":
        asking.want(key)
        assert asking.wait(10)
        asking._thread.join()
    assert asked == ["a", "b", "c"]


def test_nothing_is_asked_after_it_is_closed(asking, asked, gate):
    asking.want("gate")
    asking.want("a")
    gate.set()
    asking.close()
    asking.want("b")
    assert asking.wait(0)
    assert "b" not in asked
