"""Remember: Django applications over one PostgreSQL, one module per business act."""
