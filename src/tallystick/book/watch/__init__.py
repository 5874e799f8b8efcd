"""What needs a person: worklists; and the checks that prove the books."""
