"""What is asked for, resolved, and what of it is still to be done: job, partitions, order, roi."""
