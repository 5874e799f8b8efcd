"""Django's backend for PostgreSQL, which asks the operating system whether the server is there."""
