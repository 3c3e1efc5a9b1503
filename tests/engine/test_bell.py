"""The bell wakes threads and tasks from any thread, even when their loop is busy or gone."""

from __future__ import annotations

import threading
import time

import anyio
import pytest
from anyio import to_thread

from udfwidgets.engine.bell import Bell

pytestmark = pytest.mark.anyio


def test_wakes_a_thread():
    bell, done = Bell(), []
    waiter = threading.Thread(target=bell.wait, args=(lambda: bool(done),))
    waiter.start()
    bell.ring()
    assert waiter.is_alive()
    done.append(True)
    bell.ring()
    waiter.join(10)
    assert not waiter.is_alive()


async def test_wakes_a_task_from_a_thread():
    bell, done = Bell(), []

    def finish() -> None:
        done.append(True)
        bell.ring()

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(bell.wait_async, lambda: bool(done))
            tasks.start_soon(bell.wait_async, lambda: bool(done))
            await to_thread.run_sync(finish)


async def test_ringing_does_not_wait_for_a_busy_loop():
    bell, done = Bell(), []
    rung = threading.Event()

    def finish() -> None:
        done.append(True)
        bell.ring()
        rung.set()

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(bell.wait_async, lambda: bool(done))
            await anyio.wait_all_tasks_blocked()
            threading.Thread(target=finish).start()
            # The loop does nothing else until the bell has been rung.
            assert rung.wait(10)


async def test_a_cancelled_waiter_leaves_nothing():
    bell = Bell()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(bell.wait_async, lambda: False)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert not bell._wakers


def test_a_loop_that_ended_is_no_trouble():
    bell = Bell()

    async def abandon() -> None:
        with bell._listening(None, lambda: None):
            pass
        with anyio.move_on_after(0):
            await bell.wait_async(lambda: False)

    anyio.run(abandon)
    bell.ring()


def test_no_wake_up_is_lost():
    bell, box = Bell(), []

    def produce() -> None:
        for i in range(2000):
            box.append(i)
            bell.ring()
            if i % 64 == 0:
                time.sleep(0)

    producer = threading.Thread(target=produce)
    producer.start()
    for i in range(2000):
        bell.wait(lambda i=i: len(box) > i)
    producer.join()
