"""The back office's pages: the ledger, proofs and the audit trail."""

from django.urls import path

from tallystick.faces.portal.house import audit, ledger, proof

urlpatterns = [
    path("ledger/", ledger.trial_balance, name="house-ledger"),
    path(
        "ledger/accounts/<slug:name>/<slug:currency>/",
        ledger.accounts,
        name="house-ledger-accounts",
    ),
    path("ledger/account/<int:account>/", ledger.statement, name="house-ledger-statement"),
    path("ledger/entries/<int:entry>/", ledger.entry, name="house-ledger-entry"),
    path("ledger/entries/<int:entry>/proof/", ledger.entry_proof, name="house-ledger-proof"),
    path(
        "ledger/entries/<int:entry>/proof.json",
        ledger.proof_download,
        name="house-ledger-proof-download",
    ),
    path("ledger/seals/", ledger.seal_list, name="house-ledger-seals"),
    path("ledger/seals.jsonl", ledger.seals_download, name="house-ledger-seals-download"),
    path("proof/", proof.verify, name="house-proof"),
    path("audit/", audit.trail, name="house-audit"),
    path("audit/trail.csv", audit.trail_csv, name="house-audit-csv"),
    path("audit/<int:act>/", audit.act, name="house-audit-act"),
]
