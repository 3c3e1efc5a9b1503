"""Packages and UDFs that others have published for LiberTEM, run there and here.

```
__main__     runs all of it and prints the table: make thirdparty
fetching     gets their sources from the index, and renames copies of them
trying       runs their tests, and the examples, under one package
blocked      keeps LiberTEM away from what runs here: a plugin of pytest, and of Python
examples/    one UDF each, on data made here
```

Nothing of theirs is kept in this repository.
"""
