"""Who: firms, our legal entities with their business date, related parties, and users."""
