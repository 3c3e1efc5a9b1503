"""The runner: what is asked for, who does it, and what comes out.

```
executors/   bring the workers: threads, or the thread that waits
work/        what workers do                | ends/   what a user holds of a run
run          one pass of several UDFs over one dataset
subscription who is told of its merge steps
merge/       partitions folded into the whole, and the results made of it
plan/        what is asked for, resolved    | sources  open files
                                            | bell  wakes who waits | blame  whose error it is
```

Imports go down only. These are words of this room:

job, run
    A job is what was asked for, checked. A run does it, once.
partition, task
    A partition is a part of a run's frames that is merged in one step. A task is all UDFs of the
    run at work on it.
scan, assignment, share
    A scan is one pass over a dataset for all runs that want its frames. An assignment is what one
    worker reads of it next; a share is what one run gets of that, its partition.
step, fusion
    A step is what a compiled UDF does with pixels. A fusion is all different steps of an
    assignment, done in one loop.
backlog
    The frames of a run that nobody has taken yet.
binding
    A bound UDF is a copy that knows the dataset, and has declared its buffers.
turn
    A lock around quick Python code of users, handed on from thread to thread without a wait.
bell
    Wakes threads, and tasks on any event loop, from any thread.
"""
