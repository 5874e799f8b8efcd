"""Why a claim cannot be lent against: the reasons that the claim decides by itself.

What depends on the other claims of its obligor is decided in ``rules.receivables``.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import narwhals as nw

from tallystick.rules.pool_terms import Terms

REASONS = (
    "closed",
    "disputed",
    "assigned_elsewhere",
    "past_due",
    "tenor",
    "too_near",
    "related",
    "cross_aged",
)
"""A claim is ineligible for the first of these that holds."""

OWN_REASONS = REASONS[:6]
"""Those that a claim decides by itself; the others depend on its obligor."""


def outstanding_minor() -> nw.Expr:
    """face − paid − diluted."""
    return nw.col("face_minor") - nw.col("paid_minor") - nw.col("diluted_minor")


def past_due(terms: Terms, *, on: date) -> nw.Expr:
    """More than ``max_days_past_due`` days past due."""
    if terms.max_days_past_due > (on - date.min).days:
        return nw.lit(False)
    return nw.col("due_date") < on - timedelta(days=terms.max_days_past_due)


def beyond_tenor(terms: Terms) -> nw.Expr:
    """Due more than ``max_tenor_days`` after issue."""
    return nw.col("due_date") > nw.col("issue_date") + timedelta(days=terms.max_tenor_days)


def too_near(terms: Terms, *, on: date) -> nw.Expr:
    """Not past due, and due in fewer than ``min_days_to_due`` days."""
    not_past_due = nw.col("due_date") >= on
    if terms.min_days_to_due > (date.max - on).days:
        return not_past_due
    return not_past_due & (nw.col("due_date") < on + timedelta(days=terms.min_days_to_due))


def own_reason(terms: Terms, *, on: date) -> nw.Expr:
    """The first reason that the claim alone decides; "" where none of them holds."""
    return (
        nw.when(nw.col("status") == "closed")
        .then(nw.lit("closed"))
        .when(nw.col("status") == "disputed")
        .then(nw.lit("disputed"))
        .when(nw.col("status") == "assigned_elsewhere")
        .then(nw.lit("assigned_elsewhere"))
        .when(past_due(terms, on=on))
        .then(nw.lit("past_due"))
        .when(beyond_tenor(terms))
        .then(nw.lit("tenor"))
        .when(too_near(terms, on=on))
        .then(nw.lit("too_near"))
        .otherwise(nw.lit(""))
    )


def remedies(terms: Terms) -> Mapping[str, str]:
    """What the supplier can do about each reason, with the term that decided."""
    share = f"{terms.cross_ageing_share_bps / 100:g} %"
    return {
        "closed": "Nothing to do: the claim is paid, cancelled or used up by a later document.",
        "disputed": "Settle the dispute with the obligor.",
        "assigned_elsewhere": "Have the claim moved here from the pool that it secures.",
        "past_due": f"Collect it: it is more than {terms.max_days_past_due} days past due.",
        "tenor": f"Agree on a term of at most {terms.max_tenor_days} days from issue to due date.",
        "too_near": f"Wait for the payment, due in fewer than {terms.min_days_to_due} days; "
        "until then the claim counts as cover.",
        "related": "Sell to others: the obligor is related to the supplier.",
        "cross_aged": "Collect what the obligor owes past due: "
        f"it is more than {share} of all it owes.",
    }
