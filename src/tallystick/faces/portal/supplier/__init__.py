"""What a supplier sees of its own money: how much it can have now, and why."""
