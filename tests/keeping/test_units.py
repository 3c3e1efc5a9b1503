from __future__ import annotations

import h5py
import numpy as np

from udfwidgets import Calibration, Context, SumUDF, load_result
from udfwidgets.udf.com import CoMUDF

DATA = np.random.default_rng(1).random((6, 8, 4, 4)).astype(np.float32)


def test_results_know_their_unit_and_files_keep_it(tmp_path):
    with Context.make_with("threads", cpus=2) as ctx:
        scan = ctx.load("memory", data=DATA, calibration=Calibration(nav=(2.5, "nm")))
        live = ctx.live(scan, CoMUDF.with_params(cy=2, cx=2), plots=[["field_x"]])
        (results,) = live.result()
        assert (results["field_x"].unit, results["curl"].unit) == ("px", "")
        for path in (
            live.save(tmp_path / "a.h5", "field_x"),
            live.images[0].save(tmp_path / "b.h5"),
        ):
            with h5py.File(path) as file:
                (group,) = [g for g in file["entry"].values() if "kind" in g.attrs]
                assert group["data"].attrs["units"] == "px"
                assert group["x"].attrs["units"] == "nm"
            (saved,) = load_result(path).values()
            assert saved.save(tmp_path / "again.h5", overwrite=True).exists()
            assert saved._kept.unit == "px"
        live.close()
        assert ctx.run_udf(scan, SumUDF())["intensity"].unit == ""
