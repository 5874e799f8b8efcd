"""Import reference rates from a file: each value once, with who published it."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tallystick.book.acts.once import Caller, once
from tallystick.book.financing.models import ReferenceRate
from tallystick.book.financing.price_facilities import price_facilities
from tallystick.book.parties.business_date import open_day
from tallystick.book.parties.models import LegalEntity
from tallystick.rules.loan_events import rate_from_ppb, rate_in_ppb
from tallystick.rules.reference_rates import Fixing, RateSeries, read_rate_series
from tallystick.rules.refusal import Refusal

MAX_SOURCE_LENGTH = 200
MAX_RATES_FILE_BYTES = 5_000_000


class UnreadableRatesFile(Refusal):
    """The file is not there, too large, or not text."""

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(f"{file} cannot be read: {why}. Name a CSV file in UTF-8.")


class SourceMissing(Refusal):
    """Values are imported from somewhere: say from where."""

    def __init__(self) -> None:
        super().__init__(
            f"Say in 1 to {MAX_SOURCE_LENGTH} printable characters where the values come from, "
            "such as 'National Interbank Funding Center'."
        )


class PublishedOtherwise(Refusal):
    """A value is known for that day, and it is another."""

    def __init__(self, name: str, fixing: Fixing, *, known: Fixing, source: str) -> None:
        self.name = name
        super().__init__(
            f"{name} of {fixing.publish_date} is {fixing.rate * 100} % in the file, and "
            f"{known.rate * 100} % has been imported from {source}. A published value is not "
            "changed, because loans were priced with it: correct the file, or leave the day out."
        )


@dataclass(frozen=True, slots=True)
class RatesImported:
    """What an import of rates brought: values that are new, and values known already."""

    added: int
    known: int


def text_of(file: Path) -> str:
    """The text of a file of reference rates. Raises UnreadableRatesFile."""
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_RATES_FILE_BYTES + 1)
        if len(content) > MAX_RATES_FILE_BYTES:
            raise UnreadableRatesFile(file, f"it is larger than {MAX_RATES_FILE_BYTES:,} bytes")
        return content.decode()
    except OSError as error:
        raise UnreadableRatesFile(file, error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise UnreadableRatesFile(file, f"byte {error.start} is not UTF-8") from None


def import_rates(text: str, *, file: str, source: str, caller: Caller, key: str) -> RatesImported:
    """Add the values of a file (see ``rules.reference_rates``), all or none.

    ``source`` says who published them. Values known already stay as they are. Facilities that
    follow a series are priced at the value of their open day. Repeating ``key`` returns the first
    answer.

    Raises InvalidRateSeries, SourceMissing, PublishedOtherwise, KeyConflict.
    """
    if not 1 <= len(source.strip()) <= MAX_SOURCE_LENGTH or not source.isprintable():
        raise SourceMissing
    series = read_rate_series(text, file=file)
    content = sha256(text.encode()).hexdigest()
    request = {"content_sha256": content, "source": source}
    with once(caller, key=key, kind="import_rates", request=request) as act:
        if act.earlier is None:
            added = sum(_added(each, file, source, act_id=act.act_id) for each in series)
            known = sum(len(each.fixings) for each in series) - added
            for entity_id in LegalEntity.objects.order_by("id").values_list("id", flat=True):
                price_facilities(entity_id, on=open_day(entity_id))
            act.answer({"added": added, "known": known})
    return RatesImported(**(act.earlier or act.given or {}))


def _added(series: RateSeries, file: str, source: str, *, act_id: int) -> int:
    new = [
        ReferenceRate(
            name=series.name,
            publish_date=fixing.publish_date,
            rate_ppb=rate_in_ppb(fixing.rate),
            source=source,
            file=file[:MAX_SOURCE_LENGTH],
            act_id=act_id,
        )
        for fixing in series.fixings
    ]
    # Of two imports at once the second waits here for the first and then finds its values.
    ReferenceRate.objects.bulk_create(new, ignore_conflicts=True)
    rows = {
        row.publish_date: row
        for row in ReferenceRate.objects.filter(
            name=series.name, publish_date__in=[each.publish_date for each in series.fixings]
        )
    }
    for fixing in series.fixings:
        row = rows[fixing.publish_date]
        if row.rate_ppb != rate_in_ppb(fixing.rate):
            known = Fixing(row.publish_date, rate_from_ppb(row.rate_ppb))
            raise PublishedOtherwise(series.name, fixing, known=known, source=row.source)
    return sum(row.act_id == act_id for row in rows.values())
