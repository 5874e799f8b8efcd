"""Documents as partners get them wrong, or take them back."""

from datetime import date, timedelta
from random import Random

from tallystick.rules.trade_documents import STAGE_OF, TradeDocument

DAY = timedelta(days=1)


def corrected(document: TradeDocument, chance: Random) -> TradeDocument:
    """The same number with other content, as a sender does that knows no cancellations."""
    other_minor = max(1, document.amount_minor * chance.choice((50, 90, 99, 101, 120)) // 100)
    wrongs = [
        document._replace(amount_minor=other_minor + (other_minor == document.amount_minor)),
        document._replace(issue_date=document.issue_date - DAY),
    ]
    if document.kind in STAGE_OF:
        # The due date is no part of the fingerprint, and a change of it is no repeat all the same.
        wrongs.append(document._replace(due_date=document.due_date + 7 * DAY))
    return chance.choice(wrongs)


def garbled(document: TradeDocument, chance: Random) -> TradeDocument:
    """Something that no platform may take."""
    wrong = document._replace(number=f"{document.number}-BAD")
    return chance.choice(
        (
            wrong._replace(amount_minor=0),
            wrong._replace(amount_minor=-document.amount_minor),
            wrong._replace(amount_minor=2**63),
            wrong._replace(currency="RMB"),
            wrong._replace(obligor=document.supplier),
            wrong._replace(due_date=document.issue_date - DAY),
            wrong._replace(number=f"{document.number}\x00"),
            wrong._replace(number=""),
            wrong._replace(kind="proforma"),
            wrong._replace(fulfils_kind="statement", fulfils_number=""),
        )
    )


def cancelled(document: TradeDocument, on: date, chance: Random) -> TradeDocument:
    """A cancellation of a part of it, of all, or of more than there was."""
    percent = chance.choice((5, 20, 50, 100, 120))
    return TradeDocument(
        kind="cancellation",
        issuer=document.issuer,
        supplier=document.supplier,
        obligor=document.obligor,
        number=f"CX-{document.number}",
        issue_date=on,
        currency=document.currency,
        amount_minor=max(1, document.amount_minor * percent // 100),
        fulfils_kind=document.kind,
        fulfils_number=document.number,
    )


def promotion(
    statement: TradeDocument, amount_minor: int, on: date, chance: Random
) -> TradeDocument:
    """The supplier's credit note for what its payer has netted; it may not say of what."""
    named = chance.randrange(2)
    return TradeDocument(
        kind="credit_note",
        issuer=statement.supplier,
        supplier=statement.supplier,
        obligor=statement.obligor,
        number=f"PROMO-{statement.number}",
        issue_date=on,
        currency=statement.currency,
        amount_minor=amount_minor,
        fulfils_kind="statement" if named else "",
        fulfils_number=statement.number if named else "",
    )
