"""Advances with their events and folds, as they stand in the book."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from django.db import connection

from tallystick.book.sales_credit.models import STILL_IN_FORCE
from tallystick.book.sales_credit.programmes import sales_terms_with
from tallystick.rules.discount_fee import MAX_PAYMENTS
from tallystick.rules.loan_events import rate_from_ppb
from tallystick.rules.sales_events import SalesEvent, SalesEventKind
from tallystick.rules.sales_share import SalesShareState, fold_sales_share
from tallystick.rules.sales_terms import SalesShareTerms


class AdvanceRow(NamedTuple):
    """An advance as written: whose it is, and its terms. ``disbursed_date``: None until paid."""

    advance_id: int
    code: str
    status: str
    line_id: int
    line: str
    legal_entity_id: int
    merchant_id: int
    book_id: int
    currency: str
    advance_minor: int
    fee_minor: int | None
    daily_rate_ppb: int | None
    share_bps: int
    yearly_sales_minor: int
    year_days: int
    disbursed_date: date | None
    programme_sha256: bytes

    @property
    def terms(self) -> SalesShareTerms:
        """Its terms from the payout on."""
        assert self.disbursed_date is not None, f"advance {self.code} was not paid out"
        return _terms(
            self.currency,
            self.advance_minor,
            self.disbursed_date,
            self.share_bps,
            self.yearly_sales_minor,
            self.fee_minor,
            self.daily_rate_ppb,
            self.year_days,
            self.programme_sha256,
        )

    @property
    def reference(self) -> str:
        """How the entries of the advance refer to it."""
        return f"advance:{self.code}"


@lru_cache(maxsize=10_000)  # making terms tries their whole plan
def _terms(
    currency: str,
    advance_minor: int,
    start: date,
    share_bps: int,
    yearly_sales_minor: int,
    fee_minor: int | None,
    daily_rate_ppb: int | None,
    year_days: int,
    programme_sha256: bytes,
) -> SalesShareTerms:
    return SalesShareTerms(
        currency=currency,
        advance_minor=advance_minor,
        start=start,
        share_bps=share_bps,
        yearly_sales_minor=yearly_sales_minor,
        fee_minor=fee_minor,
        daily_rate=None if daily_rate_ppb is None else rate_from_ppb(daily_rate_ppb),
        year_days=year_days,
        pace=sales_terms_with(programme_sha256).pace,
    )


_ADVANCES = """
    SELECT advance.id, advance.code, advance.status, line.id, line.code, line.legal_entity_id,
           line.merchant_id, advance.book_id, advance.currency, advance.advance_minor,
           advance.fee_minor, advance.daily_rate_ppb, advance.share_bps,
           advance.yearly_sales_minor, advance.year_days, advance.disbursed_date, programme.sha256
    FROM sales_credit_advance AS advance
    JOIN sales_credit_salesline AS line ON line.id = advance.line_id
    JOIN financing_programme AS programme ON programme.id = line.programme_id
    WHERE {condition} ORDER BY advance.line_id, advance.id
"""


def advances_with(advance_ids: Iterable[int]) -> dict[int, AdvanceRow]:
    """These advances, by id."""
    return _found("advance.id = ANY(%s)", [list(advance_ids)])


def advances_of(line_ids: Iterable[int], *, status: str) -> dict[int, AdvanceRow]:
    """The advances of these lines in one state, by id, in the order of the lines."""
    return _found("advance.line_id = ANY(%s) AND advance.status = %s", [list(line_ids), status])


def advance_called(code: str) -> AdvanceRow | None:
    """The advance of that code, or None."""
    if not code.isprintable():
        return None
    return next(iter(_found("advance.code = %s", [code]).values()), None)


def _found(condition: str, arguments: list[object]) -> dict[int, AdvanceRow]:
    with connection.cursor() as cursor:
        cursor.execute(_ADVANCES.format(condition=condition), arguments)
        return {row[0]: AdvanceRow(*row[:-1], bytes(row[-1])) for row in cursor.fetchall()}


def events_of(advance_ids: Iterable[int]) -> dict[int, list[SalesEvent]]:
    """All events of these advances, in the order in which they were recorded."""
    found: dict[int, list[SalesEvent]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT advance_id, id, kind, value_date, booking_date, amount_minor, share_bps,"
            " reverses_id, kept_minor FROM sales_credit_advanceevent"
            " WHERE advance_id = ANY(%s) ORDER BY id",
            [list(advance_ids)],
        )
        for advance_id, event_id, kind, *others in cursor.fetchall():
            found[advance_id].append(SalesEvent(event_id, SalesEventKind(kind), *others))
    return found


def folded(
    advance: AdvanceRow, events: Sequence[SalesEvent], *, on: date, known_on: date | None = None
) -> SalesShareState:
    """The advance ``on`` a day, as ``known_on`` a day (the same where None).

    Raises what ``rules.sales_share.fold_sales_share`` raises.
    """
    return fold_sales_share(advance.terms, events, on=on, known_on=known_on or on)


def is_settled(state: SalesShareState) -> bool:
    """Nothing is owed, and nothing more is earned."""
    return state.outstanding_minor == 0


class Position(NamedTuple):
    """The columns of ``AdvancePosition`` that follow from a fold."""

    book_id: int
    accrued_to_date: date
    principal_minor: int
    fee_minor: int
    fee_earned_minor: int
    daily_rate_ppb: int
    interest_numerator: int
    fee_collected_minor: int
    interest_lost_minor: int
    collected_minor: int
    principal_lost_minor: int
    recovered_minor: int
    credit_minor: int
    payments_left: int
    settled: bool


def position_of(advance: AdvanceRow, state: SalesShareState) -> Position:
    """What is stored of a fold; ``on`` is the day through which interest is exact."""
    at_fee = advance.daily_rate_ppb is None
    return Position(
        book_id=advance.book_id,
        accrued_to_date=state.on,
        principal_minor=state.principal_minor,
        fee_minor=state.fee_minor - state.fee_cancelled_minor if at_fee else 0,
        fee_earned_minor=state.fee_earned_minor if at_fee else 0,
        daily_rate_ppb=advance.daily_rate_ppb or 0,
        interest_numerator=state.interest_numerator,
        fee_collected_minor=state.fee_collected_minor,
        interest_lost_minor=state.interest_lost_minor,
        collected_minor=state.collected_minor,
        principal_lost_minor=state.principal_lost_minor,
        recovered_minor=state.recovered_minor,
        credit_minor=state.credit_minor,
        payments_left=MAX_PAYMENTS if state.payments_left is None else state.payments_left,
        settled=is_settled(state),
    )


def store(advance: AdvanceRow, state: SalesShareState, *, booking_date: date) -> None:
    """Let the fold be the advance's position from ``booking_date`` on; one row a day."""
    position = position_of(advance, state)
    columns = ", ".join(Position._fields)
    values = [
        Decimal(value) if name == "interest_numerator" else value
        for name, value in position._asdict().items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sales_credit_advanceposition SET superseded_date = %s"
            " WHERE advance_id = %s AND superseded_date = %s AND booking_date < %s",
            [booking_date, advance.advance_id, STILL_IN_FORCE, booking_date],
        )
        cursor.execute(
            f"INSERT INTO sales_credit_advanceposition (advance_id, booking_date, superseded_date,"
            f" {columns}) VALUES (%s, %s, %s{', %s' * len(values)})"
            f" ON CONFLICT (advance_id, booking_date) DO UPDATE SET ({columns}) ="
            f" ({', '.join(f'EXCLUDED.{name}' for name in Position._fields)})",
            [advance.advance_id, booking_date, STILL_IN_FORCE, *values],
        )
