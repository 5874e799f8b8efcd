"""Classes of loans and stages, facts about debtors, expected loss and the provisions for it."""
