"""What the codes of shares of loans are called in the page's language; ``words`` takes them."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Label = str | Promise

LEDGER_EVENTS: Mapping[str, Label] = {
    "share_sold": _("Share of a loan sold"),
    "share_bought_back": _("Share of a loan bought back"),
    "share_passed_on": _("Passed on to holders of shares"),
    "share_transfer_reversed": _("Transfer of a share taken back"),
    "interest_shared": _("Interest of holders of shares"),
    "penalty_shared": _("Penalty interest of holders of shares"),
    "fees_shared": _("Fees of holders of shares"),
    "funder_paid_in": _("Paid by a funder"),
    "paid_to_funder": _("Paid to a funder"),
}

ACCOUNTS: Mapping[str, Label] = {
    "principal_sold": _("Loans: principal sold"),
    "interest_sold": _("Loans: interest sold"),
    "penalty_sold": _("Loans: penalty interest sold"),
    "fees_sold": _("Loans: fees sold"),
    "payable_to_funder": _("Payable to funders"),
    "share_sale_gain": _("Gain or loss on shares sold"),
}

ACTS: Mapping[str, Label] = {
    "sell_share": _("Share of a loan sold"),
    "buy_back_share": _("Share of a loan bought back"),
    "reverse_transfer": _("Transfer of a share taken back"),
    "pay_funder": _("Payment to a funder ordered"),
    "register_funder": _("Funder registered"),
    "take_from_funder": _("Money of a funder taken"),
}
