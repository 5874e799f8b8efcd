"""What a check of the books looks like, and what it finds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference: what the check is called, the object, what should be there and what is."""

    check: str
    subject: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.check}: {self.subject}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class Check:
    """A named question to the books. ``run`` yields its findings; none means all is well."""

    name: str
    run: Callable[[], Iterable[Finding]]
