"""One live analysis in each front end that can run here, in a real browser."""
