"""A simulated marketplace with its suppliers, payers and bank; seeded, so that it repeats."""
