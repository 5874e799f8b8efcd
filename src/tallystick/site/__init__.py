"""One installation: settings and the embedded PostgreSQL."""
