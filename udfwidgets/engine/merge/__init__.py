"""What workers bring, folded into the whole, and the results made of it."""
