"""How pictures get to the pages, and how pages answer."""
