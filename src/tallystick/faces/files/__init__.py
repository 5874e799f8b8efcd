"""Files that are handed in or out, outside the book: read strictly, refused by row and column."""
