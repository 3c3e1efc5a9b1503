"""Files: how a scan is opened, and how its frames are read.

```
load            opens a scan by the name of its type | writing/  files that frames are written to
dataset/        the dataset contract, one module for each simple format, one package for each family
arriving/       frames that still come | telling   which type a file is of
layout/         where frames lie
source          the contract between a format and the workers that read
                | corrections   what is put right in frames | described   what a dataset tells
                | arguments     those of LiberTEM, taken or refused
codecs/         what undoes compression, and knows no file | scratch   memory of one worker
```

Imports go down only.
"""
