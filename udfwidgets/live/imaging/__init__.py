"""What a live image is put together of."""
