"""What a person is told of objects and of errors.

```
names | values | tracebacks      what `dir` lists, how parameters are printed, what is folded away
```
"""
