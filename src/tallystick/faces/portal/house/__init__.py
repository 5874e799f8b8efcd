"""What the house sees and does: operators, risk, approvers, treasury and auditors."""
