"""What a kernel says of itself while a page of ours is open, and afterwards."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from udfwidgets.live.wire.quiet import Quiet


class Kernel:
    def __init__(self):
        self.told = []

    def _publish_status(self, status, channel, parent=None):
        self.told.append(status)

    def get_parent(self, channel):
        return {}


def message(comm_id="page", kind="comm_msg"):
    return {"header": {"msg_type": kind}, "content": {"comm_id": comm_id}}


@pytest.fixture
def kernel():
    return Kernel()


@pytest.fixture
def channel(kernel):
    return SimpleNamespace(kernel=kernel, comm_id="page")


def test_only_messages_on_our_own_comms_are_passed_over(kernel, channel):
    quiet = Quiet()
    quiet.add(channel)
    for parent in (message(), message("other"), message(kind="execute_request"), None):
        kernel._publish_status("busy", "shell", parent)
    assert kernel.told == ["busy"] * 3
    quiet.remove(channel)
    kernel._publish_status("idle", "shell", message())
    assert kernel.told[-1] == "idle"
    assert "_publish_status" not in vars(kernel)


@pytest.mark.parametrize("odd", [{"header": None}, {"header": {"msg_type": "comm_msg"}}])
def test_what_has_no_header_or_content_is_told(kernel, channel, odd):
    Quiet().add(channel)
    kernel._publish_status("busy", "shell", odd)
    assert kernel.told == ["busy"]


def test_who_wrapped_it_before_has_it_back(kernel, channel):
    def theirs(status, channel, parent=None):
        kernel.told.append("theirs")

    kernel._publish_status = theirs
    quiet = Quiet()
    quiet.add(channel)
    quiet.close()
    assert kernel._publish_status is theirs


def test_who_wraps_it_afterwards_keeps_it(kernel, channel):
    quiet = Quiet()
    quiet.add(channel)
    ours = kernel._publish_status

    def theirs(*given):
        kernel.told.append("theirs")
        ours(*given)

    kernel._publish_status = theirs
    quiet.remove(channel)
    kernel._publish_status("busy", "shell", message())
    assert kernel.told == ["theirs", "busy"]


def test_one_that_was_put_back_by_somebody_else_is_left_alone(kernel, channel):
    quiet = Quiet()
    quiet.add(channel)
    del kernel._publish_status
    quiet.remove(channel)
    quiet.add(channel)
    kernel._publish_status("busy", "shell", message())
    assert kernel.told == []
