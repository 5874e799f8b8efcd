"""Webhooks: who hears of what leaves the outbox, and what became of each message."""
