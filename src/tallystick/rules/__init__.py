"""Decide: the business, pure. No database, no clock, no files, no framework."""
