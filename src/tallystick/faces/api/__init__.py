"""The API for machines, ``/api/v1``: JSON in, one act or query of the book, JSON out."""
