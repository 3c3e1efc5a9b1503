"""The sums over all frames and over each of them, in one pass."""

from __future__ import annotations

from udfwidgets.buffers import Array
from udfwidgets.compiling import compiled
from udfwidgets.udf.compiled.kernels import ANY_ORDER

# Pixels of eight frames, which are read ahead together.
STRETCH = 1024


@compiled(fastmath=ANY_ORDER)
def add_both(tile: Array, total: Array, totals: Array) -> None:
    """Add all frames of a tile to `total`, and the sum over each of them to `totals`.

    Parameters
    ----------
    tile : (frames, pixels) array
        As many pixels of each count as there are in `total`.
    total : (pixels,) array
        In the dtype of `partial_dtype`, in which everything is added up.
    totals : (frames,) array
        In the dtype of `exact_dtype`.
    """
    n_frames, n_pixels = tile.shape[0], total.shape[0]
    wide = total.dtype.type
    whole = n_frames // 8 * 8
    # Eight at a time: an eighth of the loads and stores of sums. In stretches, so that not more
    # than eight places are read from at a time.
    for f in range(0, whole, 8):
        for begin in range(0, n_pixels, STRETCH):
            end = min(begin + STRETCH, n_pixels)
            a, b, c, d = (
                tile[f, begin:end],
                tile[f + 1, begin:end],
                tile[f + 2, begin:end],
                tile[f + 3, begin:end],
            )
            e, g, h, k = (
                tile[f + 4, begin:end],
                tile[f + 5, begin:end],
                tile[f + 6, begin:end],
                tile[f + 7, begin:end],
            )
            s = total[begin:end]
            in_a, in_b, in_c, in_d = wide(0), wide(0), wide(0), wide(0)
            in_e, in_g, in_h, in_k = wide(0), wide(0), wide(0), wide(0)
            for i in range(end - begin):
                va, vb, vc, vd = wide(a[i]), wide(b[i]), wide(c[i]), wide(d[i])
                ve, vg, vh, vk = wide(e[i]), wide(g[i]), wide(h[i]), wide(k[i])
                low = wide(wide(va + vb) + wide(vc + vd))
                s[i] = wide(s[i] + wide(low + wide(wide(ve + vg) + wide(vh + vk))))
                in_a, in_b, in_c, in_d = (
                    wide(in_a + va),
                    wide(in_b + vb),
                    wide(in_c + vc),
                    wide(in_d + vd),
                )
                in_e, in_g, in_h, in_k = (
                    wide(in_e + ve),
                    wide(in_g + vg),
                    wide(in_h + vh),
                    wide(in_k + vk),
                )
            totals[f] += in_a
            totals[f + 1] += in_b
            totals[f + 2] += in_c
            totals[f + 3] += in_d
            totals[f + 4] += in_e
            totals[f + 5] += in_g
            totals[f + 6] += in_h
            totals[f + 7] += in_k
    for f in range(whole, n_frames):
        for begin in range(0, n_pixels, STRETCH):
            end = min(begin + STRETCH, n_pixels)
            a, s, in_a = tile[f, begin:end], total[begin:end], wide(0)
            for i in range(end - begin):
                s[i] = wide(s[i] + wide(a[i]))
                in_a = wide(in_a + wide(a[i]))
            totals[f] += in_a
