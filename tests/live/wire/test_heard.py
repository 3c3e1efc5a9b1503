from __future__ import annotations

import logging

import pytest

from udfwidgets.live.wire.heard import heard, is_message
from udfwidgets.live.wire.hub import Hub

GOOD = {"type": "want", "page": "good", "key": "k", "view": "visible"}
ODD = [
    0,
    None,
    "want",
    [],
    {},
    {"type": []},
    {"type": "unknown", "page": "p"},
    {"type": "said", "page": "p", "messages": []},
    {"type": "want", "page": "p", "key": "k"},
    {"type": "want", "page": "p", "key": ["k"], "view": "visible"},
    {"type": "want", "page": "p", "key": "k", "view": "upside down"},
    {"type": "ack", "page": "p", "painted": [["k"]]},
    {"type": "ack", "page": "p", "painted": [["k", "1"]]},
    {"type": "ack", "page": "p", "painted": {"k": 1}},
    {"type": "look", "page": "p", "key": "k", "rect": [0, 0, 1]},
    {"type": "look", "page": "p", "key": "k", "rect": [0, 0, 1, 1.5]},
    {"type": "contrast", "page": "p", "key": "k", "limits": [0, float("nan")], "log": False},
    {"type": "contrast", "page": "p", "key": "k", "limits": None, "log": 1},
    {"type": "command", "page": "p", "key": "k", "name": "format the disk"},
    {"type": "hello", "page": None},
]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_odd_messages_are_dropped_and_others_are_not(odd, caplog):
    said = {"type": "said", "page": "p", "messages": [odd, GOOD, odd]}
    with caplog.at_level(logging.WARNING):
        assert heard(said) == [GOOD]
    assert len(caplog.records) == 1


@pytest.mark.parametrize("messages", [None, 5, "want", {"type": "want"}])
def test_what_is_no_list_of_messages_is_dropped(messages, caplog):
    assert heard({"type": "said", "page": "p", "messages": messages}) == []
    assert len(caplog.records) == 1


def test_log_stays_short(caplog):
    heard({"type": "said", "page": "p", "messages": ["x" * 10_000_000] * 1000})
    assert len(caplog.text) < 1000


@pytest.mark.parametrize(
    "message",
    [
        GOOD,
        {"type": "ack", "page": "p", "painted": [["k", 1]]},
        {"type": "look", "page": "p", "key": "k", "rect": [0, 0, 1, 1]},
        {"type": "look", "page": "p", "key": "k", "rect": None},
        {"type": "contrast", "page": "p", "key": "k", "limits": [0, 1.5], "log": True},
    ],
    ids=lambda message: message["type"],
)
def test_messages_of_the_protocol_are_heard(message):
    assert is_message(message)
    assert heard(message) == [message]


def test_odd_message_of_one_page_costs_the_others_nothing(caplog):
    hub = Hub()
    for odd in ODD:
        hub.receive({"type": "said", "page": "odd", "messages": [odd] * 1000}, lambda *_: None)
        hub.receive(odd, lambda *_: None)
    assert not hub._inbox
