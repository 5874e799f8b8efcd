"""The pages of lending: items, claims, firms, facilities, loans and decisions.

A code may hold any character, slashes included: nothing follows it but the last slash.
"""

from django.urls import path

from tallystick.faces.portal.house import (
    claims,
    collection_acts,
    collections,
    decisions,
    facilities,
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
        "collections/<int:number>/extend/",
        collection_acts.extension,
        name="house-collections-extend",
    ),
    path(
        "collections/<int:number>/write-off/",
        collection_acts.write_off,
        name="house-collections-write-off",
    ),
    path(
        "collections/proposals/<int:number>/approve/",
        collection_acts.approve_one,
        name="house-collections-approve",
    ),
    path(
        "collections/proposals/<int:number>/reject/",
        collection_acts.reject_one,
        name="house-collections-reject",
    ),
    path(
        "collections/letters/<int:number>/again/",
        collection_acts.letter_again,
        name="house-collections-letter",
    ),
    path("decision/<int:number>/", decisions.house_decision, name="house-loans-decision"),
]
