"""Loans after the payout: events, positions, settlement, close of day."""
