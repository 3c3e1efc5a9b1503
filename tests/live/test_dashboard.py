from __future__ import annotations

import gc
import threading
import time
import weakref

import numpy as np
import pytest

from udfwidgets import Context, SumSigUDF, SumUDF
from udfwidgets.live import Dashboard, LiveAnalysis
from udfwidgets.live.totals import WINDOW, Meter
from udfwidgets.live.wire.hub import hub

from .gated import PATIENCE, Gate, gated

DATA = np.random.default_rng(1).random((8, 8, 4, 4)).astype(np.float32)


@pytest.fixture
def ctx():
    with Context.make_with("threads", cpus=2) as context:
        yield context


@pytest.fixture
def scan(ctx):
    return ctx.load("memory", data=DATA)


@pytest.fixture
def board(ctx):
    board = ctx.dashboard()
    yield board
    board.close()
    hub().close()


def test_shows_what_there_is_and_what_comes(ctx, scan):
    first = ctx.live(scan, SumUDF())
    first.result()
    board = ctx.dashboard()
    second = ctx.live(scan, SumSigUDF())
    assert isinstance(board, Dashboard)
    assert board.cards == (first, second)
    assert repr(board) == "<Dashboard of 2 analyses>"
    for closing in (second, first, board):
        closing.close()
    assert not hub()._feeds


def test_a_card_that_is_changing_does_not_hold_up_the_dashboard(ctx, scan, board):
    live = ctx.live(scan, SumUDF())
    with live._changing:  # as in the middle of a restart, which goes on to tell the dashboard
        other = threading.Thread(target=lambda: ctx.live(scan, SumSigUDF()), daemon=True)
        other.start()
        other.join(PATIENCE)
        assert not other.is_alive()
    assert len(board.cards) == 2
    for card in board.cards:
        card.close()


def test_a_card_is_furnished_before_the_dashboard_is_locked(ctx, scan, board, monkeypatch):
    make, locked = LiveAnalysis._make_images, []
    monkeypatch.setattr(
        LiveAnalysis,
        "_make_images",
        lambda card: locked.append(board._lock._is_owned()) or make(card),
    )
    live = ctx.live(scan, SumUDF())
    live.close()
    assert locked == [False]


def test_an_analysis_that_is_started_again_keeps_its_card(ctx, scan, board):
    live = ctx.live(scan, SumUDF())
    live.restart()
    live.update_parameters([{}])
    live.result()
    assert board.cards == (live,)
    live.close()
    assert board.cards == ()


def test_closing_a_card_closes_what_nothing_else_shows(ctx, scan, board):
    alone, displayed = ctx.live(scan, SumUDF()), ctx.live(scan, SumUDF())
    displayed._repr_mimebundle_()
    for live in (alone, displayed):
        live.result()
        live._command("close")
    assert board.cards == ()
    assert (alone.comm, displayed.comm is None) == (None, False)
    displayed.close()


def test_closed_dashboard_leaves_analyses_alone(ctx, scan, board):
    never_shown, lost = ctx.live(scan, SumUDF()), ctx.live(scan, SumUDF())
    lost._repr_mimebundle_()
    lost.keepers.outputs.deleted()
    assert board.cards == (never_shown, lost)
    board.close()
    assert (never_shown.comm is None, lost.comm) == (False, None)
    never_shown.result()
    never_shown.close()


def test_replaced_analysis_leaves_the_dashboard(ctx, scan, board):
    live = ctx.live(scan, SumUDF())
    live._repr_mimebundle_()
    live.keepers.outputs.missed(replaced=True)
    assert live.comm is not None
    live.keepers.outputs.settle()
    assert live.comm is None
    assert board.cards == ()


def test_runs_without_a_view_get_a_card_when_they_last(ctx, scan, board):
    gate = Gate()
    with ctx.run_udf_iter(scan, gated(gate)) as steps:
        assert board.cards == ()
        board.line._feed.refresh()
        (card,) = board.cards
        assert "restart" not in card.status.commands
        board.line._feed.refresh()
        assert board.cards == (card,)
        gate.set()
        assert list(steps)[-1].damage.data.all()
    ctx.run_udf(scan, SumUDF())
    board.line._feed.refresh()
    assert board.cards == (card,)
    card._command("close")
    assert (board.cards, card.comm) == ((), None)


def test_closed_dashboard_is_not_kept(ctx, scan):
    board = ctx.dashboard()
    live = ctx.live(scan, SumUDF())
    board.close()
    board.close()
    gone = weakref.ref(board)
    del board
    # The hub's thread may be about to look at what was open a moment ago.
    deadline = time.monotonic() + PATIENCE
    while gone() is not None and time.monotonic() < deadline:
        gc.collect()
    assert gone() is None
    live.close()
    assert not hub()._feeds


def test_totals_count_what_is_read_and_served(ctx, scan, board):
    board.line._feed.refresh()
    ctx.run_udf(scan, [SumUDF(), SumSigUDF()])
    board.line._feed.refresh()
    totals = board.line._feed.totals
    assert totals.running == 0
    assert totals.read > 0
    assert totals.served >= totals.read
    assert totals.memory > 1e6


def test_meter():
    now = [0.0]
    meter = Meter(lambda: now[0])
    assert meter.rates(100, 0) == (0.0, 0.0)
    now[0] = 0.5
    assert meter.rates(150, 10) == (100.0, 20.0)
    for _ in range(20):
        now[0] += 0.5
        meter.rates(150, 10)
    assert meter.rates(150, 10) == (0.0, 0.0)
    now[0] += WINDOW
    assert meter.rates(150 + 100, 10)[0] == pytest.approx(100 / WINDOW, rel=0.3)
