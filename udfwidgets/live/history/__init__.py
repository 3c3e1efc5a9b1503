"""What a run has come through: how far a signal stands out, and when that is enough."""
