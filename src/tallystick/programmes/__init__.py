"""Presets as data: programmes and import mappings. Nothing here is code."""
