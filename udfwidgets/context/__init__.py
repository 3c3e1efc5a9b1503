"""What a Context does below what a user sees of it.

```
showing    views of runs
starting   how runs are made, shown, and started
exporting  all frames of a dataset into a file
options    what a user asks of a run
```
"""
