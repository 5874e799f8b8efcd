"""What people of the house, mostly, are refused, for readers of other languages than English.

A reader of English gets the book's own words, which know more than these do.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from tallystick.book.access.clients import ClientExists, ClientUnusable, UnknownClient
from tallystick.book.access.scopes import ScopeOfAPerson, ScopeOfTheHouse, UnknownScope
from tallystick.book.access.users import ActsOnOneself, RoleNeedsFirm
from tallystick.book.acts.once import KeyUnusable
from tallystick.book.collateral.assign import CoverWouldFallShort, NotAssignable
from tallystick.book.financing import freeze
from tallystick.book.financing.refusals import UnknownFacility
from tallystick.book.financing.set_limits import LimitImpossible, UnknownLimit
from tallystick.book.ledger import manual_journals
from tallystick.book.ledger.labels import NoSuchAccount
from tallystick.book.ledger.post import BookedOutsideOpenDays
from tallystick.book.ledger.prove import EntryNotSealed, SealBroken
from tallystick.book.parties.add_user import FirmMissing, NotAnAddress, UserExists, WeakPassword
from tallystick.book.parties.business_date import DayNotOpen
from tallystick.book.parties.entities import WhichEntity
from tallystick.book.parties.set_password import UnknownUser
from tallystick.book.patience import TookTooLong
from tallystick.book.payments.order_again import NotToBeOrderedAgain
from tallystick.book.servicing.apply_unapplied import NotUnapplied
from tallystick.book.servicing.close import EarlierDayNotClosed, TooManyDays
from tallystick.book.servicing.events import EventInFuture
from tallystick.book.servicing.loans import UnknownLoan
from tallystick.book.servicing.receipts import InvalidReceipt, ReceiptConflict, UnknownReceipt
from tallystick.book.servicing.refund import RefundAboveCredit
from tallystick.book.servicing.repay import NothingToRepay
from tallystick.book.servicing.reverse import ReceiptReversedAlready
from tallystick.book.trade import dispute
from tallystick.book.trade.explore import SupplierMissing
from tallystick.book.trade.pay_claims import NotPaidThatMuch
from tallystick.book.trade.reductions import UnknownClaim
from tallystick.book.watch.worklist import NoOpenItem, ResolutionMissing
from tallystick.book.webhooks.addresses import UnusableUrl
from tallystick.book.webhooks.deliveries import DeliveryNotEnded
from tallystick.book.webhooks.endpoints import (
    EndpointExists,
    EndpointUnusable,
    UnknownEndpoint,
    UnknownTopic,
)
from tallystick.faces.files.tables import TooManyRows
from tallystick.faces.portal import collection_refusals, loan_act_refusals
from tallystick.faces.portal.drawdown_words import Said, amount
from tallystick.faces.portal.paging import CursorUnusable
from tallystick.faces.portal.templatetags.figures import day
from tallystick.rules.chart import UnknownAccount
from tallystick.rules.journal import UnbalancedEntry
from tallystick.rules.money import FinerThanMinorUnit, NotAnAmount, UnknownCurrency
from tallystick.rules.refusal import Refusal

Label = str | Promise

EXACTLY: Mapping[type[Refusal], Callable[[Any], Said]] = {
    **collection_refusals.EXACT,
    **loan_act_refusals.EXACT,
    DayNotOpen: lambda refusal: Said(
        _now("A new business day has begun: it is now %(day)s.")
        % {"day": day(refusal.business_date)},
        _now("Look at the page again, then send it once more."),
    ),
    EarlierDayNotClosed: lambda refusal: Said(
        _now("%(asked)s cannot be closed before %(next)s.")
        % {"asked": day(refusal.asked_date), "next": day(refusal.next_date)},
        _now("Close the days up to it first."),
    ),
    EntryNotSealed: lambda refusal: Said(
        _now("Entry %(number)s cannot be proved yet.") % {"number": refusal.entry_id},
        _now("Close %(day)s, the day it was booked in, first.")
        % {"day": day(refusal.booking_date)},
    ),
    SealBroken: lambda refusal: Said(
        _now("The entries booked on %(day)s are not those that were sealed.")
        % {"day": day(refusal.day)},
        _now("Prove the books to see what differs, and have them restored from a backup."),
    ),
    RefundAboveCredit: lambda _refusal: Said(
        _now("That is not within the supplier's credit."),
        _now("Ask for an amount above zero and no more than the credit."),
    ),
    CoverWouldFallShort: lambda refusal: Said(
        _now("Without claim %(claim)s its pool would cover less than is drawn.")
        % {"claim": refusal.claim},
        _now("Repay a part first, or add claims to the pool."),
    ),
    NotPaidThatMuch: lambda refusal: Said(
        _now("Less was paid on claim %(claim)s on %(day)s than is to be taken back.")
        % {"claim": refusal.claim, "day": day(refusal.value_date)},
        _now("Take a payment back with its own value date and no more than its own amount."),
    ),
    FinerThanMinorUnit: lambda refusal: Said(
        _now("This has more decimals than the currency."),
        _now("Type it with %(digits)s decimals at most.") % {"digits": refusal.digits},
    ),
    NotAnAmount: lambda refusal: Said(
        _now("This is not an amount."),
        _now("Type the amount in digits, for example %(example)s; 万 and 亿 are understood.")
        % {"example": amount(123_456, refusal.currency)},
    ),
}
"""With what the refusal knows."""

_AGAIN = _("Look it up in its list, and choose one of those.")

BROADLY: Mapping[type[Refusal], tuple[Label, Label]] = {
    **collection_refusals.BROAD,
    **loan_act_refusals.BROAD,
    ClientExists: (_("A machine client has this code already."), _("Choose another code.")),
    UnknownClient: (_("There is no machine client of this code."), _AGAIN),
    ClientUnusable: (
        _("A machine client cannot be added like this."),
        _(
            "Its code is of small letters, digits, dots, dashes and underscores, a letter or "
            "digit first; its limit is above zero, and the day it expires lies ahead."
        ),
    ),
    UnknownScope: (_("There is no such permission."), _("Choose at least one of the list.")),
    ScopeOfTheHouse: (
        _("This permission is for the house's own clients."),
        _("Choose others for a firm's client."),
    ),
    ScopeOfAPerson: (
        _("This permission is for a client that speaks for a person."),
        _("Name the user for whom it proposes or decides."),
    ),
    ActsOnOneself: (_("This is who you are."), _("Ask another operator to do this for you.")),
    RoleNeedsFirm: (
        _("A supplier's user belongs to a firm, and nobody else's does."),
        _("Add another user for the other role."),
    ),
    KeyUnusable: (_("The form is not as it was sent to you."), _("Open the form anew.")),
    NotAssignable: (
        _("The claim cannot join this pool."),
        _(
            "Choose a pool of the same supplier, currency and legal entity; the claim has to be "
            "open."
        ),
    ),
    freeze.AlreadyFrozen: (
        _("The facility is frozen already."),
        _("Lift that freeze first, if another reason shall stand."),
    ),
    freeze.NotFrozen: (_("The facility is not frozen."), _("There is nothing to lift.")),
    freeze.ReasonMissing: (_("A reason is missing."), _("Say why, for those who read it later.")),
    UnknownFacility: (_("There is no facility of this code."), _AGAIN),
    LimitImpossible: (_("This cannot be a limit."), _("Type an amount of zero or above.")),
    UnknownLimit: (
        _("There is no such limit in this currency."),
        _("It is made with the first facility under the programme."),
    ),
    NoSuchAccount: (_("There is no such account."), _AGAIN),
    manual_journals.MemorandumMixed: (
        _("Accounts of drawdowns under way are booked against each other only."),
        _("Propose two entries: one with those accounts only, one without."),
    ),
    manual_journals.ReferenceUnusable: (
        _("This cannot be the reference of an entry."),
        _("Name the object it is about, such as loan:JBB-1-7."),
    ),
    BookedOutsideOpenDays: (
        _("Nothing can be booked in that day: it is sealed, or has not begun."),
        _("Book in the open business day; the value date may lie in the past."),
    ),
    FirmMissing: (
        _("There is no such firm."),
        _("Name the code of a firm whose documents were imported."),
    ),
    NotAnAddress: (_("This is not an e-mail address."), _("Type it as name@firm.example.")),
    UserExists: (_("There is a user of this address already."), _("Nothing was changed.")),
    WeakPassword: (
        _("This password could be guessed."),
        _(
            "At least 12 characters. Several words that belong to nothing are easier to remember "
            "and harder to guess."
        ),
    ),
    WhichEntity: (_("There is no such legal entity."), _AGAIN),
    UnknownUser: (_("There is no user of this address."), _AGAIN),
    TookTooLong: (
        _("This search reads too much of the book to be answered at once."),
        _("Narrow it down: name a supplier, a customer or a range of due dates."),
    ),
    NotToBeOrderedAgain: (
        _("This payment cannot be ordered again."),
        _(
            "A payment is ordered again when the bank has rejected it and it is still owed. For a "
            "loan's payout the supplier draws again; what the supplier owes us is met first."
        ),
    ),
    NotUnapplied: (
        _("The cash cannot be applied like this."),
        _(
            "Name claims of ours, each with an amount above zero and no more than is outstanding "
            "on it, together no more than the unapplied cash."
        ),
    ),
    TooManyDays: (
        _("These are too many days to close at once."),
        _("Check the year, or close through an earlier day first."),
    ),
    EventInFuture: (
        _("The value date lies after the open business day."),
        _("Record it when that day has come."),
    ),
    UnknownLoan: (_("There is no loan of this code."), _AGAIN),
    InvalidReceipt: (
        _("The receipt cannot be taken like this."),
        _(
            "It takes the bank's reference, the payer's code, an amount above zero, a value date "
            "not after the open business day, and lines above zero that come to no more than the "
            "cash."
        ),
    ),
    ReceiptConflict: (
        _("A receipt of this reference has been taken, with other content."),
        _("Correct the reference; or take the first one back and send this under another one."),
    ),
    UnknownReceipt: (_("There is no receipt of this reference."), _AGAIN),
    NothingToRepay: (_("There is nothing to repay."), _("Name a facility or a loan that is live.")),
    ReceiptReversedAlready: (
        _("This receipt has been taken back already."),
        _("Should it stand after all, take it anew under another reference."),
    ),
    dispute.ReasonMissing: (_("A reason is missing."), _("Say why, for those who read it later.")),
    SupplierMissing: (
        _("Why a claim is left out depends on the other claims of its supplier."),
        _("Name a supplier to look for a reason."),
    ),
    UnknownClaim: (
        _("There is no such claim."),
        _("A claim is named after its document, as ISSUER:kind:number."),
    ),
    NoOpenItem: (_("This item is closed, or is not there."), _AGAIN),
    ResolutionMissing: (_("Nothing was said of what was done."), _("Say it, then send it again.")),
    UnusableUrl: (
        _("Messages cannot be sent to this address."),
        _("Give a public address that begins with https:// and holds no login."),
    ),
    DeliveryNotEnded: (
        _("This message waits to be sent, or is not there."),
        _("Only what was given up is sent again."),
    ),
    EndpointExists: (_("An endpoint has this code already."), _("Choose another code.")),
    EndpointUnusable: (
        _("An endpoint cannot have this code."),
        _("Use small letters, digits, dots, dashes and underscores, a letter or digit first."),
    ),
    UnknownEndpoint: (_("There is no endpoint of this code in use."), _AGAIN),
    UnknownTopic: (_("There are no such messages."), _AGAIN),
    TooManyRows: (
        _("These are more rows than a sheet can hold."),
        _("Ask for a shorter period, or for CSV."),
    ),
    CursorUnusable: (
        _("The address names a place in the list that cannot be found."),
        _("Open the list from its first page."),
    ),
    UnknownAccount: (_("There is no such account."), _AGAIN),
    UnbalancedEntry: (
        _("Debits and credits must be equal, and every amount above zero."),
        _("Mend the lines, then send it again."),
    ),
    UnknownCurrency: (
        _("There is no such currency. Type its three letters."),
        _("For example CNY, USD or JPY."),
    ),
}
"""Why, and what to do, of refusals that keep what they know to themselves."""
