"""Files of trade data: read whole, checked whole, then recorded."""
