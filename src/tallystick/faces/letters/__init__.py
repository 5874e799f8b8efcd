"""Letters to firms that pay late: their wording, and the way out by electronic mail."""
