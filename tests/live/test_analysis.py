from __future__ import annotations

import json
import re
import threading

import anyio
import ipywidgets
import numpy as np
import pytest
from ipywidgets.embed import embed_minimal_html

from udfwidgets import UDF, Context, SumSigUDF, SumUDF
from udfwidgets.errors import UDFRunCancelled
from udfwidgets.live import LiveAnalysis
from udfwidgets.live.places import places
from udfwidgets.live.wire.hub import hub

from .gated import PATIENCE, Gate, gated

DATA = np.random.default_rng(1).random((8, 8, 4, 4)).astype(np.float32)


@pytest.fixture
def ctx():
    with Context.make_with("threads", cpus=2) as context:
        yield context


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.set()


@pytest.fixture
def live(ctx, gate):
    live = ctx.live(ctx.load("memory", data=DATA), gated(gate))
    live.furnish()  # as when it is shown
    yield live
    gate.set()
    live.close()


SUMS = DATA.sum((2, 3), dtype="f8")


def test_update_parameters_goes_on_with_the_new_answer(live, gate):
    old = live._run
    live.update_parameters([{"factor": 3}])
    gate.set()
    np.testing.assert_allclose(live.result()[0]["sums"].data, 3 * SUMS)
    old.wait(old.has_ended)
    with pytest.raises(UDFRunCancelled):
        old.result()
    assert live.wait_saved(PATIENCE)
    picture = live.images[0]._feed.picture
    assert picture.generation == 1
    np.testing.assert_allclose(picture.values, 3 * SUMS)


def test_restart_is_offered_until_the_context_is_closed(ctx, gate):
    dataset = ctx.load("memory", data=DATA)
    done, bare, going_on = (ctx.live(dataset, gated(gate)) for _ in range(3))
    gate.set()
    done.result()
    bare.result()
    gate.clear()
    done.restart()
    gate.set()
    done.result()
    assert "restart" in done.status.commands
    assert "restart" in going_on.status.commands
    ctx.close()
    for live in (done, bare, going_on):
        assert live.status.commands == ["pause", "resume", "cancel"]
        with pytest.raises(RuntimeError, match="closed"):
            live.restart()
        live.close()


@pytest.mark.parametrize("order", ["scan", "progressive"])
def test_what_is_outside_of_a_roi_is_known_from_the_beginning(ctx, gate, order):
    roi = np.zeros((8, 8), bool)
    roi[2:5, 1:] = True
    live = ctx.live(ctx.load("memory", data=DATA), gated(gate), roi=roi, order=order)
    feed = live.images[0]._feed
    feed.refresh()
    assert not live.done
    np.testing.assert_array_equal(feed.picture.expected, roi)
    gate.set()
    live.close()


def test_restart_after_the_end(live, gate):
    gate.set()
    live.result()
    live.restart()
    np.testing.assert_allclose(live.result()[0]["sums"].data, SUMS)
    assert live.wait_saved(PATIENCE)
    assert live.images[0]._feed.picture.generation == 1
    assert live.status.status.state == "done"


def test_many_changes_end_with_the_newest(live, gate):
    threads = [
        threading.Thread(target=live.update_parameters, args=([{"factor": factor}],))
        for factor in range(2, 8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    live.update_parameters([{"factor": 9}])
    gate.set()
    np.testing.assert_allclose(live.result()[0]["sums"].data, 9 * SUMS)
    assert live.wait_saved(PATIENCE)
    np.testing.assert_allclose(live.images[0]._feed.picture.values, 9 * SUMS)


def test_wrong_parameters_change_nothing(live, gate):
    run = live._run
    with pytest.raises(ValueError, match="2 UDFs"):
        live.update_parameters([{}, {}])
    assert live._run is run
    gate.set()
    np.testing.assert_allclose(live.result()[0]["sums"].data, SUMS)


def test_closed_context_leaves_the_last_answer(ctx, gate):
    live = ctx.live(ctx.load("memory", data=DATA), gated(gate))
    gate.set()
    live.result()
    ctx.close()
    with pytest.raises(RuntimeError, match="the Context is closed"):
        live.restart()
    np.testing.assert_allclose(live.result()[0]["sums"].data, SUMS)
    live.close()
    with pytest.raises(RuntimeError, match="this analysis is closed"):
        live.restart()


@pytest.mark.anyio
async def test_whoever_waits_goes_on_with_the_newest_run(live, gate):
    results = []

    async def wait():
        results.append(await live)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        live.update_parameters([{"factor": 2}])
        gate.set()
    np.testing.assert_allclose(results[0][0]["sums"].data, 2 * SUMS)
    assert not live.keepers.waiters


@pytest.mark.anyio
async def test_iteration_never_goes_back_to_an_older_run(live, gate):
    seen = []
    async for step in live:
        sums, damage = step.buffers[0]["sums"].data, step.damage.data
        factors = np.unique(np.round(sums[damage] / SUMS[damage], 6))
        seen.extend(factors.tolist())
        if not damage.any():
            live.update_parameters([{"factor": 2}])
            gate.set()
    assert set(seen) == {2.0}
    assert step.damage.data.all()


def test_pause_and_resume(ctx):
    live = ctx.live(ctx.load("memory", data=DATA), SumSigUDF())
    live.pause()
    live.resume()
    live.result()
    live.close()


def test_buttons_do_what_the_methods_do(live, gate):
    live._command("pause")
    assert live._run.state.name == "PAUSED"
    live._command("resume")
    assert live._run.state.name == "RUNNING"
    run = live._run
    live._command("restart")
    assert live._run is not run
    live._command("cancel")
    gate.set()
    live._run.wait(live._run.has_ended)
    assert live._run.state.name == "CANCELLED"


def test_a_guest_leaves_the_run_alone(ctx, gate):
    result = ctx.run_udf(ctx.load("memory", data=DATA), gated(gate), sync=False)
    run = result._run
    guest = LiveAnalysis(run, guest=True)
    assert LiveAnalysis.of(run) is None
    assert "restart" not in guest.status.commands
    guest.close()
    gate.set()
    run.wait(run.has_ended)
    assert run.state.name == "DONE"


def test_lost_outputs_cancel_and_close(live):
    live.keepers.outputs.note()
    live.keepers.outputs.deleted()
    assert live.comm is None
    assert live._run.is_stopping()
    assert not hub()._feeds


def test_lost_outputs_wait_for_who_waits(live, gate):
    live.keepers.outputs.note()
    with live.keepers.waited_for():
        live.keepers.outputs.deleted()
        assert live.comm is not None
        assert not live._run.is_stopping()
    assert live.comm is None


def test_what_was_never_shown_is_left_alone(live):
    live.keepers.outputs.deleted()
    with live.keepers.waited_for():
        pass
    assert live.comm is not None


@pytest.mark.anyio
async def test_dropped_iterator_does_not_hold_it_for_ever(live, gate):
    live.keepers.outputs.note()
    iterator = aiter(live)
    await anext(iterator)
    live.keepers.outputs.deleted()
    assert live.comm is not None
    del iterator
    gate.set()
    # Not `result`, which would hold it: the end of the run finds that nobody does.
    await anyio.to_thread.run_sync(live._run.wait, live._run.has_ended)
    with anyio.fail_after(PATIENCE):
        while live.comm is not None:
            await anyio.sleep(0.01)


def test_card_is_made_when_it_is_shown(ctx):
    live = ctx.live(ctx.load("memory", data=DATA), SumSigUDF())
    live._run.wait(live._run.has_ended)
    box = ipywidgets.HBox([live])
    assert not live.children
    assert not hub()._feeds
    places.note(box)
    assert live.children == (live.status, live.children[1])
    picture = live.images[0]._feed.picture
    np.testing.assert_allclose(picture.values, SUMS, rtol=1e-5)
    assert picture.final
    assert live.status.status.state == "done"
    live.close()
    box.close()
    box.layout.close()  # ipywidgets leaves it open


def test_card_is_saved_as_a_page_at_the_first_call(ctx, tmp_path):
    live = ctx.live(ctx.load("memory", data=DATA), [SumSigUDF(), SumUDF()])
    live.result()
    page = tmp_path / "page.html"
    embed_minimal_html(page, views=[live])
    found = re.search(
        r'<script type="application/vnd.jupyter.widget-state.json">(.*?)</', page.read_text(), re.S
    )
    state = json.loads(found[1])["state"]
    shown, waiting = set(), [live.model_id]
    while waiting:
        name = waiting.pop()
        shown.add(name)
        model = state[name]["state"]
        waiting += [each.removeprefix("IPY_MODEL_") for each in model.get("children", [])]
    drawn = [state[name]["state"] for name in shown if "_esm" in state[name]["state"]]
    assert sorted(each["_kind"] for each in drawn) == ["image", "image", "status"]
    for each in drawn:
        assert each["_saved"]["header"]["key"] == each["_key"]
        assert state[each["_module"].removeprefix("IPY_MODEL_")]["state"]["source"]
    live.close()


def test_card_that_nothing_shows_is_no_bother_to_a_page(ctx, gate):
    live = ctx.live(ctx.load("memory", data=DATA), gated(gate))
    state = ipywidgets.Widget.get_manager_state()["state"]  # as for a page that is reloaded
    assert state[live._model_id]["state"]["children"] == []
    live.close()


def test_card_that_is_made_late_shows_the_newest_run(ctx, gate):
    live = ctx.live(ctx.load("memory", data=DATA), gated(gate))
    live.update_parameters([{"factor": 3}])
    # What was merged before is offered at once: nothing may come for long.
    assert live.images[0]._feed.pending
    gate.set()
    np.testing.assert_allclose(live.result()[0]["sums"].data, 3 * SUMS)
    picture = live.images[0]._feed.picture
    np.testing.assert_allclose(picture.values, 3 * SUMS)
    assert picture.generation == 1
    live.close()


def test_last_offer_of_a_card_that_is_made_late_stays(ctx, monkeypatch):
    live = ctx.live(ctx.load("memory", data=DATA), SumSigUDF())
    live._run.wait(live._run.has_ended)
    with monkeypatch.context() as patch:
        patch.setattr(hub(), "news", lambda **_: None)
        patch.setattr(live, "wait_saved", lambda: False)
        assert live.images[0]._feed.urgent
        assert live.status._feed.urgent
    live.close()


def test_analysis_that_was_never_shown_is_closed(ctx, gate):
    live = ctx.live(ctx.load("memory", data=DATA), gated(gate))
    live.close()
    live.close()
    assert live.comm is None
    assert live._run.is_stopping()
    assert not live.children


def test_closed_analysis_is_shown_by_its_picture(ctx, live, gate):
    gate.set()
    live.result()
    assert live.wait_saved(PATIENCE)
    live.close()
    assert set(live._repr_mimebundle_()) == {"text/plain", "image/png"}
    assert live.snapshot().damage.data.all()


def test_images_that_change_shape_are_refused(ctx):
    class Wide(UDF):
        def get_result_buffers(self):
            return {"x": self.buffer(kind="nav", extra_shape=(self.params.n,), dtype="f4")}

        def process_frame(self, frame):
            self.results.x[:] = 1

    def flat(values):
        return values.reshape(len(values), -1)

    live = ctx.live(ctx.load("memory", data=DATA), Wide(n=2), plots=[[("x", flat)]])
    live.update_parameters([{"n": 2}])
    with pytest.raises(ValueError, match=r"shapes \[\(8, 24\)\].*\[\(8, 16\)\]"):
        live.update_parameters([{"n": 3}])
    live.result()
    live.close()


def test_a_failure_says_which_udf_and_where(ctx):
    class Bad(UDF):
        def get_result_buffers(self):
            return {"x": self.buffer("nav")}

        def process_frame(self, frame):
            raise ZeroDivisionError("on purpose")

    live = ctx.live(ctx.load("memory", data=DATA), [SumUDF(), Bad()])
    with pytest.raises(ZeroDivisionError):
        live.result()
    assert live.status.wait_saved(5)
    what, where = live.status.status.message.split("\n")
    assert what == "ZeroDivisionError: on purpose"
    assert where.startswith("raised by Bad while it worked on frame ")
    live.close()


def test_two_udfs_take_two_mappings(ctx):
    live = ctx.live(ctx.load("memory", data=DATA), [SumUDF(), SumSigUDF()])
    live.update_parameters([{}, {}])
    assert len(live.result()) == 2
    live.close()


def test_deleted_pictures_do_not_stop_who_waits_for_the_run(ctx, gate):
    class Kept(LiveAnalysis):
        def show(self):
            super().show()
            Kept.newest = self

    ctx.plot_class = Kept
    result = ctx.run_udf(ctx.load("memory", data=DATA), gated(gate), plots=True, sync=False)
    Kept.newest.keepers.outputs.note()
    Kept.newest.keepers.outputs.deleted()
    assert Kept.newest.comm is None
    gate.set()
    run = result._run
    run.wait(run.has_ended)
    np.testing.assert_allclose(run.result()[0]["sums"].data, SUMS)


@pytest.mark.parametrize(
    ("udfs", "plots", "by_udf"),
    [
        ([SumSigUDF(), SumUDF()], True, True),
        ([SumSigUDF()], True, False),
        ([SumSigUDF()], [["intensity", ("intensity", np.sqrt)]], False),
    ],
    ids=["one of each", "single", "two of one"],
)
def test_images_of_several_udfs_are_named_after_them(ctx, udfs, plots, by_udf):
    live = ctx.live(ctx.load("memory", data=DATA), udfs, plots=plots)
    assert ("udfw-by-udf" in live._dom_classes) == by_udf
    live.close()


class Odd(Exception):
    def __str__(self):
        return self.args[0].nothing


LONG = "x" * 10_000_000


@pytest.mark.parametrize(
    ("error", "said"), [(Odd("text"), "cannot be printed"), (ValueError(LONG), "x ...")]
)
def test_a_card_says_what_can_be_said_of_an_exception(error, said):
    class Raises(UDF):
        def get_result_buffers(self):
            return {"n": self.buffer("nav")}

        def process_frame(self, frame):
            raise error

    with Context() as ctx:
        live = ctx.live(ctx.load("memory", data=np.ones((4, 4, 8, 8))), Raises())
        with pytest.raises(type(error)) as raised:
            live.result()
        assert raised.value is error
        assert live.wait_saved(10)
        status = live.status.status
        assert status.state == "failed"
        assert said in status.message
        assert len(status.message) < 5000
        live.close()
