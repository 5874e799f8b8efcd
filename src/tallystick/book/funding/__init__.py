"""Funders, their lines, and who funds which share of a loan."""
