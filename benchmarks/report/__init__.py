"""What is made of the measurements: tables, ratios, bars and a plot."""
