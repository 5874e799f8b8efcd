"""One person proposes, another decides: what takes two people is carried out in the approval."""
