"""The supplier's pages.

Codes of facilities and loans may hold a slash, so that what follows them is matched first.
"""

from django.urls import path

from tallystick.faces.portal.supplier import (
    advances,
    cases,
    claims,
    draw,
    dues,
    home,
    left_out,
    loans,
    overdue,
    statement,
)

urlpatterns = [
    path("", home.supplier_home, name="supplier-home"),
    path("draw/<path:code>/quote/", draw.draw_quote, name="supplier-home-draw-quote"),
    path("draw/<path:code>/confirm/", draw.draw_confirm, name="supplier-home-draw-confirm"),
    path("draw/<path:code>/", draw.draw, name="supplier-home-draw"),
    path("drawn/<path:code>/", draw.drawn, name="supplier-home-drawn"),
    path("left-out/<path:code>/", left_out.left_out, name="supplier-home-left-out"),
    path("loans/", loans.loans, name="supplier-loans"),
    path("loans/<path:code>/settle/", loans.settle, name="supplier-loans-settle"),
    path("loans/<path:code>/decision/", loans.decision, name="supplier-loans-decision"),
    path("loans/<path:code>/dispute/", cases.dispute_loan_figure, name="supplier-loans-dispute"),
    path("loans/<path:code>/", loans.loan, name="supplier-loans-one"),
    path("advances/<path:code>/", advances.advance, name="supplier-advances-one"),
    path("sales-lines/<path:code>/draw/", advances.draw, name="supplier-advances-draw"),
    path("dues/", dues.dues, name="supplier-dues"),
    path("overdue/", overdue.overdue, name="supplier-overdue"),
    path("overdue/<int:number>/promise/", overdue.promise_one, name="supplier-overdue-promise"),
    path("claims/", claims.claims, name="supplier-claims"),
    path("claims/<int:number>/", claims.claim, name="supplier-claims-one"),
    path(
        "claims/<int:number>/dispute/", cases.dispute_claim_figure, name="supplier-claims-dispute"
    ),
    path("cases/", cases.cases, name="supplier-cases"),
    path("cases/<int:number>/", cases.case, name="supplier-cases-one"),
    path("statement/", statement.statement, name="supplier-statement"),
    path("statement/csv/", statement.statement_csv, name="supplier-statement-csv"),
    path("statement/xlsx/", statement.statement_xlsx, name="supplier-statement-xlsx"),
]
