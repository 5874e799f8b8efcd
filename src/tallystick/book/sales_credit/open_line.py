"""Open a line out of sales: the limit is decided by rule, from what was settled to the merchant."""

from dataclasses import dataclass
from datetime import date, timedelta

from tallystick.book.acts.once import Caller, once
from tallystick.book.financing.models import ProgrammeLimit
from tallystick.book.financing.open_facility import MAX_DAYS_OPEN, NORMAL
from tallystick.book.financing.programmes import stored
from tallystick.book.funding.models import FundingLine
from tallystick.book.ledger.models import Book
from tallystick.book.parties.business_date import open_day
from tallystick.book.parties.models import LegalEntity, Party
from tallystick.book.sales_credit.lines import line_called, lock_lines, settled_sales, terms_of_line
from tallystick.book.sales_credit.models import (
    MAX_LINE_CODE_LENGTH,
    DecisionKind,
    SalesDecision,
    SalesLine,
)
from tallystick.rules.refusal import Refusal
from tallystick.rules.sales_limits import RULES_VERSION, LimitInputs, decide_limit
from tallystick.rules.sales_limits import SalesDecision as Decided
from tallystick.rules.sales_programme import SalesProgrammeTerms


class SalesLineNotOpened(Refusal):
    """The line cannot be opened as asked."""

    def __init__(self, line: str, why: str) -> None:
        self.line = line
        super().__init__(f"Line {line[:80]!r} out of sales cannot be opened: {why}")


class SalesGiveNoLimit(Refusal):
    """The merchant's sales give no limit; every reason is in the message."""

    def __init__(self, line: str, decision: Decided) -> None:
        self.line = line
        self.decision = decision
        super().__init__(f"Limit of {line[:80]}: {' '.join(decision.reasons)}")


@dataclass(frozen=True, slots=True)
class NewSalesLine:
    """A line for ``merchant`` (a firm's code) under ``programme``; drawn until ``expiry_date``."""

    code: str
    merchant: str
    programme: SalesProgrammeTerms
    expiry_date: date


@dataclass(frozen=True, slots=True)
class LineLimit:
    """A line and the limit that was decided for it, in minor units of ``currency``."""

    line: str
    merchant: str
    programme: str
    currency: str
    limit_minor: int
    decided_date: date
    expiry_date: date

    def as_json(self) -> dict[str, object]:
        dates = {
            "decided_date": self.decided_date.isoformat(),
            "expiry_date": self.expiry_date.isoformat(),
        }
        fields = ("line", "merchant", "programme", "currency", "limit_minor")
        return {name: getattr(self, name) for name in fields} | dates

    @classmethod
    def from_json(cls, answer: dict[str, object]) -> "LineLimit":
        dates = {
            name: date.fromisoformat(str(answer[name])) for name in ("decided_date", "expiry_date")
        }
        return cls(**(answer | dates))  # type: ignore[arg-type]


def open_line(new: NewSalesLine, *, legal_entity_id: int, caller: Caller, key: str) -> LineLimit:
    """Open the line on the open business day, with the limit that the merchant's sales give.

    What was read and what each rule said is kept as a decision. The entity's own capital funds it;
    the programme's limit, the funding line and the book are made with the first line. Repeating
    ``key`` returns the first answer.

    Raises SalesLineNotOpened, SalesGiveNoLimit, KeyConflict; a refusal writes nothing.
    """
    request = {
        "legal_entity_id": legal_entity_id,
        "line": new.code,
        "merchant": new.merchant,
        "programme": new.programme.code,
        "expiry_date": new.expiry_date,
    }
    with once(caller, key=key, kind="open_sales_line", request=request) as act:
        if act.earlier is None:
            act.answer(_opened(new, legal_entity_id, act.act_id).as_json())
    return LineLimit.from_json(act.earlier or act.given or {})


def renew_limit(
    line: str, *, expiry_date: date | None = None, caller: Caller, key: str
) -> LineLimit:
    """Decide the limit of ``line`` (its code) again, from the sales of today.

    ``expiry_date``: the new last day on which it may be drawn; as before where None. What is drawn
    stays drawn. Repeating ``key`` returns the first answer.

    Raises UnknownSalesLine, SalesLineNotOpened, SalesGiveNoLimit, KeyConflict.
    """
    found = line_called(line)
    request = {"line": line, "expiry_date": expiry_date}
    with once(caller, key=key, kind="renew_sales_line", request=request) as act:
        if act.earlier is None:
            on = open_day(found.legal_entity_id)
            lock_lines(found.legal_entity_id, line_ids=[found.pk])
            _refuse_expiry(line, expiry_date or on, on)
            terms = terms_of_line(found)
            decision = _decided(line, terms, found.merchant_id, on=on)
            found.limit_minor = decision.amount_minor
            found.expiry_date = expiry_date or found.expiry_date
            found.save(update_fields=["limit_minor", "expiry_date"])
            _keep(found, decision, on=on, act_id=act.act_id)
            act.answer(_told(found, terms, on).as_json())
    return LineLimit.from_json(act.earlier or act.given or {})


def _opened(new: NewSalesLine, legal_entity_id: int, act_id: int) -> LineLimit:
    on = open_day(legal_entity_id)
    code, terms = new.code, new.programme
    if not 1 <= len(code) <= MAX_LINE_CODE_LENGTH or not code.isprintable():
        raise SalesLineNotOpened(
            code, f"give it a code of 1 to {MAX_LINE_CODE_LENGTH} printable characters."
        )
    if SalesLine.objects.filter(code=code).exists():
        raise SalesLineNotOpened(code, "the code is taken. Choose another.")
    merchant = Party.objects.filter(code=new.merchant).first()
    if merchant is None:
        raise SalesLineNotOpened(
            code,
            f"no firm {new.merchant[:80]!r} is known. Import its settlement statements first.",
        )
    _refuse_expiry(code, new.expiry_date, on)
    decision = _decided(code, terms, merchant.pk, on=on)
    entity = LegalEntity.objects.get(pk=legal_entity_id)
    above = {"legal_entity": entity, "programme": terms.code, "currency": terms.currency}
    most = {"limit_minor": terms.limit.programme_minor}
    programme_limit, _ = ProgrammeLimit.objects.get_or_create(**above, defaults=most)
    funding_line, _ = FundingLine.objects.get_or_create(
        **above, funder_id=entity.party_id, defaults=most
    )
    book, _ = Book.objects.get_or_create(**above, funder_id=entity.party_id, asset_class=NORMAL)
    line = SalesLine.objects.create(
        code=code,
        legal_entity=entity,
        merchant=merchant,
        programme=stored(terms),
        programme_limit=programme_limit,
        funding_line=funding_line,
        book=book,
        currency=terms.currency,
        limit_minor=decision.amount_minor,
        opened_date=on,
        expiry_date=new.expiry_date,
    )
    _keep(line, decision, on=on, act_id=act_id)
    return _told(line, terms, on)


def _refuse_expiry(line: str, expiry_date: date, on: date) -> None:
    last_possible = on + timedelta(days=MAX_DAYS_OPEN)
    if not on <= expiry_date <= last_possible:
        raise SalesLineNotOpened(
            line, f"it expires on {expiry_date}: give a day from {on} to {last_possible}."
        )


def limit_inputs(terms: SalesProgrammeTerms, merchant_id: int, *, on: date) -> LimitInputs:
    """What the limit of a merchant under a programme is decided by, on a day."""
    return LimitInputs(
        currency=terms.currency,
        sales=settled_sales(
            merchant_id, terms.currency, window_days=terms.limit.window_days, on=on
        ),
        limit_bps=terms.limit.limit_bps,
        min_history_days=terms.limit.min_history_days,
        per_merchant_minor=terms.limit.per_merchant_minor,
    )


def _decided(line: str, terms: SalesProgrammeTerms, merchant_id: int, *, on: date) -> Decided:
    decision = decide_limit(limit_inputs(terms, merchant_id, on=on))
    if not decision.granted:
        raise SalesGiveNoLimit(line, decision)
    return decision


def _keep(line: SalesLine, decision: Decided, *, on: date, act_id: int) -> None:
    SalesDecision.objects.create(
        line=line,
        kind=DecisionKind.LIMIT,
        date=on,
        amount_minor=decision.amount_minor,
        inputs=decision.inputs_as_json(),
        verdicts=decision.verdicts_as_json(),
        rule_version=RULES_VERSION,
        act_id=act_id,
    )


def _told(line: SalesLine, terms: SalesProgrammeTerms, on: date) -> LineLimit:
    return LineLimit(
        line=line.code,
        merchant=line.merchant.code,
        programme=terms.code,
        currency=line.currency,
        limit_minor=line.limit_minor,
        decided_date=on,
        expiry_date=line.expiry_date,
    )
