"""What the database itself shows to a firm; ``book.access.wall`` reads behind it."""
