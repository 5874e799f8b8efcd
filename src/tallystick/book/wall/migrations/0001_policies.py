"""The second wall: what the database shows to a firm, whatever a page asks for.

``tallystick_firm`` reads the tables named here, and of them the rows of one firm: the one whose
id is in ``tally.party``. The setting is an empty string, not unset, once a transaction that had
set it is over: nullif makes nothing of both, and nothing matches no row. In a subselect it is
read once per statement instead of once per row.

The application's role passes by the policies (BYPASSRLS), so that they cost its acts nothing, and
its COPY, which PostgreSQL refuses to whom policies apply, goes on. The policy it has all the same
keeps everything else at work should it lose that attribute.
"""

from django.db import migrations

from tallystick.book.rights import APPLICATION_ROLE, FIRM_ROLE

FIRM = "(SELECT nullif(current_setting('tally.party', true), '')::bigint)"
# As an array, computed once per statement: an index on the column still serves.
FACILITIES = f"ARRAY(SELECT id FROM financing_facility WHERE supplier_id = {FIRM})"
SALES_LINES = f"ARRAY(SELECT id FROM sales_credit_salesline WHERE merchant_id = {FIRM})"
POOLS = f"ARRAY(SELECT id FROM collateral_pool WHERE supplier_id = {FIRM})"
# What a policy reads is bounded by that table's own policy.
OF_A_LOAN = "EXISTS (SELECT FROM financing_loan AS loan WHERE loan.id = loan_id)"
OF_AN_ADVANCE = "EXISTS (SELECT FROM sales_credit_advance AS paid WHERE paid.id = advance_id)"
OF_AN_ACCOUNT = f"account_id = ANY (ARRAY(SELECT id FROM ledger_account WHERE party_id = {FIRM}))"
OF_A_CLAIM = "EXISTS (SELECT FROM trade_claim AS claim WHERE claim.id = claim_id)"

SHOWN = {
    "collateral_assignment": f"pool_id = ANY ({POOLS})",
    "collateral_pool": f"supplier_id = {FIRM}",
    "collateral_poolbase": f"pool_id = ANY ({POOLS})",
    "collateral_poolterms": (
        "EXISTS (SELECT FROM collateral_pool AS pool WHERE pool.terms_id = collateral_poolterms.id)"
        " OR EXISTS (SELECT FROM collateral_termsinforce AS held"
        " WHERE held.terms_id = collateral_poolterms.id)"
    ),
    "collateral_securityinterest": f"pool_id = ANY ({POOLS})",
    "collateral_termsinforce": f"pool_id = ANY ({POOLS})",
    "collections_case": f"party_id = {FIRM}",
    "collections_payto": "true",
    "collections_promisetopay": (
        "EXISTS (SELECT FROM collections_case AS held WHERE held.id = case_id)"
    ),
    "financing_decision": f"facility_id = ANY ({FACILITIES})",
    "financing_facility": f"supplier_id = {FIRM}",
    "financing_loan": f"facility_id = ANY ({FACILITIES})",
    "financing_programme": (
        "EXISTS (SELECT FROM financing_facility AS facility"
        " WHERE facility.programme_id = financing_programme.id)"
        " OR EXISTS (SELECT FROM sales_credit_salesline AS line"
        " WHERE line.programme_id = financing_programme.id)"
    ),
    "financing_programmelimit": (
        "EXISTS (SELECT FROM financing_facility AS facility"
        " WHERE facility.programme_limit_id = financing_programmelimit.id)"
        " OR EXISTS (SELECT FROM sales_credit_salesline AS line"
        " WHERE line.programme_limit_id = financing_programmelimit.id)"
    ),
    "financing_reservation": OF_A_LOAN,
    "funding_fundingline": (
        "EXISTS (SELECT FROM financing_facility AS facility"
        " WHERE facility.funding_line_id = funding_fundingline.id)"
        " OR EXISTS (SELECT FROM sales_credit_salesline AS line"
        " WHERE line.funding_line_id = funding_fundingline.id)"
    ),
    # Accounts kept with the firm itself, such as its credit; entries as far as they touch them.
    "ledger_account": f"party_id = {FIRM}",
    "ledger_daytotal": OF_AN_ACCOUNT,
    "ledger_entry": (
        "EXISTS (SELECT FROM ledger_posting AS posting WHERE posting.entry_id = ledger_entry.id)"
    ),
    "ledger_posting": OF_AN_ACCOUNT,
    "ledger_rollup": OF_AN_ACCOUNT,
    "ledger_seal": "true",
    # Names of books and of our own companies are nobody's secret.
    "ledger_book": "true",
    "parties_legalentity": "true",
    # Itself, whom it sold to, and our companies.
    "parties_party": (
        f"id = {FIRM}"
        f" OR EXISTS (SELECT FROM trade_claim AS claim WHERE claim.supplier_id = {FIRM}"
        " AND claim.obligor_id = parties_party.id)"
        " OR EXISTS (SELECT FROM parties_legalentity AS entity"
        " WHERE entity.party_id = parties_party.id)"
    ),
    "parties_relatedparty": f"supplier_id = {FIRM}",
    "payments_bankanswer": (
        "EXISTS (SELECT FROM payments_paymentorder AS payout WHERE payout.id = order_id)"
    ),
    "payments_cashreceipt": (
        "EXISTS (SELECT FROM servicing_settlementline AS line"
        " WHERE line.receipt_id = payments_cashreceipt.id)"
    ),
    "payments_paymentorder": f"beneficiary_id = {FIRM}",
    "payments_remittanceline": OF_A_CLAIM,
    "sales_credit_advance": f"line_id = ANY ({SALES_LINES})",
    "sales_credit_advanceevent": OF_AN_ADVANCE,
    "sales_credit_advanceposition": OF_AN_ADVANCE,
    "sales_credit_pacelook": OF_AN_ADVANCE,
    "sales_credit_salesdecision": f"line_id = ANY ({SALES_LINES})",
    "sales_credit_salesline": f"merchant_id = {FIRM}",
    "servicing_loanevent": OF_A_LOAN,
    "servicing_position": OF_A_LOAN,
    "servicing_repaymentplan": OF_A_LOAN,
    "servicing_settlementline": f"supplier_id = {FIRM}",
    "trade_claim": f"supplier_id = {FIRM}",
    "trade_claimevent": OF_A_CLAIM,
    "trade_document": f"supplier_id = {FIRM}",
    "trade_unappliedcredit": f"supplier_id = {FIRM}",
    "watch_workitem": f"party_id = {FIRM}",
}
"""What a firm sees of each table. A table that is not here it cannot read at all."""

# One receipt pays the claims of many firms: its whole amount is none of theirs. Of a day's seal
# only that there is one, of a case not who of ours has answered it or works on it.
COLUMNS = {
    "collections_case": (
        ' (id, legal_entity_id, party_id, opened_date, closed_date, "end", act_id)'
    ),
    "ledger_seal": " (legal_entity_id, date)",
    "payments_cashreceipt": (
        " (id, bank_reference, legal_entity_id, payer_id, currency, value_date, booking_date,"
        " reversed_date, act_id)"
    ),
    "watch_workitem": (
        " (id, legal_entity_id, kind, subject, party_id, details, opened_date, opened_at,"
        " closed_at, resolution)"
    ),
}


def _shown(table: str, rows: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"""
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
        CREATE POLICY firm_sees_its_own ON {table} FOR SELECT TO {FIRM_ROLE} USING ({rows});
        CREATE POLICY application ON {table} TO {APPLICATION_ROLE} USING (true);
        GRANT SELECT{COLUMNS.get(table, "")} ON {table} TO {FIRM_ROLE};
        """,
        f"""
        REVOKE ALL ON {table} FROM {FIRM_ROLE};
        DROP POLICY application ON {table};
        DROP POLICY firm_sees_its_own ON {table};
        ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
        """,
    )


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("collateral", "0003_rules"),
        ("collections", "0002_guards_and_rights"),
        ("financing", "0004_guards_and_rights"),
        ("funding", "0002_guards_and_rights"),
        ("ledger", "0005_rights"),
        ("parties", "0002_rights"),
        ("payments", "0002_guards_and_rights"),
        ("sales_credit", "0002_guards_and_rights"),
        ("servicing", "0002_guards_and_rights"),
        ("trade", "0002_rules"),
        ("watch", "0002_guards_and_rights"),
    ]

    operations = [_shown(table, rows) for table, rows in SHOWN.items()]
