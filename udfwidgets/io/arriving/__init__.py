"""Frames that still come: taken in, kept, and waited for."""
