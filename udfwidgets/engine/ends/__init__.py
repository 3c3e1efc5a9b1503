"""What a user holds of a run: iterators, awaitables, views of it."""
