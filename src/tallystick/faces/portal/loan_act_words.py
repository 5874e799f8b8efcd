"""What acts on loans, and proposals of them, are called; ``words`` takes them."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Label = str | Promise

GROUPS: Mapping[str, Mapping[str, Label]] = {
    "proposal_kind": {
        "extension": _("Extension"),
        "due_move": _("Move of the due date"),
        "re_aging": _("Planning anew"),
        "interest_pause": _("Interest pause"),
        "rate_change": _("Rate change"),
        "waiver": _("Waiver"),
        "restructuring": _("Restructuring"),
        "charge_off": _("Charge-off"),
        "share_sale": _("Sale of a share"),
        "share_buy_back": _("Buy-back of a share"),
        "share_reversal": _("Reversal of a share's transfer"),
        "event_reversal": _("Reversal of an event"),
        "charge_back": _("Chargeback"),
        "refund": _("Refund"),
        "manual_journal": _("Manual journal"),
        "fact": _("Fact"),
        "fact_end": _("End of a fact"),
    },
    "proposal_state": {
        "waiting": _("Waits for an approver"),
        "approved": _("Approved"),
        "rejected": _("Rejected"),
        "withdrawn": _("Withdrawn"),
    },
}

ACTS: Mapping[str, Label] = {
    "approve_proposal": _("Proposal approved"),
    "reject_proposal": _("Proposal rejected"),
    "propose_charge_back": _("Chargeback proposed"),
    "propose_charge_off": _("Charge-off proposed"),
    "propose_due_move": _("Move of a due date proposed"),
    "propose_event_reversal": _("Reversal of an event proposed"),
    "propose_extension": _("Extension proposed"),
    "propose_interest_pause": _("Interest pause proposed"),
    "propose_rate_change": _("Rate change proposed"),
    "propose_re_aging": _("Planning anew proposed"),
    "propose_share_sale": _("Sale of a share proposed"),
    "propose_share_buy_back": _("Buy-back of a share proposed"),
    "propose_share_reversal": _("Reversal of a share's transfer proposed"),
    "propose_refund": _("Refund proposed"),
    "propose_restructuring": _("Restructuring proposed"),
    "propose_waiver": _("Waiver proposed"),
    "withdraw_proposal": _("Proposal withdrawn"),
}

CHARGES: Mapping[str, Label] = {
    "fees": _("Fees"),
    "penalty": _("Penalty interest"),
    "interest": _("Interest"),
}
