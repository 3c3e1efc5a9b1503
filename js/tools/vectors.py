"""Write `js/test/vectors.json`, what both sides must compute alike: python js/tools/vectors.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from udfwidgets.live.picture.colour import levels
from udfwidgets.live.picture.quantise import Curve, Encoding

TARGET = Path(__file__).parent.parent / "test" / "vectors.json"


def vectors() -> dict[str, Any]:
    """Return the cases."""
    rng = np.random.default_rng(7)
    spans = {"unit": (0.0, 1.0), "counts": (3.0, 1234.0), "signed": (-2.5, 4.0), "tiny": (0, 1e-9)}
    cases: dict[str, Any] = {"levels": [], "codes": []}
    for name, (lo, hi) in spans.items():
        inside = rng.uniform(lo - 0.1 * (hi - lo), hi + 0.1 * (hi - lo), 40)
        values = [lo, hi, (lo + hi) / 2, *inside.tolist()]
        for log in (False, True):
            for gamma in (1.0, 0.5):
                shown = levels(np.array([*values, np.nan]), (lo, hi), log=log, gamma=gamma)
                cases["levels"].append(
                    {
                        "name": f"{name}{' log' if log else ''}{'' if gamma == 1 else ' gamma'}",
                        "limits": [lo, hi],
                        "log": log,
                        "gamma": gamma,
                        "values": [*values, None],
                        "levels": shown.tolist(),
                    }
                )
        codes = np.array([1, 2, 1000, 32768, 65534, 65535], np.uint16)
        inner = ((lo + hi) / 2, (hi - lo) / 80, lo + 0.4 * (hi - lo), lo + 0.6 * (hi - lo))
        for curve in (None, inner, (0.0, hi / 1000, lo, hi)):
            decoded = Encoding(lo, hi, curve and Curve(*curve)).decode(codes)
            case = {"name": f"{name} {curve}", "lo": lo, "hi": hi, "curve": curve}
            cases["codes"].append({**case, "codes": codes.tolist(), "values": decoded.tolist()})
    return cases


if __name__ == "__main__":
    TARGET.write_text(json.dumps(vectors()) + "\n", "utf-8")
