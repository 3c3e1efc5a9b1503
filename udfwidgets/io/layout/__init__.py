"""Where frames lie: files on disk, axes, and sources made of other sources."""
