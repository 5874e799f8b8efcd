"""Import trade documents from files: all of them are checked before any is written."""

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TypeVar

import polars as pl
from django.db import transaction

from tallystick.book.acts.once import Caller, once
from tallystick.book.financing.models import Facility
from tallystick.book.parties.business_date import open_day
from tallystick.book.trade.dispute import dispute_claims
from tallystick.book.trade.imports.conversion import Converted, RowRefusal, trade_documents
from tallystick.book.trade.imports.mapping import Mapping
from tallystick.book.trade.imports.report import FileReport, ImportReport
from tallystick.book.trade.imports.rows import shown_name
from tallystick.book.trade.imports.tables import read_and_convert
from tallystick.book.trade.models import Claim
from tallystick.book.trade.recording import (
    Identified,
    NumberTaken,
    Recorded,
    identified,
    write_identified,
)
from tallystick.rules.canonical import canonical_json
from tallystick.rules.refusal import Refusal
from tallystick.rules.trade_documents import TradeDocument, UnacceptableDocument

BATCH_DOCUMENTS = 50_000
Item = TypeVar("Item")
Progress = Callable[[str, int, int], None]
"""Told the step, how much of it is done, and of how much."""


class ImportRefused(Refusal):
    """Rows of the files cannot be taken; nothing was written. The report names every one."""

    def __init__(self, report: ImportReport) -> None:
        self.report = report
        super().__init__(report.verdict())


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """Files to import by one mapping.

    ``accept_partial`` records the good rows of files with bad ones; ``strict`` refuses documents
    that are on record already instead of counting them; ``dry_run`` writes nothing.
    """

    files: Sequence[Path]
    mapping: Mapping
    legal_entity_id: int
    max_bytes: int
    dry_run: bool = False
    accept_partial: bool = False
    strict: bool = False


def import_files(
    request: ImportRequest, *, caller: Caller, on_progress: Progress = lambda *_: None
) -> ImportReport:
    """Record the documents of the files and their claims, in one transaction, or nothing.

    The same files under the same mapping are recognised and change nothing. A claim is paid only
    by cash that the bank reports, so dates of settlement in a file are not read here.

    Raises ImportRefused with the report, UnreadableFile, FilesDoNotJoin.
    """
    report = ImportReport(request.mapping.name, request.dry_run)
    files = _checked(request, report, on_progress)
    _refuse_if_bad(report, request)
    with transaction.atomic():
        with once(
            caller, key=_key(request, report), kind="import_files", request=_asked(request, report)
        ) as act:
            if act.earlier is not None:
                return ImportReport.from_json(act.earlier).told_again()
            with _collector_paused():
                _record(files, request, report, act_id=act.act_id, on_progress=on_progress)
            _refuse_if_bad(report, request)
            _dispute(files, request, report, caller=caller)
            act.answer(report.as_json())
        if request.dry_run:
            transaction.set_rollback(True)
    return report


@dataclass(slots=True)
class _File:
    report: FileReport
    converted: Converted
    recorded_ids: list[int | None]
    """Document of each converted row; None where it was on record already or refused."""


def _checked(request: ImportRequest, report: ImportReport, on_progress: Progress) -> list[_File]:
    """Every file read and converted, with every refusal that needs no record to be seen."""
    files = []
    sizes = {path: path.stat().st_size for path in request.files if path.is_file()}
    done = 0

    def show(path: Path) -> None:
        on_progress(f"reading {shown_name(path)}", done, sum(sizes.values()))

    for path, converted in read_and_convert(
        request.files, request.mapping, max_bytes=request.max_bytes, on_file=show
    ):
        converted.refusals.extend(_other_currency(path, converted, request.mapping))
        refused_rows = {refusal.row for refusal in converted.refusals}
        kept = converted.documents.filter(~pl.col("row").is_in(list(refused_rows)))
        file = FileReport(
            shown_name(path),
            _digest(path),
            rows=kept.height + len(refused_rows) + sum(converted.dropped.values()),
            refused=len(refused_rows),
            dropped=converted.dropped,
        )
        report.files.append(file)
        report.refusals.extend(converted.refusals)
        files.append(_File(file, replace(converted, documents=kept), []))
        done += sizes.get(path, 0)
    return files


def _other_currency(path: Path, converted: Converted, mapping: Mapping) -> Iterator[RowRefusal]:
    """Rows of suppliers whose facilities are all in other currencies than the mapping's."""
    currencies: dict[str, set[str]] = {}
    for supplier, currency in Facility.objects.filter(
        supplier__code__in=converted.documents["supplier"].unique().to_list()
    ).values_list("supplier__code", "currency"):
        currencies.setdefault(supplier, set()).add(currency)
    strangers = {s: c for s, c in currencies.items() if mapping.currency not in c}
    rows = converted.documents.filter(pl.col("supplier").is_in(list(strangers)))
    for row, supplier in rows.select("row", "supplier").iter_rows():
        yield RowRefusal(
            shown_name(path),
            row,
            "currency",
            mapping.currency,
            f"is not the currency of {supplier}'s facility, {', '.join(strangers[supplier])}; "
            "use a mapping in that currency",
        )


def _refuse_if_bad(report: ImportReport, request: ImportRequest) -> None:
    if report.refusals and not request.accept_partial:
        report.is_refused = True
        raise ImportRefused(report)


def _record(
    files: Sequence[_File],
    request: ImportRequest,
    report: ImportReport,
    *,
    act_id: int,
    on_progress: Progress,
) -> None:
    booking_date = open_day(request.legal_entity_id)
    total = sum(file.converted.documents.height for file in files)
    done = 0
    for file in files:
        for rows, documents, batch in _one_ahead(
            _batches(file.converted.documents, request.mapping)
        ):
            outcomes = write_identified(batch, booking_date=booking_date, act_id=act_id)
            for row, document, outcome in zip(rows, documents, outcomes, strict=True):
                file.recorded_ids.append(_count(row, document, outcome, file.report, report))
            done += len(documents)
            on_progress("recording", done, total)
    if request.strict and report.repeated:
        _refuse_repeated(files, report)


def _batches(
    documents: pl.DataFrame, mapping: Mapping
) -> Iterator[tuple[pl.Series, list[TradeDocument], Identified]]:
    """Documents told apart, a batch at a time, with their rows in the file."""
    for batch in documents.iter_slices(BATCH_DOCUMENTS):
        told = list(trade_documents(batch, mapping))
        yield batch["row"], told, identified(told, numbers_repeat=mapping.numbers_repeat)


def _one_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, of which the next is made while the last is in use: half of an import is
    waiting for the database.
    """
    with ThreadPoolExecutor(max_workers=1) as aside:
        following = aside.submit(next, items, None)
        while (item := following.result()) is not None:
            following = aside.submit(next, items, None)
            yield item


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Documents refer to nothing that refers back, so that looking through tens of thousands of
    them for circles, again and again, finds none and costs an import a tenth of its time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _count(
    row: int,
    document: TradeDocument,
    outcome: Recorded | Refusal,
    file: FileReport,
    report: ImportReport,
) -> int | None:
    """Add one outcome to the reports; the document's id where it is new."""
    if isinstance(outcome, Refusal):
        file.refused += 1
        report.refusals.append(_row_refusal(file.name, row, document, outcome))
        return None
    if outcome.repeated:
        file.repeated += 1
        return None
    file.recorded += 1
    report.awaiting_predecessor += outcome.awaits_predecessor
    if document.kind == "credit_note" and outcome.effect_minor < document.amount_minor:
        report.unapplied_credits += 1
        report.unapplied_credit_minor += document.amount_minor - outcome.effect_minor
    return outcome.document_id


def _row_refusal(file: str, row: int, document: TradeDocument, refusal: Refusal) -> RowRefusal:
    match refusal:
        case UnacceptableDocument():
            return RowRefusal(file, row, refusal.field, str(refusal.value), refusal.remedy)
        case NumberTaken():
            return RowRefusal(file, row, "number", document.number, str(refusal))
        case _:
            return RowRefusal(file, row, "", document.number, str(refusal))


def _refuse_repeated(files: Sequence[_File], report: ImportReport) -> None:
    for file in files:
        documents = file.converted.documents
        for row, number, recorded_id in zip(
            documents["row"], documents["number"], file.recorded_ids, strict=True
        ):
            if recorded_id is None:
                report.refusals.append(
                    RowRefusal(
                        file.report.name,
                        row,
                        "number",
                        number,
                        "is on record already; leave the row out, or import without --strict",
                    )
                )


def _dispute(
    files: Sequence[_File], request: ImportRequest, report: ImportReport, *, caller: Caller
) -> None:
    """Mark new claims disputed that the file says are, once that is known on the business day."""
    if request.mapping.disputed is None:
        return
    business_date = open_day(request.legal_entity_id)
    since: dict[date, list[int]] = {}
    for file in files:
        disputed_dates = file.converted.documents["disputed_date"]
        for disputed_date, document_id in zip(disputed_dates, file.recorded_ids, strict=True):
            if document_id is not None and disputed_date and disputed_date <= business_date:
                since.setdefault(disputed_date, []).append(document_id)
    for disputed_date, document_ids in since.items():
        codes = Claim.objects.filter(document_id__in=document_ids).values_list("code", flat=True)
        report.disputed += sum(
            dispute_claims(
                list(codes),
                reason=f"imported as disputed ({request.mapping.name})",
                legal_entity_id=request.legal_entity_id,
                caller=caller,
                key=f"{_key(request, report)}/disputed/{disputed_date}",
                value_date=disputed_date,
            )
        )


def _asked(request: ImportRequest, report: ImportReport) -> dict[str, object]:
    return {
        "files": [{"name": file.name, "sha256": file.sha256} for file in report.files],
        "mapping": request.mapping.name,
        "legal_entity_id": request.legal_entity_id,
    }


def _key(request: ImportRequest, report: ImportReport) -> str:
    """The natural key of an import: what the files hold and how it is read."""
    content = {
        "files": [_digest(path) for path in request.files],
        "mapping": asdict(request.mapping),
        "accept_partial": request.accept_partial and bool(report.refusals),
        "strict": request.strict,
    }
    return f"import:{sha256(canonical_json(content)).hexdigest()}"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
