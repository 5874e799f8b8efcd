"""The pages of lending: items, claims, firms, facilities, loans and decisions.

A code may hold any character, slashes included: nothing follows it but the last slash.
"""

from django.urls import path

from tallystick.faces.portal.house import (
    advances,
    approvals,
    claims,
    collection_acts,
    collections,
    decisions,
    facilities,
    loan_acts,
    loans,
    parties,
    worklist,
)

urlpatterns = [
    path("worklist/", worklist.house_worklist, name="house-worklist"),
    path("worklist/<int:number>/", worklist.house_work_item, name="house-worklist-item"),
    path(
        "worklist/<int:number>/close/", worklist.house_work_item_close, name="house-worklist-close"
    ),
    path("claims/", claims.house_claims, name="house-claims"),
    path("claims.csv", claims.house_claims_csv, name="house-claims-csv"),
    path("claim/<path:code>/", claims.house_claim, name="house-claims-one"),
    path("dispute/<path:code>/", claims.house_dispute, name="house-claims-dispute"),
    path("resolve/<path:code>/", claims.house_resolve, name="house-claims-resolve"),
    path("firms/", parties.house_parties, name="house-parties"),
    path("firm/<path:code>/", parties.house_party, name="house-parties-one"),
    path("facilities/", facilities.house_facilities, name="house-facilities"),
    path("facility/<path:code>/", facilities.house_facility, name="house-facilities-one"),
    path("freeze/<path:code>/", facilities.house_freeze, name="house-facilities-freeze"),
    path("unfreeze/<path:code>/", facilities.house_unfreeze, name="house-facilities-unfreeze"),
    path("loans/", loans.house_loans, name="house-loans"),
    path("loan/<path:code>/", loans.house_loan, name="house-loans-one"),
    *(
        path(f"loan-{each.name}/<path:code>/", loan_acts.view_of(each), name=each.view)
        for each in loan_acts.PROPOSED
    ),
    path("loan-fee/<path:code>/", loan_acts.fee, name="house-loans-fee"),
    path("advances/", advances.house_advances, name="house-advances"),
    path("advance/<path:code>/", advances.house_advance, name="house-advances-one"),
    path("advance-charge-off/<path:code>/", advances.charge_off, name="house-advances-charge-off"),
    path("approvals/", approvals.waiting, name="house-approvals"),
    path("approvals/<int:number>/approve/", approvals.approve, name="house-approvals-approve"),
    path("approvals/<int:number>/reject/", approvals.reject, name="house-approvals-reject"),
    path("approvals/<int:number>/withdraw/", approvals.withdraw, name="house-approvals-withdraw"),
    path(
        "approvals/advances/<int:number>/approve/",
        approvals.approve_loss_of,
        name="house-approvals-approve-loss",
    ),
    path(
        "approvals/advances/<int:number>/reject/",
        approvals.reject_loss_of,
        name="house-approvals-reject-loss",
    ),
    path("collections/", collections.listed, name="house-collections"),
    path("collections/<int:number>/", collections.one, name="house-collections-one"),
    path(
        "collections/<int:number>/assign/",
        collection_acts.assign_one,
        name="house-collections-assign",
    ),
    path("collections/<int:number>/note/", collection_acts.note, name="house-collections-note"),
    path("collections/<int:number>/pause/", collection_acts.hold, name="house-collections-pause"),
    path(
        "collections/<int:number>/promise/",
        collection_acts.promised,
        name="house-collections-promise",
    ),
    path(
        "collections/letters/<int:number>/again/",
        collection_acts.letter_again,
        name="house-collections-letter",
    ),
    path("decision/<int:number>/", decisions.house_decision, name="house-loans-decision"),
]
