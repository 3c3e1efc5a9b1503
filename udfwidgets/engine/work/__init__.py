"""Who does the work: scans that runs share, and workers that read for them."""
