"""What was asked, by whom, and what was answered: the audit trail, request keys and the outbox."""
