"""Files: the dataset contract and one module per format."""
