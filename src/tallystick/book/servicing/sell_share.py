"""Sell a share of a live loan to another funder, buy one back, or take such a transfer back.

The lender of record stays the borrower's creditor and servicer; what changes hands is what comes
in from the value date on (``rules.loan_shares``). The price is settled with the funder's account.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from tallystick.book.acts.once import Caller, once
from tallystick.book.acts.reasons import refuse_unreasoned
from tallystick.book.financing.models import PAID_OUT, Loan
from tallystick.book.funding.models import FundingLine, Participation, ShareTransfer
from tallystick.book.ledger.models import Book
from tallystick.book.ledger.post import post
from tallystick.book.parties.business_date import open_day
from tallystick.book.parties.models import Party
from tallystick.book.servicing.drawn import change_drawn
from tallystick.book.servicing.events import EventInFuture
from tallystick.book.servicing.history import loan_events
from tallystick.book.servicing.live_loan import legal_entity_of, locked_loan
from tallystick.book.servicing.one_loan import on_live_loan
from tallystick.book.servicing.positions import LoanPosition
from tallystick.book.servicing.shares import (
    PrincipalMoved,
    Touched,
    lines_moved,
    owed_at_start,
    settle_shares,
    share_booking,
    transfers_of,
)
from tallystick.rules.accounting import ShareEvent, shares_moved
from tallystick.rules.loan_shares import (
    WHOLE_PPM,
    Transfer,
    in_order,
    par_minor,
    participations,
    shares_after,
    transferred,
)
from tallystick.rules.refusal import Refusal

_NOT_NUMBERED_YET = 2**62


class NotAFunderOfTheLoan(Refusal):
    """The firm is unknown, lends the loan itself, or has borrowed it."""

    def __init__(self, funder: str, loan: str) -> None:
        self.funder = funder
        super().__init__(
            f"{funder!r} cannot hold a share of loan {loan}. Name a registered firm other than "
            "the loan's lender and its supplier."
        )


class NotAShare(Refusal):
    """The share is zero, below it, or more than the whole."""

    def __init__(self, share_ppm: int) -> None:
        self.share_ppm = share_ppm
        super().__init__(
            f"{share_ppm} parts per million is no share of a loan. Give 1 to {WHOLE_PPM}: "
            "300000 is 30 per cent."
        )


class NotASharePrice(Refusal):
    """The price is below zero, or more than the book can hold."""

    def __init__(self, price_minor: int) -> None:
        super().__init__(
            f"{price_minor} minor units is no price of a share. Give 0 or more, or none: then it "
            "is par."
        )


class TransferBeforePayout(Refusal):
    """A share would change hands before there is anything of the loan."""

    def __init__(self, loan: str, value_date: date, *, first_date: date) -> None:
        self.first_date = first_date
        super().__init__(
            f"A share of loan {loan} cannot change hands on {value_date}: nothing was owed at the "
            f"start of that day. Give {first_date} or a later day."
        )


class FundingLineTooSmall(Refusal):
    """Whoever takes a share would have more drawn on its line than the line allows."""

    def __init__(self, line: FundingLine) -> None:
        super().__init__(
            f"The funding line of {line.funder.code} in {line.programme} is of "
            f"{line.limit_minor}, and {line.drawn_minor} would be drawn on it ({line.currency} "
            "minor units). Move a smaller share, or raise the line first."
        )


class NoSuchTransfer(Refusal):
    """The loan has no such transfer of a share, or it was taken back already."""

    def __init__(self, loan: str, transfer_id: int) -> None:
        self.transfer_id = transfer_id
        super().__init__(
            f"Loan {loan} has no transfer {transfer_id} that stands. "
            f"`./tally loan shares {loan}` lists them."
        )


@dataclass(frozen=True, slots=True)
class ShareMoved:
    """A transfer of a share as it was agreed; amounts are minor units of ``currency``.

    ``par_minor`` is the share's part of all that the loan owed at the start of ``value_date``.
    """

    transfer: int
    loan: str
    funder: str
    share_ppm: int
    value_date: date
    currency: str
    par_minor: int
    price_minor: int


def sell_share(
    loan: str,
    funder: str,
    share_ppm: int,
    *,
    price_minor: int | None = None,
    value_date: date | None = None,
    caller: Caller,
    key: str,
) -> ShareMoved:
    """Sell a share of ``loan`` (its code) to ``funder`` (a firm's code).

    At ``price_minor``, or at par where None, as of the start of ``value_date`` (the open business
    day where None). The funder owes the price (``payments.funders``); what is above or
    below par is gained or lost. ``caller.reason`` says why. Repeating ``key`` returns the first
    answer.

    Raises ReasonMissing, NotALiveLoan, NotAFunderOfTheLoan, NotAShare, NotASharePrice,
    ShareNotHeld, TransferBeforePayout, EventInFuture, FundingLineTooSmall, KeyConflict.
    """
    refuse_unreasoned(caller, "sell a share of a loan")

    def agreed(held: LoanPosition, business_date: date, act_id: int) -> dict[str, Any]:
        return _moved(
            held, funder, share_ppm, price_minor, value_date or business_date, business_date, act_id
        )

    return _asked(
        "sell_share", agreed, loan, funder, share_ppm, price_minor, value_date, caller, key
    )


def buy_back_share(
    loan: str,
    funder: str,
    share_ppm: int,
    *,
    price_minor: int | None = None,
    value_date: date | None = None,
    caller: Caller,
    key: str,
) -> ShareMoved:
    """Buy a share of ``loan`` back from ``funder``, in full or in part; as ``sell_share``.

    The price is owed to the funder (``payments.funders``).
    """
    refuse_unreasoned(caller, "buy a share of a loan back")

    def agreed(held: LoanPosition, business_date: date, act_id: int) -> dict[str, Any]:
        return _moved(
            held,
            funder,
            -share_ppm,
            price_minor,
            value_date or business_date,
            business_date,
            act_id,
        )

    return _asked(
        "buy_back_share", agreed, loan, funder, share_ppm, price_minor, value_date, caller, key
    )


def reverse_transfer(loan: str, transfer_id: int, *, caller: Caller, key: str) -> None:
    """Take back a transfer of a share of ``loan`` (its code) as if it had never been.

    The ledger gets the difference in the open business day. ``caller.reason`` says why. Repeating
    ``key`` changes nothing.

    Raises ReasonMissing, NotALiveLoan, NoSuchTransfer, ShareNotHeld where a later transfer rests
    on it, FundingLineTooSmall, KeyConflict.
    """
    refuse_unreasoned(caller, "take the transfer of a share back")
    legal_entity_id = legal_entity_of(loan)
    request = {"loan": loan, "transfer": transfer_id, "reason": caller.reason}
    with once(caller, key=key, kind="reverse_transfer", request=request) as act:
        if act.earlier is not None:
            return
        business_date = open_day(legal_entity_id)
        held = locked_loan(loan, legal_entity_id, statuses=PAID_OUT)
        before = transfers_of([held.loan_id]).get(held.loan_id, ())
        after = [each for each in before if each.transfer_id != transfer_id]
        if len(after) == len(before):
            raise NoSuchTransfer(loan, transfer_id)
        shares_after(after)
        taken_back = next(each for each in before if each.transfer_id == transfer_id)
        ShareTransfer.objects.filter(pk=transfer_id).update(reversed_date=business_date)
        settle_shares(
            [Touched(held, taken_back.value_date, act.act_id)],
            {held.loan_id: after},
            event=ShareEvent.REVERSED,
            booking_date=business_date,
        )
        _follow(held, before, after, business_date)
        act.answer({})


def _asked(
    kind: str,
    carry_out: Callable[[LoanPosition, date, int], dict[str, Any]],
    loan: str,
    funder: str,
    share_ppm: int,
    price_minor: int | None,
    value_date: date | None,
    caller: Caller,
    key: str,
) -> ShareMoved:
    if not 0 < share_ppm <= WHOLE_PPM:
        raise NotAShare(share_ppm)
    if price_minor is not None and not 0 <= price_minor < 2**62:
        raise NotASharePrice(price_minor)
    request = {
        "funder": funder,
        "share_ppm": share_ppm,
        "price_minor": price_minor,
        "value_date": value_date,
        "reason": caller.reason,
    }
    answer = on_live_loan(loan, kind, request, carry_out, caller=caller, key=key)
    return ShareMoved(**answer | {"value_date": date.fromisoformat(answer["value_date"])})


def _moved(
    held: LoanPosition,
    funder: str,
    change_ppm: int,
    price_minor: int | None,
    value_date: date,
    business_date: date,
    act_id: int,
) -> dict[str, Any]:
    """Let a share change hands: ``change_ppm`` is above zero where it is sold."""
    holder_id = _holder(held, funder)
    _refuse_day(held, value_date, business_date)
    before = transfers_of([held.loan_id]).get(held.loan_id, ())
    asked = Transfer(_NOT_NUMBERED_YET, holder_id, change_ppm, value_date, 0)
    after = in_order([*before, asked])
    shares_after(after)
    place = after.index(asked)
    shares_before, shares_then = shares_after(after[:place]), shares_after(after[: place + 1])
    owed = owed_at_start(held, loan_events([held.loan_id])[held.loan_id], value_date)
    par = abs(par_minor(owed, before=shares_before, after=shares_then, holder_id=holder_id))
    price_minor = par if price_minor is None else price_minor
    row = ShareTransfer.objects.create(
        loan_id=held.loan_id,
        holder_id=holder_id,
        share_ppm=change_ppm,
        value_date=value_date,
        booking_date=business_date,
        par_minor=par,
        premium_minor=price_minor - par,
        act_id=act_id,
    )
    agreed = asked._replace(transfer_id=row.pk, premium_minor=price_minor - par)
    after[place] = agreed
    passed = transferred(agreed, owed, before=shares_before, after=shares_then)
    entry = shares_moved(
        share_booking(held, value_date, business_date),
        event=ShareEvent.SOLD if change_ppm > 0 else ShareEvent.BOUGHT_BACK,
        book=held.book_id,
        debits_minor=passed.debits_minor,
        holders_minor=passed.holders_minor,
    )
    if entry is not None:
        post(entry, act_id=act_id)
    settle_shares(
        [Touched(held, value_date, act_id)], {held.loan_id: after}, booking_date=business_date
    )
    _follow(held, before, after, business_date)
    moved = ShareMoved(
        row.pk,
        held.code,
        funder,
        abs(change_ppm),
        value_date,
        held.currency,
        par,
        price_minor,
    )
    return asdict(moved) | {"value_date": value_date.isoformat()}


def _holder(held: LoanPosition, funder: str) -> int:
    holder_id = Party.objects.filter(code=funder).values_list("id", flat=True).first()
    if holder_id is None or holder_id in (held.supplier_id, _lender(held)):
        raise NotAFunderOfTheLoan(funder, held.code)
    return int(holder_id)


def _lender(held: LoanPosition) -> int:
    return Book.objects.values_list("funder_id", flat=True).get(pk=held.book_id)


def _refuse_day(held: LoanPosition, value_date: date, business_date: date) -> None:
    if value_date > business_date:
        raise EventInFuture(code=held.code, value_date=value_date, booking_date=business_date)
    assert held.disbursed_date is not None
    first_date = held.disbursed_date + timedelta(days=1)
    if value_date < first_date:
        raise TransferBeforePayout(held.code, value_date, first_date=first_date)


def _follow(
    held: LoanPosition, before: Sequence[Transfer], after: Sequence[Transfer], booking_date: date
) -> None:
    """Participations and funding lines follow the transfers."""
    _tell_participations(held, after, booking_date)
    assert held.position is not None
    principal_minor = held.position.principal_minor
    lines = lines_moved(
        [
            PrincipalMoved(
                held.facility_id,
                principal_minor,
                shares_after(before),
                principal_minor,
                shares_after(after),
            )
        ]
    )
    change_drawn({}, lines)
    _refuse_above_limit(lines)


def _refuse_above_limit(lines: Mapping[int, int]) -> None:
    grown = [line_id for line_id, minor in lines.items() if minor > 0]
    for line in FundingLine.objects.filter(pk__in=grown).select_related("funder"):
        if line.drawn_minor > line.limit_minor:
            raise FundingLineTooSmall(line)


def _tell_participations(
    held: LoanPosition, transfers: Sequence[Transfer], booking_date: date
) -> None:
    """Supersede the rows that no longer hold, and add those that hold now."""
    start = Loan.objects.values_list("drawn_date", flat=True).get(pk=held.loan_id)
    now = participations(transfers, lender_id=_lender(held), start=start)
    wanted = set(now)
    for row in Participation.objects.filter(loan=held.loan_id, superseded_date=None):
        told = (row.funder_id, row.share_ppm, row.from_date, row.to_date)
        if told in wanted:
            wanted.discard(told)
        else:
            Participation.objects.filter(pk=row.pk).update(superseded_date=booking_date)
    Participation.objects.bulk_create(
        Participation(
            loan_id=held.loan_id,
            funder_id=each.holder_id,
            share_ppm=each.share_ppm,
            from_date=each.from_date,
            to_date=each.to_date,
        )
        for each in now
        if each in wanted
    )
