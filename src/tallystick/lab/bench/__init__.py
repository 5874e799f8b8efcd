"""Every claim about speed as a measurement that anybody can repeat."""
