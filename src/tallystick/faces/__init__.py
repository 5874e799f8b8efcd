"""Speak: translate, call, translate back. Nothing is decided here."""
