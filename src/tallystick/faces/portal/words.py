"""What the codes of the book are called, in the language of the page.

A code that has no word here is shown as it is, its underscores as spaces.
"""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tallystick.faces.portal import advance_words, collection_words, loan_act_words, share_words
from tallystick.rules.pool_terms import Terms

Label = str | Promise

WORDS: Mapping[str, Mapping[str, Label]] = {
    **collection_words.GROUPS,
    **loan_act_words.GROUPS,
    **advance_words.GROUPS,
    "reason": {
        "": _("Counted"),
        "closed": _("Paid or used up"),
        "disputed": _("Disputed"),
        "assigned_elsewhere": _("Secures another facility"),
        "past_due": _("Too long past due"),
        "tenor": _("Term too long"),
        "too_near": _("Due too soon"),
        "related": _("Customer related to you"),
        "cross_aged": _("Customer pays others late"),
        "unassigned": _("In no pool"),
        "awaits_predecessor": _("An earlier document is missing"),
    },
    "rate_reset": {
        "none": _("It stays for the life of a loan."),
        "monthly": _("A loan takes a new value every month."),
        "quarterly": _("A loan takes a new value every three months."),
        "anniversary": _("A loan takes a new value every year, counted from its draw."),
        "new_year": _("A loan takes a new value on 1 January."),
    },
    "stage": {
        "order": pgettext_lazy("stage of a claim", "Order"),
        "receipt": pgettext_lazy("stage of a claim", "Goods received"),
        "invoice": pgettext_lazy("stage of a claim", "Invoice"),
        "settlement": pgettext_lazy("stage of a claim", "Settlement"),
    },
    "claim_status": {
        "open": pgettext_lazy("claim", "Open"),
        "disputed": pgettext_lazy("claim", "Disputed"),
        "closed": pgettext_lazy("claim", "Closed"),
    },
    "document_kind": {
        "order": _("Purchase order"),
        "receipt": _("Goods receipt"),
        "invoice": _("Invoice"),
        "statement": _("Settlement statement"),
        "credit_note": _("Credit note"),
        "cancellation": _("Cancellation"),
    },
    "claim_event": {
        "opened": _("Claim opened"),
        "fulfilled": _("Taken over by a later document"),
        "cancelled": pgettext_lazy("claim", "Cancelled"),
        "paid": pgettext_lazy("claim", "Paid by the customer"),
        "payment_reversed": _("Payment taken back"),
        "diluted": _("Reduced by a credit note"),
        "moved": _("Payment or reduction moved along"),
        "disputed": _("Disputed"),
        "resolved": _("Dispute settled"),
    },
    "loan_status": {
        "pending": _("Payout under way"),
        "live": pgettext_lazy("loan", "Live"),
        "settled": pgettext_lazy("loan", "Repaid"),
        "charged_off": pgettext_lazy("loan", "Charged off"),
        "rejected": _("Payout rejected"),
    },
    "instalment": {
        "paid": pgettext_lazy("instalment", "Paid"),
        "late": pgettext_lazy("instalment", "Late"),
        "due": pgettext_lazy("instalment", "Due today"),
        "to_come": pgettext_lazy("instalment", "To come"),
    },
    "pace_state": {
        "open": _("Within its pace"),
        "kept": _("Within its pace"),
        "near_breach": _("May fall behind its pace"),
        "breached": _("Behind its pace"),
    },
    "loan_event": {
        "drawn": _("Drawn"),
        "disbursed": _("Paid out"),
        "received": _("Repayment received"),
        "remitted": _("Cash for this loan received"),
        "repaid": _("Repaid from own cash"),
        "reversed": _("Taken back"),
        "rate_changed": _("Rate changed"),
        "fee_charged": _("Fee charged"),
        "arrangement_fee": _("Arrangement fee"),
        "late_fee": _("Fee for a due date missed"),
        "restructured": _("Restructured"),
        "re_aged": _("Planned anew"),
        "extended": _("Extended"),
        "due_moved": _("Due date moved"),
        "interest_paused": _("Interest paused"),
        "charged_back": _("Payment charged back"),
        "waived": _("Waived"),
        "charged_off": _("Charged off"),
        "recovered": _("Recovered"),
    },
    "bucket": {
        "fees": _("Fees"),
        "penalty": _("Penalty interest"),
        "interest": _("Interest"),
        "principal": _("Principal"),
        "principal_due": _("Principal due"),
        "principal_not_due": _("Principal repaid early"),
        "residual": _("Paid out to you"),
        "credit": _("Kept as your credit"),
        "recovered": _("Owed back, now met"),
        "recovery": _("Recovered"),
        "fee": _("Fee of an advance"),
    },
    "bucket_of_house": {
        "fees": _("Fees"),
        "penalty": _("Penalty interest"),
        "interest": _("Interest"),
        "principal": _("Principal"),
        "principal_due": _("Principal due"),
        "principal_not_due": _("Principal repaid early"),
        "residual": _("Paid out to the supplier"),
        "credit": _("Kept as the supplier's credit"),
        "recovered": _("Met what the supplier owed"),
        "recovery": _("Recovered"),
        "fee": _("Fee of an advance"),
    },
    "payment_kind": {
        "payout": _("Payout of a loan or an advance"),
        "residual": _("Rest of a settlement"),
        "refund": _("Refund of credit"),
        "funder": _("Money of a funder's shares"),
    },
    "payment_status": {
        "ordered": _("Sent to the bank"),
        "paid": pgettext_lazy("payment order", "Paid"),
        "rejected": _("Rejected by the bank"),
    },
    "bank_outcome": {
        "paid": pgettext_lazy("payment order", "Paid"),
        "rejected": _("Rejected by the bank"),
    },
    "bank_effect": {
        "applied": pgettext_lazy("bank answer", "Applied"),
        "repeated": _("Said before"),
        "contradictory": _("Contradicts an earlier answer"),
        "unknown": _("About an unknown order"),
    },
    "role": {
        "operator": _("Operator"),
        "risk_officer": _("Risk officer"),
        "approver": _("Approver"),
        "treasury": _("Treasury"),
        "supplier": _("Supplier"),
        "auditor": _("Auditor"),
        "machine": _("Machine client"),
    },
    "limit": {
        "base": _("Borrowing base"),
        "facility limit": _("Facility limit"),
        "programme cap per supplier": _("Programme's cap per supplier"),
        "programme headroom": _("Programme's room"),
        "funder headroom": _("Funder's room"),
    },
    "rule": {
        "amount_is_positive": _("The amount is above zero"),
        "currency_is_the_facilitys": _("The currency is the facility's"),
        "facility_is_not_frozen": _("The facility is not frozen"),
        "facility_has_not_expired": _("The facility has not expired"),
        "dated_on_the_open_business_date": _("Dated on the open business day"),
        "tenor_is_long_enough": _("The term is long enough"),
        "tenor_is_short_enough": _("The term is short enough"),
        "amount_reaches_the_minimum": _("The amount reaches the smallest draw"),
        "amount_is_available": _("The amount is available"),
        "programme_has_headroom": _("The programme has room"),
        "funder_has_headroom": _("The funder has room"),
        "security_interest_is_in_force": _("A registered security interest covers the pool"),
        **advance_words.RULES,
    },
    "item_detail": {
        **collection_words.ITEM_DETAILS,
        "amount_minor": _("Amount"),
        "bank_reference": _("Bank's reference"),
        "because": _("Because"),
        "end_to_end_id": _("Payment order"),
        "outcome": _("What the bank says"),
        "reason": _("Bank's reason"),
        "unapplied_minor": _("Unapplied"),
        "value_date": _("Value date"),
        "why": _("Why it changed nothing"),
    },
    "step": {
        "claims": _("Claims outstanding"),
        "not_advanced": _("Part of a claim that is not lent"),
        "concentration": _("Too much owed by one customer"),
        "dilution": _("Reserve for returns and credit notes"),
        "base": _("Borrowing base"),
        "limits": _("Above the limits"),
        "drawn": _("Drawn already"),
        "shortfall": _("Drawn above what is allowed now"),
        "blocked": _("Blocked"),
        "available": _("Available"),
    },
    "loan_figure": {
        "principal_minor": _("Principal"),
        "principal_due_minor": _("Principal due"),
        "interest_accrued_minor": _("Interest accrued"),
        "interest_received_minor": _("Interest received"),
        "interest_due_minor": _("Interest owed"),
        "penalty_accrued_minor": _("Penalty interest accrued"),
        "penalty_received_minor": _("Penalty interest received"),
        "penalty_due_minor": _("Penalty interest owed"),
        "fees_charged_minor": _("Fees charged"),
        "fees_received_minor": _("Fees received"),
        "fees_due_minor": _("Fees owed"),
        "credit_minor": _("Supplier's credit"),
        "charged_off_minor": _("Charged off"),
        "recovered_minor": _("Recovered"),
        "owed_minor": _("To be paid to settle it"),
        "days_past_due": _("Days past due"),
    },
    "decision_input": {
        "base_minor": _("Borrowing base"),
        "business_date": _("Business day"),
        "cover_minor": _("Cover"),
        "currency": _("Currency"),
        "drawn_minor": _("Drawn already"),
        "expiry_date": _("May be drawn until"),
        "facility_limit_minor": _("Facility limit"),
        "frozen_reason": _("Frozen because"),
        "funder_headroom_minor": _("Funder's room"),
        "max_tenor_days": _("Longest term, days"),
        "min_draw_minor": _("Smallest draw"),
        "min_tenor_days": _("Shortest term, days"),
        "programme_cap_per_supplier_minor": _("Programme's cap per supplier"),
        "programme_headroom_minor": _("Programme's room"),
        "security_interest_in_force": _("Security interest in force"),
    },
    "work_item": {
        **collection_words.WORK_ITEMS,
        "unapplied_cash": _("Unapplied cash"),
        "failed_payout": _("Failed payout"),
        "bank_answer_repeated": _("Bank answer repeated"),
        "bank_answer_contradictory": _("Bank answer contradicts another"),
        "bank_answer_unknown": _("Bank answer about an unknown order"),
        "due_from_supplier": _("Due from a supplier"),
        "supplier_credit": _("Credit of a supplier"),
        "figure_disputed": _("A supplier disputes a figure"),
        "close_failed": _("Close of day came to no end"),
        "reference_rate_missing": _("Reference rate is missing"),
        "pace_breached": _("Advance fell behind its least pace"),
        "pace_near_breach": _("Advance may fall behind its least pace"),
    },
    "movement": {
        "paid_out": _("Paid out"),
        "interest": _("Interest"),
        "penalty": _("Penalty interest"),
        "fee": _("Fee charged"),
        "arrangement_fee": _("Arrangement fee"),
        "late_fee": _("Fee for a due date missed"),
        "repaid": _("Repayment received"),
        "met_from_credit": _("Met from your credit"),
        "correction": _("Correction of the statement before"),
        "waived": _("Waived"),
        "charged_off": _("Charged off"),
        "taken_back": _("Payment charged back"),
        "charged_back": _("Payment charged back"),
        "receipt_allocated": _("Kept as your credit"),
        "suspense_applied": _("Kept as your credit"),
        "credit_refunded": _("Refund of credit ordered"),
        "allocation_corrected": _("Allocation corrected"),
        "receipt_reversed": _("Receipt taken back"),
        "recovery_due": _("Owed back"),
    },
    "day_step": {
        "roll": _("Next day opened"),
        "rates": _("Reference rates taken"),
        "dues": _("Due dates moved"),
        "accrual": _("Interest accrued"),
        "sales": _("Advances out of sales: fees and pace"),
        "delinquency": _("Days past due counted"),
        "classes": _("Loans classed"),
        "provisions": _("Losses provided for"),
        "collections": _("Late payers followed up"),
        "bases": _("Borrowing bases computed"),
        "seal": _("Day sealed"),
    },
    "asset_class": {
        "normal": pgettext_lazy("class of a loan", "Normal"),
        "special_mention": _("Special mention"),
        "substandard": _("Substandard"),
        "doubtful": _("Doubtful"),
        "loss": pgettext_lazy("class of a loan", "Loss"),
    },
    "clause": {
        "special_mention_over_days": _("Days past due: special mention"),
        "substandard_over_days": _("Days past due: non-performing"),
        "doubtful_over_days": _("Days past due: doubtful"),
        "loss_over_days": _("Days past due: loss"),
        "diverted_use": _("Money was used for something else"),
        "credit_impaired": _("Credit impaired"),
        "doubtful_over_loss_bps": _("Credit impaired, most of it doubtful"),
        "loss_over_loss_bps": _("Credit impaired, nearly all expected lost"),
        "debtor_non_performing": _("Another debt of the debtor is non-performing"),
        "debtor_over_share_bps": _("Too much of what the debtor owes us is non-performing"),
        "elsewhere_over_share_bps": _("Too much of the debtor's debts at all banks is overdue"),
        "cure_needs_no_arrears": _("Non-performing until all arrears are paid"),
        "cure_after_months": _("Observed before it performs again"),
    },
    "fact": {
        "credit_impaired": _("Credit impaired"),
        "diverted_use": _("Money was used for something else"),
        "overdue_elsewhere": _("Overdue at other banks for more than 90 days"),
        "retail_debtor": _("Natural person or sole trader"),
        "stage_2_rebutted": _("Presumption of 30 days rebutted"),
        "stage_3_rebutted": _("Presumption of 90 days rebutted"),
        "delinquency_paused": _("Count of days past due paused"),
    },
    "standing": {
        "sourced": _("sourced"),
        "to_verify": _("to verify"),
        "illustrative": _("illustrative"),
    },
    "ledger_event": {
        **share_words.LEDGER_EVENTS,
        "drawdown_committed": _("Drawdown committed"),
        "commitment_ended": _("Commitment ended"),
        "loan_disbursed": _("Loan paid out"),
        "cash_received": _("Cash received"),
        "receipt_allocated": _("Cash allocated"),
        "suspense_applied": _("Unapplied cash applied"),
        "allocation_corrected": _("Allocation corrected"),
        "fee_charged": _("Fee charged"),
        "charge_waived": _("Charge waived"),
        "loan_charged_off": _("Loan charged off"),
        "charged_back": _("Payment charged back"),
        "event_reversed": _("Event of a loan taken back"),
        "interest_suspended": _("Interest put in suspense"),
        "penalty_suspended": _("Penalty interest put in suspense"),
        "allowance_moved": _("Expected loss provided for"),
        "reserve_moved": _("Reserve provided for"),
        "interest_accrued": _("Interest accrued"),
        "penalty_accrued": _("Penalty interest accrued"),
        "book_changed": _("Moved to another book"),
        "credit_refunded": _("Refund of credit ordered"),
        "advance_disbursed": _("Advance paid out"),
        "advance_corrected": _("Allocation corrected"),
        "advance_charged_off": _("Advance charged off"),
        "advance_fee_earned": _("Fee earned"),
        "advance_fee_suspended": _("Fee kept out of income"),
        "advance_interest_accrued": _("Interest accrued"),
        "recovery_due": _("Owed back"),
        "paid_to_supplier": _("Paid to supplier"),
        "capital_paid_in": _("Capital paid in"),
        "receipt_reversed": _("Receipt taken back"),
        "manual_journal": _("Manual journal"),
    },
    "account": {
        **share_words.ACCOUNTS,
        "bank": _("Bank"),
        "loan_principal": _("Loans: principal"),
        "interest_receivable": _("Loans: interest accrued"),
        "fee_receivable": _("Loans: fees due"),
        "penalty_receivable": _("Loans: penalty accrued"),
        "advance_principal": _("Advances out of sales: principal"),
        "advance_fee_receivable": _("Advances out of sales: fee"),
        "deferred_advance_fee": _("Fee not yet earned"),
        "advance_fee_in_suspense": _("Fee in suspense"),
        "advance_fee_income": _("Fee income of advances"),
        "interest_in_suspense": _("Interest in suspense"),
        "penalty_in_suspense": _("Penalty interest in suspense"),
        "loss_allowance": _("Allowance for expected loss"),
        "loss_reserve": _("Reserve above expected loss"),
        "due_from_supplier": _("Due from suppliers"),
        "payable_to_supplier": _("Payable to suppliers"),
        "supplier_credit": _("Suppliers' credit"),
        "settlement_clearing": _("Cash to be allocated"),
        "settlement_suspense": _("Unapplied cash"),
        "capital": _("Own capital"),
        "interest_income": _("Interest income"),
        "fee_income": _("Fee income"),
        "penalty_income": _("Penalty income"),
        "recovery_income": _("Recoveries of loans charged off"),
        "loan_loss": _("Losses on loans"),
        "waivers": _("Interest, penalty and fees waived"),
        "impairment_loss": _("Expected loss provided for"),
        "reserve_charge": _("Reserve provided for"),
        "committed_drawdowns": _("Drawdowns under way"),
        "committed_drawdowns_contra": _("Drawdowns under way, contra"),
    },
    "act": {
        **collection_words.ACTS,
        **loan_act_words.ACTS,
        **share_words.ACTS,
        "add_client": _("Machine client added"),
        "add_user": _("User added"),
        "adopt_rule_pack": _("Rule pack adopted"),
        "apply_unapplied": _("Unapplied cash applied"),
        "approve_fact": _("Fact approved"),
        "approve_manual_journal": _("Manual journal approved"),
        "change_book": _("Loan moved to another book"),
        "change_pool_terms": _("Terms of a pool changed"),
        "change_rate": _("Rate of a loan changed"),
        "change_role": _("Role of a user changed"),
        "charge_back": _("Payment charged back"),
        "charge_fee": _("Fee charged"),
        "charge_off": _("Loan charged off"),
        "close_accrual": _("Close of day: interest accrued"),
        "close_classes": _("Close of day: loans classed"),
        "close_provisions": _("Close of day: losses provided for"),
        "close_bases": _("Close of day: borrowing bases computed"),
        "close_delinquency": _("Close of day: days past due counted"),
        "close_dues": _("Close of day: due dates moved"),
        "close_roll": _("Close of day: next day opened"),
        "close_seal": _("Close of day: day sealed"),
        "close_sales": _("Close of day: advances out of sales"),
        "disable_user": _("User shut out"),
        "draw_down": _("Drawdown"),
        "draw_advance": _("Advance out of sales drawn"),
        "open_sales_line": _("Line out of sales opened"),
        "renew_sales_line": _("Limit of a line out of sales decided again"),
        "freeze_sales_line": _("Line out of sales frozen"),
        "unfreeze_sales_line": _("Line out of sales unfrozen"),
        "repay_advance": _("Repayment of an advance"),
        "recover_advance": _("Recovery on an advance taken"),
        "propose_loss": _("Charge-off of an advance proposed"),
        "approve_loss": _("Charge-off of an advance approved"),
        "reject_loss": _("Charge-off of an advance rejected"),
        "extend": _("Loan extended"),
        "freeze": _("Facility frozen"),
        "import_files": _("Files imported"),
        "move_claim": _("Claim moved to another pool"),
        "move_due_date": _("Due date moved"),
        "open_facilities": _("Facilities opened"),
        "open_legal_entity": _("Legal entity opened"),
        "order_again": _("Payment ordered again"),
        "pause_interest": _("Interest paused"),
        "pay_in_capital": _("Capital paid in"),
        "propose_fact": _("Fact proposed"),
        "propose_fact_end": _("End of a fact proposed"),
        "reject_fact": _("Fact rejected"),
        "propose_manual_journal": _("Manual journal proposed"),
        "enable_user": _("User let in again"),
        "re_age": _("Loan planned anew"),
        "record_documents": _("Documents taken"),
        "recover": _("Recovery taken"),
        "refund_credit": _("Credit refunded"),
        "reject_manual_journal": _("Manual journal rejected"),
        "relate_parties": _("Firms marked as related"),
        "repay": _("Repayment"),
        "reset_second_factor": _("Second factor reset"),
        "restructure": _("Loan restructured"),
        "reverse_event": _("Event of a loan taken back"),
        "reverse_receipt": _("Receipt taken back"),
        "revoke_client": _("Machine client revoked"),
        "set_facility_limit": _("Facility limit set"),
        "set_funding_limit": _("Funder's limit set"),
        "set_password": _("Password set"),
        "set_programme_limit": _("Programme limit set"),
        "settle": _("Receipts taken"),
        "take_answers": _("Bank answers taken"),
        "unfreeze": _("Facility unfrozen"),
        "unlock_user": _("Lock after failed sign-ins taken off"),
        "waive": _("Charge waived"),
        "unrelate_parties": _("Firms no longer related"),
        "claims_disputed": _("Claims disputed"),
        "claims_resolved": _("Disputes of claims settled"),
        "add_endpoint": _("Webhook endpoint added"),
        "disable_endpoint": _("Webhook endpoint switched off"),
        "rotate_secret": _("Webhook secret changed"),
        "replay_delivery": _("Webhook delivery sent again"),
        "close_work_item": _("Work item taken off the list"),
        "raise_case": _("Case raised by a firm"),
        "take_receipt": _("Receipt taken"),
        "demo": _("Demo set up"),
    },
    "side": {
        "debit": pgettext_lazy("ledger", "Debit"),
        "credit": pgettext_lazy("ledger", "Credit"),
    },
    "channel": {
        "cli": _("Command line"),
        "api": _("API"),
        "portal": _("Portal"),
        "internal": _("By itself"),
        "lab": _("Simulation"),
    },
    "product": {
        "receivables_pool": _("Receivables pool"),
        "sales_share": _("Advances out of sales"),
    },
    "journal": {
        "open": pgettext_lazy("manual journal", "Waits for an approver"),
        "approved": pgettext_lazy("manual journal", "Approved"),
        "rejected": pgettext_lazy("manual journal", "Rejected"),
    },
}
"""By group, then by code."""

STATE_OF: Mapping[str, Mapping[str, str]] = {
    **collection_words.LOOKS,
    "claim_status": {"open": "info", "disputed": "bad", "closed": "good"},
    "loan_status": {
        "pending": "warn",
        "live": "info",
        "settled": "good",
        "rejected": "bad",
        "charged_off": "bad",
    },
    "instalment": {"paid": "info", "late": "bad", "due": "warn"},
    "asset_class": {
        "normal": "good",
        "special_mention": "warn",
        "substandard": "bad",
        "doubtful": "bad",
        "loss": "bad",
    },
    "payment_status": {"ordered": "warn", "paid": "good", "rejected": "bad"},
    "bank_effect": {"applied": "good", "repeated": "info", "contradictory": "bad"},
    "journal": {"open": "warn", "approved": "good", "rejected": "bad"},
    "reason": {"": "good", "closed": "info", "disputed": "bad", "past_due": "bad"},
}
"""How a state looks: a class of ``.state``; where none is named, ``warn``."""

MARKS = {"good": "●", "warn": "▲", "bad": "◆", "info": "✓"}


def named(group: str, code: str) -> str:
    """The word for a code, in the language of the page."""
    word = WORDS[group].get(code)
    return code.replace("_", " ") if word is None else str(word)


ACTORS: Mapping[str, Label] = {"close of day": _("Close of day")}
"""What acts by itself, by the name that the book keeps."""


def actor_named(actor: str) -> str:
    """Who acted: a person or client by name, what acts by itself in the reader's language."""
    return str(ACTORS.get(actor, actor))


def look_of(group: str, code: str) -> str:
    """The class of ``.state`` that fits a code."""
    return STATE_OF.get(group, {}).get(code, "warn")


def remedy_for(reason: str, terms: Terms | None) -> str:
    """What a supplier can do about a reason of ``rules.eligibility``, or of a claim in no pool.

    ``terms`` are the pool's; a claim in no pool has none, and no reason that needs them.
    """
    match reason, terms:
        case "past_due", Terms():
            return _now("Collect it: it is more than %(days)s days past due.") % {
                "days": terms.max_days_past_due
            }
        case "tenor", Terms():
            return _now("Agree on a term of at most %(days)s days from issue to due date.") % {
                "days": terms.max_tenor_days
            }
        case "too_near", Terms():
            return _now(
                "Wait for the payment, due in fewer than %(days)s days; until then it covers what "
                "you have drawn."
            ) % {"days": terms.min_days_to_due}
        case "cross_aged", Terms():
            return _now(
                "Collect what this customer owes past due: it is more than %(share)s %% of all it "
                "owes."
            ) % {"share": f"{terms.cross_ageing_share_bps / 100:g}"}
    return str(_REMEDIES[reason])


_REMEDIES: Mapping[str, Label] = {
    "": "",
    "closed": _("Nothing to do: it is paid, cancelled or used up by a later document."),
    "disputed": _("Settle the dispute with your customer; the claim then counts again."),
    "assigned_elsewhere": _("Ask us to move the claim here from the pool that it secures."),
    "related": _("Claims on firms of your own group do not count; sell to others."),
    "unassigned": _("Ask us to assign the claim to a pool."),
    "awaits_predecessor": _("Have the earlier document sent, such as the purchase order."),
}


_REMEDIES_OF_ITEMS: Mapping[str, Label] = {
    **collection_words.REMEDIES,
    "unapplied_cash": _(
        "Find out which claims the cash pays and apply it to them, or reverse the receipt."
    ),
    "failed_payout": _(
        "Find out why the bank turned it down. A loan's payout has ended with it: the supplier "
        "draws again. Any other payment can be ordered again once the bank details are right."
    ),
    "bank_answer_repeated": _(
        "Nothing was booked twice. Take it off the list once you have seen it."
    ),
    "bank_answer_contradictory": _(
        "The first answer stands. Ask the bank which of its answers is right."
    ),
    "bank_answer_unknown": _("Ask the bank which order it means: no order of ours has this name."),
    "due_from_supplier": _(
        "The supplier's next settlements meet it first; where none will come, ask for it."
    ),
    "supplier_credit": _("Refund it, or keep it for what the supplier will owe."),
    "figure_disputed": _("Look at what the supplier says, and answer it."),
    "pace_breached": _(
        "Talk to the merchant. Its line is frozen for new advances until somebody lifts the freeze."
    ),
    "pace_near_breach": _("Look why sales run slower than was expected."),
}


def remedy_of_item(kind: str, details: Mapping[str, object]) -> str:
    """What to do about a work item: by its kind, else what it says itself."""
    told = _REMEDIES_OF_ITEMS.get(kind)
    return str(details.get("remedy", "")) if told is None else str(told)
