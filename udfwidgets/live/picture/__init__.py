"""How results become pictures: channels, contrast, codes, colours."""
