"""Trade documents and the claims they prove."""
