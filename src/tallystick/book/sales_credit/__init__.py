"""Advances out of sales: a share of each settlement repays them, however sales run."""
