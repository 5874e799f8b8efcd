"""Programmes, facilities, limits, decisions and drawdowns."""
