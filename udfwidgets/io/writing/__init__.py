"""Files that frames are written to, each in a format of its own.

```
hdf5 | zarr     compressed in chunks | merlin | blo   frames at a fixed distance
chunked | placed   what these have in common
packing         what compresses
outline         what is to be written, and how
```
"""
