"""The runner: plans, executors, runs and streams of results."""
