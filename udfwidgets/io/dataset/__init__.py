"""The dataset contract and the formats that fulfil it."""
