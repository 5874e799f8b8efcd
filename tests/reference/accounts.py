"""Reference cases of accounting: allocation, stated balances, postings out of ordered sources."""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from outcome import (
    PASSED,
    Case,
    MalformedCaseError,
    Outcome,
    all_of,
    day,
    decimal,
    differs,
    failed,
    field,
    number,
    unsupported,
    whole,
)

from tallystick.rules.balances import (
    Disagreement,
    Movement,
    OpeningBalance,
    disagreements_after_movements,
    disagreements_at_start_of_day,
)
from tallystick.rules.money import allocate
from tallystick.rules.waterfall import Bucket, Claim, pay

WORLD = "world"
"""The account of everything outside, which never runs dry."""

_AMOUNT = re.compile(r"(?P<before>[^\d\s.+-]*)\s*(?P<number>[+-]?[\d,]*\.?\d+)\s*(?P<after>\S*)")

Postings = list[list[Any]]


def allocation_case(case: Case) -> Outcome:
    """Smallest units split by weights; our rule is the largest remainder."""
    inputs, expected = field(case, "inputs"), field(case, "expected")
    if "amount" in inputs:
        return unsupported("allocation among the tranches of a securitisation")
    weights = [number(weight) for weight in field(inputs, "weights")]
    shares = allocate(whole(field(inputs, "total_units")), weights)
    wanted = expected.get("largest_remainder_variant") or field(expected, "shares")
    return all_of([differs("shares", shares, [whole(share) for share in wanted])])


def balance_assertion_case(case: Case) -> Outcome:
    """Postings that state the running balance of their account, compared exactly."""
    movements = []
    for transaction in field(field(case, "inputs"), "transactions"):
        for posting in field(transaction, "postings"):
            stated = posting.get("asserted_balance")
            if posting.get("amount") is None:
                return unsupported("a posting without amount: amounts are never inferred here")
            if str(stated).startswith(("=", "*")):
                return unsupported(f"assertion {stated!r} over currencies or accounts below")
            amount, currency = _amount(posting["amount"])
            balance, stated_currency = (None, currency) if stated is None else _amount(stated)
            on, account = day(field(transaction, "date")), field(posting, "account")
            if stated_currency == currency:
                movements.append(Movement(on, account, currency, amount, balance))
            else:
                movements.append(Movement(on, account, currency, amount))
                movements.append(Movement(on, account, stated_currency, Decimal(0), balance))
    # The source says how much is missing, which is stated less actual.
    found = disagreements_after_movements(movements)
    return _stated_balances(case, found, sign=-1)


def balance_check_case(case: Case) -> Outcome:
    """Balances stated for the start of a day, with the tolerance that their decimals imply."""
    inputs = field(case, "inputs")
    movements = [
        Movement(day(on), account, currency, amount)
        for on, account, text in field(inputs, "postings")
        for amount, currency in [_amount(text)]
    ]
    checks = inputs["checks"] if "checks" in inputs else [field(inputs, "check")]
    stated = [_opening_balance(*check) for check in checks]
    return _stated_balances(case, disagreements_at_start_of_day(movements, stated), sign=1)


def posting_case(case: Case) -> Outcome:
    """Amounts taken from sources in order, all or nothing, and given to destinations."""
    inputs, expected = field(case, "inputs"), field(field(case, "expected"), "postings")
    balances = {account: whole(balance) for account, balance in inputs.get("balances", {}).items()}
    expects_refusal = isinstance(expected, str)
    try:
        postings = [
            posting
            for operation in field(inputs, "operations")
            for posting in _posted(operation, balances)
        ]
    except InsufficientFundsError as refusal:
        return PASSED if expects_refusal else failed(str(refusal))
    except NotOurRuleError as rule:
        return unsupported(str(rule))
    if expects_refusal:
        return failed(f"posted {postings}, expected: {expected}")
    wanted = [[source, to, whole(amount)] for source, to, amount in expected if whole(amount)]
    return all_of([differs("postings", postings, wanted)])


class InsufficientFundsError(Exception):
    """The sources together hold less than is to be sent."""


class NotOurRuleError(Exception):
    """The case is written in terms, or by a rule, that the product does not have."""


def _posted(operation: Case, balances: dict[str, int]) -> Postings:
    """The postings of one operation; ``balances`` moves along."""
    unknown = set(operation) - {
        *("send", "asset", "sources_in_order", "sources", "source"),
        *("destination", "destinations", "destinations_in_order"),
    }
    if unknown:
        raise NotOurRuleError(f"operation with {', '.join(sorted(unknown))}")
    sources = _legs(operation, "sources_in_order", "sources", "source")
    destinations = _legs(operation, "destinations_in_order", "destinations", "destination")
    send = field(operation, "send")
    amount = None if send in ("all", "*") else whole(send)

    taken = _taken(amount, sources, balances)
    given = _given(sum(units for _, units in taken), destinations)
    postings: Postings = []
    # Money is taken and given in order; a posting is what one source gives one destination.
    pending = list(given)
    for source, units in taken:
        while units and pending:
            to, wanted = pending[0]
            moved = min(units, wanted)
            units -= moved
            pending[0] = (to, wanted - moved)
            if wanted == moved:
                pending.pop(0)
            if to is not None and moved:
                postings.append([source, to, moved])
                balances[source] = balances.get(source, 0) - moved
                balances[to] = balances.get(to, 0) + moved
    return postings


@dataclass(frozen=True, slots=True)
class Leg:
    """A source or destination: an account (None for money that stays), perhaps a cap or portion."""

    account: str | None
    cap: int | None = None
    portion: Fraction | None = None
    takes_rest: bool = False


def _legs(operation: Case, *names: str) -> list[Leg]:
    written = [operation[name] for name in names if name in operation]
    if len(written) != 1:
        raise MalformedCaseError(f"one of {', '.join(names)} is needed")
    legs = written[0] if isinstance(written[0], list) else [written[0]]
    return [_leg(leg) for leg in legs]


def _leg(leg: Any) -> Leg:
    if isinstance(leg, str):
        return Leg(leg)
    if isinstance(leg, list) and len(leg) == 2:
        account, limit = leg
        is_portion = isinstance(limit, str) and ("%" in limit or "/" in limit)
        return _leg({"account": account, ("portion" if is_portion else "max"): limit})
    if not isinstance(leg, dict) or set(leg) - {"account", "max", "cap", "portion", "kept"}:
        raise NotOurRuleError(f"source or destination {leg!r}")
    limit = leg.get("max", leg.get("cap"))
    portion = leg.get("portion")
    return Leg(
        account=None if leg.get("kept") else field(leg, "account"),
        cap=None if limit is None else whole(limit),
        portion=None if portion in (None, "remaining") else number(portion),
        takes_rest=portion == "remaining",
    )


def _taken(
    amount: int | None, sources: list[Leg], balances: dict[str, int]
) -> list[tuple[str, int]]:
    """Units taken from each source, down a waterfall of what each can give."""
    if any(leg.portion is not None or leg.takes_rest for leg in sources):
        if amount is None:
            raise NotOurRuleError("portions of everything there is")
        return [
            taken
            for leg, units in zip(sources, _portions(amount, sources), strict=True)
            for taken in _taken(units, [Leg(leg.account, leg.cap)], balances)
        ]
    available = {}
    for leg in sources:
        if leg.account == WORLD and amount is None and leg.cap is None:
            raise NotOurRuleError(f"everything that {WORLD} has")
        outside = leg.cap if amount is None else amount
        held = outside if leg.account == WORLD else max(balances.get(str(leg.account), 0), 0)
        available[str(leg.account)] = held or 0
    wanted = sum(available.values()) if amount is None else amount
    buckets = [
        Bucket(
            str(leg.account),
            [Claim(str(leg.account), available[str(leg.account)])],
            cap_minor=leg.cap,
        )
        for leg in sources
    ]
    payout = pay(wanted, buckets)
    if payout.rest_minor and amount is not None:
        raise InsufficientFundsError(f"{payout.rest_minor} of {amount} units are missing")
    return [(paid.claim_id, paid.amount_minor) for paid in payout.paid]


def _given(units: int, destinations: list[Leg]) -> list[tuple[str | None, int]]:
    """Units for each destination: portions of the whole, or caps in order and the rest."""
    if any(leg.portion is not None for leg in destinations):
        shares = _portions(units, destinations)
        return [(leg.account, share) for leg, share in zip(destinations, shares, strict=True)]
    given: list[tuple[str | None, int]] = []
    for leg in destinations:
        payout = pay(units, [Bucket("destination", [Claim("destination", units)], leg.cap)])
        given.append((leg.account, units - payout.rest_minor))
        units = payout.rest_minor
    if units:
        raise NotOurRuleError("destinations that do not take everything")
    return given


def _portions(units: int, legs: list[Leg]) -> list[int]:
    """Our split of ``units``, where giving left-over units to the first would split it equally."""
    stated = sum((leg.portion or Fraction(0) for leg in legs), start=Fraction(0))
    weights = [1 - stated if leg.takes_rest else leg.portion or Fraction(0) for leg in legs]
    if stated > 1 or sum(weights) != 1:
        raise MalformedCaseError("portions do not sum to one")
    ours = allocate(units, weights)
    first = [units * weight.numerator // weight.denominator for weight in weights]
    for index in range(units - sum(first)):
        first[index] += 1
    if ours != first:
        raise NotOurRuleError(
            f"left-over units to the first gives {first}, largest remainder {ours}"
        )
    return ours


def _stated_balances(case: Case, found: list[Disagreement], *, sign: int) -> Outcome:
    expected = dict(field(case, "expected"))
    result, _, stated_difference = str(expected.pop("result", "")).partition(", difference ")
    difference = expected.pop("difference", stated_difference or None)
    if result not in ("pass", "fail"):
        raise MalformedCaseError(f"result {result!r} is neither pass nor fail")
    faults = [differs("result", "fail" if found else "pass", result)]
    if difference is not None and found:
        units, currency = _amount(difference)
        faults.append(differs("difference", sign * found[0].difference, units))
        if currency:
            faults.append(differs("currency", found[0].currency, currency))
    outcome = all_of(faults)
    if outcome == PASSED and expected:
        return unsupported(f"expectation of {', '.join(expected)}")
    return outcome


def _opening_balance(on: str, account: str, text: str, *given: Any) -> OpeningBalance:
    """A check; its tolerance is written, or one unit of the last decimal written."""
    text, _, tilde = str(text).partition("~")
    if tilde:
        tolerance, currency = _amount(tilde)
        balance, _ = _amount(text)
    else:
        balance, currency = _amount(text)
        digits = text.partition(".")[2]
        decimals = len(re.match(r"\d*", digits)[0])
        tolerance = Decimal(1).scaleb(-decimals) if decimals else Decimal(0)
    if given:
        tolerance = _amount(given[0])[0]
    return OpeningBalance(day(on), account, currency, balance, tolerance)


def _amount(text: Any) -> tuple[Decimal, str]:
    """An amount and its currency, written before or after it, or not at all."""
    written = str(text).strip()
    negative = written.startswith("-") and not written[1:2].isdigit() and written[1:2] != "."
    match = _AMOUNT.fullmatch(written[1:].strip() if negative else written)
    if match is None or (match["before"] and match["after"]):
        raise MalformedCaseError(f"{text!r} is not an amount")
    units = decimal(match["number"].replace(",", ""))
    return -units if negative else units, match["before"] or match["after"]
