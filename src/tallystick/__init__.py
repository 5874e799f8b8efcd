"""Supply chain finance for e-commerce platforms."""
