"""What is overdue: a case per firm that pays late, what was said to it, and how it ended."""
