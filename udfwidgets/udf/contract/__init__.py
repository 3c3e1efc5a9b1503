"""What a UDF is shown while it runs: its results, its parameters, and where it is."""
