"""Results as files: written by the extension of their name, and read again.

```
loading       what was saved
saving        which format a name asks for
handing       objects of xarray and hyperspy
nexus | tiff  how a format is written
kept          a result with its axes, as a file has it
```

Pictures, with axes and colours, are drawn in `udfwidgets.live.picture.paper`, which is looked up by
its name when one is asked for.
"""
