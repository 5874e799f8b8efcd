"""What became of an import, file by file."""

from dataclasses import asdict, dataclass, field
from typing import Any

from tallystick.book.trade.imports.conversion import RowRefusal


@dataclass(slots=True)
class FileReport:
    """One file: its rows are recorded, repeated (on record already), dropped or refused."""

    name: str
    sha256: str
    rows: int = 0
    recorded: int = 0
    repeated: int = 0
    refused: int = 0
    dropped: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class ImportReport:
    """A whole import. Where ``is_refused``, nothing was written."""

    mapping: str
    dry_run: bool
    files: list[FileReport] = field(default_factory=list)
    refusals: list[RowRefusal] = field(default_factory=list)
    awaiting_predecessor: int = 0
    disputed: int = 0
    unapplied_credits: int = 0
    unapplied_credit_minor: int = 0
    is_refused: bool = False
    imported_before: bool = False

    @property
    def recorded(self) -> int:
        return sum(file.recorded for file in self.files)

    @property
    def repeated(self) -> int:
        return sum(file.repeated for file in self.files)

    def verdict(self) -> str:
        """What a person needs to know, in one sentence."""
        if self.is_refused:
            values = "value" if len(self.refusals) == 1 else "values"
            return (
                f"Refused: {len(self.refusals):,} {values} cannot be taken, so nothing was "
                "written. Correct the file, or record its good rows with --accept-partial."
            )
        if self.imported_before:
            return "These files were imported before: nothing changed."
        would = "Would record" if self.dry_run else "Recorded"
        if not self.recorded:
            return f"Nothing new: {self.repeated:,} documents are on record already."
        return f"{would} {self.recorded:,} documents; {self.repeated:,} were on record already."

    def told_again(self) -> "ImportReport":
        """The report of an import that was carried out before, as of now: nothing is new."""
        for file in self.files:
            file.repeated += file.recorded
            file.recorded = 0
        self.imported_before = True
        return self

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"verdict": self.verdict()}

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> "ImportReport":
        content = {key: value for key, value in answer.items() if key != "verdict"}
        content["files"] = [FileReport(**file) for file in content["files"]]
        content["refusals"] = [RowRefusal(**refusal) for refusal in content["refusals"]]
        return cls(**content)
