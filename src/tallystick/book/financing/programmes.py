"""Programmes as files and as rows: the presets of the package, and what a facility is held to."""

from datetime import date
from functools import cache, lru_cache
from hashlib import sha256
from importlib import resources
from pathlib import Path

from tallystick.book.financing.models import Programme
from tallystick.rules.canonical import canonical_json
from tallystick.rules.programme import ProgrammeTerms, read_programmes, stored_programme
from tallystick.rules.refusal import Refusal
from tallystick.rules.sales_programme import SalesProgrammeTerms

MAX_FILE_BYTES = 1_000_000


class UnknownProgramme(Refusal):
    """No preset has this code."""

    def __init__(self, code: str, known: list[str]) -> None:
        self.code = code
        self.known = tuple(known)
        super().__init__(
            f"There is no programme {code!r}. Known are: {', '.join(known)}. "
            "Name one of them, or check a file of your own with 'programme check FILE'."
        )


class UnreadableProgrammeFile(Refusal):
    """The file is not there, too large, or not text."""

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(f"{file} cannot be read: {why}. Name a TOML file in UTF-8.")


@cache
def presets() -> dict[str, ProgrammeTerms]:
    """Every programme that comes with the package, by code."""
    folder = resources.files("tallystick.programmes")
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    programmes = [
        programme
        for file in files
        if file.name.endswith(".toml")
        for programme in read_programmes(file.read_text(encoding="utf-8"), file=file.name)
    ]
    return {programme.code: programme for programme in programmes}


def preset(code: str) -> ProgrammeTerms:
    """The package's programme ``code``, such as ``jd.jingbaobei``. Raises UnknownProgramme."""
    programmes = presets()
    if code not in programmes:
        raise UnknownProgramme(code, list(programmes))
    return programmes[code]


def programmes_in(file: Path, *, defined_on: date) -> list[ProgrammeTerms]:
    """The programmes of a file of one's own, held to the legal ceilings of the day.

    Raises UnreadableProgrammeFile, and InvalidProgramme with everything that is wrong in it.
    """
    return read_programmes(text_of(file), file=file.name, defined_on=defined_on)


def text_of(file: Path) -> str:
    """What stands in a file of terms. Raises UnreadableProgrammeFile."""
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise UnreadableProgrammeFile(file, f"it is larger than {MAX_FILE_BYTES:,} bytes")
        return content.decode()
    except OSError as error:
        raise UnreadableProgrammeFile(file, error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise UnreadableProgrammeFile(file, f"byte {error.start} is not UTF-8") from None


def programme_in(file: Path, *, defined_on: date) -> ProgrammeTerms:
    """The one programme of a file of one's own. Raises UnknownProgramme when there are several,
    and what ``programmes_in`` raises.
    """
    programmes = programmes_in(file, defined_on=defined_on)
    if len(programmes) != 1:
        raise UnknownProgramme(file.name, [programme.code for programme in programmes])
    return programmes[0]


def stored(terms: ProgrammeTerms | SalesProgrammeTerms) -> Programme:
    """The row that keeps these terms, made at first use; equal content is kept once."""
    programme, _ = Programme.objects.get_or_create(
        sha256=sha256(canonical_json([terms.code, terms.content])).digest(),
        defaults={"code": terms.code, "terms": dict(terms.content)},
    )
    return programme


@lru_cache(maxsize=1_000)
def terms_with(content_sha256: bytes) -> ProgrammeTerms:
    """The stored terms of that content; read once, since content under a hash never changes."""
    programme = Programme.objects.get(sha256=content_sha256)
    return stored_programme(programme.code, programme.terms)
