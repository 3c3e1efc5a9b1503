"""Pixels that tell more than one number: what these are, and their colours."""
