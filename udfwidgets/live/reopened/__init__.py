"""Results that were saved, shown again."""
