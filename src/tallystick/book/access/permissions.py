"""What each role may do: one table, asked by every face."""

from collections.abc import Mapping
from enum import StrEnum

from tallystick.book.parties.models import Role
from tallystick.rules.refusal import Refusal


class May(StrEnum):
    """What somebody may do. ``SEE_HOUSE`` is to look at everything of the house."""

    SEE_OWN = "see own firm"
    SEE_HOUSE = "see the house"
    SEE_AUDIT = "see the audit trail"
    DRAW = "draw"
    REPAY = "repay"
    DISPUTE = "dispute"
    SEND_DOCUMENTS = "send documents"
    TAKE_RECEIPTS = "take receipts"
    HEAR_BANK = "hear the bank"
    WORK = "work on items"
    COLLECT = "collect what is overdue"
    PROPOSE_RELIEF = "propose what is given up, put off or taken back on a loan"
    WITHDRAW = "withdraw a proposal of one's own"
    DECIDE_RELIEF = "decide on what is given up, put off or taken back"
    SERVICE_LOANS = "charge fees on loans"
    PROMISE = "promise to pay"
    PROPOSE_FACT = "propose a fact"
    DECIDE_FACT = "decide on a fact"
    FREEZE = "freeze"
    CHANGE_TERMS = "change terms and limits"
    MOVE_CASH = "apply cash, propose refunds and chargebacks"
    PROPOSE_JOURNAL = "propose a journal"
    DECIDE_JOURNAL = "decide a journal"
    CLOSE_DAY = "close the day"
    VERIFY = "verify the books"
    MANAGE_USERS = "manage users"
    MANAGE_CLIENTS = "manage machine clients and webhooks"


_OF_STAFF = frozenset({May.SEE_HOUSE, May.VERIFY})

GRANTED: Mapping[Role, frozenset[May]] = {
    Role.SUPPLIER: frozenset({May.SEE_OWN, May.DRAW, May.REPAY, May.DISPUTE, May.PROMISE}),
    Role.OPERATOR: _OF_STAFF
    | {
        May.SEND_DOCUMENTS,
        May.TAKE_RECEIPTS,
        May.HEAR_BANK,
        May.WORK,
        May.COLLECT,
        May.PROPOSE_RELIEF,
        May.WITHDRAW,
        May.SERVICE_LOANS,
        May.DISPUTE,
        May.PROPOSE_FACT,
        May.FREEZE,
        May.CLOSE_DAY,
        May.PROPOSE_JOURNAL,
        May.MANAGE_USERS,
        May.MANAGE_CLIENTS,
    },
    Role.RISK_OFFICER: _OF_STAFF
    | {
        May.PROPOSE_FACT,
        May.PROPOSE_RELIEF,
        May.WITHDRAW,
        May.SERVICE_LOANS,
        May.FREEZE,
        May.CHANGE_TERMS,
        May.WORK,
        May.COLLECT,
        May.DISPUTE,
    },
    Role.APPROVER: _OF_STAFF
    | {May.DECIDE_JOURNAL, May.DECIDE_RELIEF, May.DECIDE_FACT, May.SEE_AUDIT},
    Role.TREASURY: _OF_STAFF
    | {
        May.TAKE_RECEIPTS,
        May.HEAR_BANK,
        May.MOVE_CASH,
        May.WITHDRAW,
        May.WORK,
        May.PROPOSE_JOURNAL,
    },
    Role.AUDITOR: _OF_STAFF | {May.SEE_AUDIT},
    Role.MACHINE: frozenset(
        {
            May.SEE_OWN,
            May.SEE_HOUSE,
            May.DRAW,
            May.REPAY,
            May.DISPUTE,
            May.SEND_DOCUMENTS,
            May.TAKE_RECEIPTS,
            May.HEAR_BANK,
            May.COLLECT,
            May.PROPOSE_RELIEF,
            May.DECIDE_RELIEF,
        }
    ),
}
"""By role; a machine client has of its role's only what its scopes name."""


class NotAllowed(Refusal):
    """The role does not permit the act."""

    def __init__(self, act: May, *, role: Role) -> None:
        self.act = act
        self.role = role
        super().__init__(
            f"The role {Role(role).label} does not permit to {act}. "
            "Ask somebody who has it, or an operator to change the role."
        )
