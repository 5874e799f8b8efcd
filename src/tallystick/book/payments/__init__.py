"""Payment orders to the bank, its answers, and cash received."""
