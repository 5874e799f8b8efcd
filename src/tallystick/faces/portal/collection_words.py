"""What the codes of collections are called in the language of the page; ``words`` takes them."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Label = str | Promise

GROUPS: Mapping[str, Mapping[str, Label]] = {
    "dunning_letter": {
        "reminder": _("Reminder"),
        "second_reminder": _("Second reminder"),
        "demand": _("Demand for payment"),
        "final_notice": _("Final notice"),
        "hand_over": _("Handed over to a person"),
    },
    "dunning_channel": {
        "mail": _("by e-mail"),
        "webhook": _("by another system"),
        "task": _("a person's task"),
    },
    "letter_state": {
        "waiting": _("Waits to be sent"),
        "sent": _("Sent"),
        "withdrawn": _("Withdrawn: the case ended first"),
        "dead": _("Could not be sent"),
    },
    "promise": {
        "running": _("Promised"),
        "kept": _("Promise kept"),
        "broken": _("Promise broken"),
    },
    "case_end": {
        "": pgettext_lazy("collection case", "Open"),
        "cured": _("Nothing is past due any more"),
        "written_off": _("Written off"),
    },
}

ACTS: Mapping[str, Label] = {
    "apply_to_loan": _("Unapplied cash applied to a loan"),
    "assign_case": _("Case assigned"),
    "close_collections": _("Close of day: late payers followed up"),
    "note_case": _("Note kept in a case"),
    "pause_case": _("Letters held back"),
    "promise_to_pay": _("Payment promised"),
    "receive_for_loan": _("Receipt for a loan taken"),
    "send_letter_again": _("Letter sent again"),
    "set_collection_account": _("Account for payments set"),
    "set_correspondence": _("Language and address of a firm set"),
    "set_dunning_ladder": _("Dunning ladder set"),
}

WORK_ITEMS: Mapping[str, Label] = {
    "dunning_task": _("Late payer to be called"),
    "dunning_undeliverable": _("Letter could not be sent"),
}

ITEM_DETAILS: Mapping[str, Label] = {"firm": _("Firm"), "step": _("Step")}

REMEDIES: Mapping[str, Label] = {
    "dunning_task": _("Call or visit the firm, note what was said in its case, and close this."),
    "dunning_undeliverable": _(
        "Say how the firm is written to, or add a user of the firm, then send the letter again "
        "from its case."
    ),
}

LOOKS: Mapping[str, Mapping[str, str]] = {
    "letter_state": {"waiting": "warn", "sent": "good", "withdrawn": "info", "dead": "bad"},
    "promise": {"running": "warn", "kept": "good", "broken": "bad"},
    "case_end": {"": "warn", "cured": "good", "written_off": "bad"},
}
