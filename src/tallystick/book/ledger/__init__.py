"""The books: accounts, entries, postings, roll-ups and the chain of seals."""
