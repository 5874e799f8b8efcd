"""Who may see what and do what: viewers, permissions by role, and what a viewer reaches."""
