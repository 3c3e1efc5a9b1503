"""UIContext of libertem-ui: windows that run their UDFs in one pass, and plot them."""

import asyncio

import numpy as np
from libertem.api import Context
from libertem_ui.api import UIContext


def run(folder):
    data = np.random.default_rng(0).integers(0, 100, (6, 8, 16, 16)).astype(np.uint16)
    with Context.make_with("inline") as ctx:
        ui = UIContext.for_offline(ctx, ctx.load("memory", data=data, sig_dims=2, num_partitions=3))
        detector, frame, com = (
            ui._add(name) for name in ("virtual_detector", "frame_imaging", "com")
        )
        asyncio.run(ui._run_handler())
        rows = ui.results_manager.all_results
        kept = [ui.results_manager.get_result_container(row.result_id) for row in rows]
    return {
        **{result.name: result.data for result in kept},
        "detector, as plotted": detector.nav_plot.data,
        "frame, as plotted": frame.sig_plot.data,
        "com, as plotted": com.nav_plot.data,
        "bar": [ui._tools.pbar.value, ui._tools.pbar.max],
    }
