"""Take an event of a loan back that was recorded in error, as if it had never been."""

from datetime import date

from tallystick.book.acts.once import Caller, once
from tallystick.book.acts.reasons import refuse_unreasoned
from tallystick.book.financing.models import PAID_OUT
from tallystick.book.ledger.models import Entry
from tallystick.book.ledger.post import journal_entry, post
from tallystick.book.ledger.post import reverse as reverse_entry
from tallystick.book.parties.business_date import open_day
from tallystick.book.servicing.changes import NewLoanEvent
from tallystick.book.servicing.live_loan import legal_entity_of, locked_loan
from tallystick.book.servicing.models import LoanEvent
from tallystick.book.servicing.one_loan import booking_of, record_one
from tallystick.book.servicing.positions import LoanPosition
from tallystick.rules.accounting import ACCOUNT_OF
from tallystick.rules.journal import Posting, Side
from tallystick.rules.loan_events import RECEIPTS, EventKind
from tallystick.rules.refusal import Refusal

_ENTRY_OF = {EventKind.FEE_CHARGED: "fee_charged", EventKind.CHARGED_BACK: "charged_back"}
"""Events whose own entry moves more than between a loan's accounts: it is reversed with them."""

_OTHERWISE = {
    **dict.fromkeys(RECEIPTS, "take its receipt back"),
    EventKind.RECOVERED: "take its receipt back",
    EventKind.DISBURSED: "the bank has paid, and what comes back is a repayment",
    EventKind.REVERSED: "record what was taken back in error anew, with its old value date",
}
"""Events that are not taken back by themselves, and what to do instead."""

_KIND_OF = {account: kind for kind, account in ACCOUNT_OF.items()} | {"supplier_credit": "credit"}


class NotReversible(Refusal):
    """The loan has no such event, or it cannot be taken back by itself, or it was already."""

    def __init__(self, loan: str, event_id: int, fault: str, remedy: str) -> None:
        self.loan = loan
        self.event_id = event_id
        super().__init__(f"Event {event_id} of loan {loan} {fault}: {remedy}.")


def reverse_event(loan: str, event_id: int, *, caller: Caller, key: str) -> None:
    """Take back an event of ``loan`` (its code) in the open business day.

    The loan is refolded as if the event had never been, and the ledger gets the difference.
    ``caller.reason`` says why. Repeating ``key`` changes nothing.

    Raises ReasonMissing, NotReversible, NotALiveLoan, KeyConflict, and what the loan's events
    then contradict (``rules.loan_events``, ``rules.loan_steps``).
    """
    refuse_unreasoned(caller, "take an event back")
    legal_entity_id = legal_entity_of(loan)
    request = {"loan": loan, "event_id": event_id, "reason": caller.reason}
    with once(caller, key=key, kind="reverse_event", request=request) as act:
        if act.earlier is None:
            business_date = open_day(legal_entity_id)
            held = locked_loan(loan, legal_entity_id, statuses=PAID_OUT)
            event = _reversible(loan, held.loan_id, event_id)
            booked = take_entry_back(event, held, business_date, act.act_id)
            record_one(
                NewLoanEvent(
                    loan_id=held.loan_id,
                    kind=EventKind.REVERSED,
                    value_date=event.value_date,
                    reference=f"reversal:{event_id}",
                    act_id=act.act_id,
                    reverses=event_id,
                    booked=booked,
                ),
                business_date,
            )
            act.answer({})


def reversible_events(loan_id: int) -> list[LoanEvent]:
    """The events of a loan that can be taken back by themselves, the latest first."""
    events = LoanEvent.objects.filter(loan=loan_id).exclude(kind__in=list(_OTHERWISE))
    return list(events.filter(loanevent=None).order_by("-id"))


def _reversible(loan: str, loan_id: int, event_id: int) -> LoanEvent:
    event = LoanEvent.objects.filter(pk=event_id, loan=loan_id).first()
    if event is None:
        raise NotReversible(loan, event_id, "does not exist", "name one of its events")
    kind = EventKind(event.kind)
    if kind in _OTHERWISE:
        raise NotReversible(
            loan, event_id, f"({kind}) is not taken back by itself", _OTHERWISE[kind]
        )
    if LoanEvent.objects.filter(reverses=event_id).exists():
        raise NotReversible(
            loan, event_id, "was taken back already", "should it stand after all, record it anew"
        )
    return event


def take_entry_back(
    event: LoanEvent, held: LoanPosition, booking_date: date, act_id: int
) -> dict[str, int]:
    """Take back the event's own entry, where it has one to; what that credits, by account.

    The loan may be in another book by now: then what the entry moved comes back there.
    """
    name = _ENTRY_OF.get(EventKind(event.kind))
    if name is None:
        return {}
    entry_id = Entry.objects.values_list("id", flat=True).get(
        act=event.act_id,
        event=name,
        reference=f"loan:{held.code}",
        value_date=event.value_date,
    )
    entry = journal_entry(entry_id)
    if all(posting.account.book in (None, held.book_id) for posting in entry.postings):
        reverse_entry(entry_id, event="event_reversed", booking_date=booking_date, act_id=act_id)
    else:
        post(
            booking_of(held, event.value_date, booking_date).entry(
                "event_reversed",
                *(
                    Posting(
                        posting.account._replace(book=posting.account.book and held.book_id),
                        Side(-posting.side),
                        posting.amount_minor,
                    )
                    for posting in entry.postings
                ),
            ),
            act_id=act_id,
        )
    if name == "fee_charged":
        return {}
    return {
        _KIND_OF[posting.account.name]: posting.side * posting.amount_minor
        for posting in entry.postings
        if posting.account.name in _KIND_OF
    }
