"""What undoes compression, a chunk or many at a time; nothing here knows of files."""
