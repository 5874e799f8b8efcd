"""Pools of claims, their assignments, security interests and borrowing bases."""
