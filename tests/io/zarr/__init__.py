"""Zarr stores, held against the package zarr that writes them."""
