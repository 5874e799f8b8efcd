"""Prove the claims: from their documents and events, unit of trade by unit of trade.

Each query answers the rows that contradict its name: the object, what should be, what is. It reads
documents and events, and takes nothing on trust that the platform derived from them.
"""

from collections.abc import Iterator

from django.db import connection

from tallystick.book.watch.findings import Check, Finding

# Two references of a batch are checked by no foreign key; see book.trade's migrations.
REFERENCES = """
    SELECT 'document ' || document.id, 'firms, an act and a predecessor of its own unit',
           concat_ws(', ', CASE WHEN issuer.id IS NULL THEN 'no issuer' END,
                     CASE WHEN supplier.id IS NULL THEN 'no supplier' END,
                     CASE WHEN obligor.id IS NULL THEN 'no obligor' END,
                     CASE WHEN act.id IS NULL THEN 'no act' END,
                     CASE WHEN document.predecessor_id IS NOT NULL
                               AND named.root_id IS DISTINCT FROM document.root_id
                          THEN 'predecessor of another unit' END)
    FROM trade_document AS document
    LEFT JOIN parties_party AS issuer ON issuer.id = document.issuer_id
    LEFT JOIN parties_party AS supplier ON supplier.id = document.supplier_id
    LEFT JOIN parties_party AS obligor ON obligor.id = document.obligor_id
    LEFT JOIN acts_act AS act ON act.id = document.act_id
    LEFT JOIN trade_document AS named ON named.id = document.predecessor_id
    WHERE issuer.id IS NULL OR supplier.id IS NULL OR obligor.id IS NULL OR act.id IS NULL
       OR document.predecessor_id IS NOT NULL AND named.root_id IS DISTINCT FROM document.root_id
    ORDER BY document.id
"""

LINKS = """
    SELECT 'document ' || naming.id, 'fulfils ' || naming.fulfils_kind || ' '
               || naming.fulfils_number || ' of the same firms and currency',
           'fulfils ' || named.kind || ' ' || named.number
    FROM trade_document AS naming
    JOIN trade_document AS named ON named.id = naming.predecessor_id
    WHERE (named.kind, named.number, named.supplier_id, named.obligor_id, named.currency)
          IS DISTINCT FROM (naming.fulfils_kind, naming.fulfils_number, naming.supplier_id,
                            naming.obligor_id, naming.currency)
    ORDER BY naming.id
"""

FINGERPRINTS = """
    SELECT 'document ' || document.id, encode(sha256(convert_to(concat_ws(E'\\x1f', issuer.code,
               kind, number, issue_date::text, currency || ' ' || amount_minor, obligor.code),
               'UTF8')), 'hex'),
           encode(fingerprint, 'hex')
    FROM trade_document AS document
    JOIN parties_party AS issuer ON issuer.id = issuer_id
    JOIN parties_party AS obligor ON obligor.id = obligor_id
    WHERE fingerprint <> sha256(convert_to(concat_ws(E'\\x1f', issuer.code, kind, number,
               issue_date::text, currency || ' ' || amount_minor, obligor.code), 'UTF8'))
    ORDER BY document.id
"""

ONE_CLAIM_EACH = """
    SELECT 'document ' || coalesce(document.id, claim.id),
           CASE WHEN document.kind IN ('order', 'receipt', 'invoice', 'statement')
                THEN 'one claim' ELSE 'no claim' END,
           CASE WHEN claim.id IS NULL THEN 'no claim' ELSE 'one claim' END
    FROM trade_document AS document FULL JOIN trade_claim AS claim ON claim.id = document.id
    WHERE coalesce(document.kind IN ('order', 'receipt', 'invoice', 'statement'), false)
          <> (claim.id IS NOT NULL)
    ORDER BY 1
"""

# The latest of its disputes and their ends says whether a claim is disputed.
CLAIMS = """
    SELECT 'claim ' || claim.code,
           concat_ws(' ', told.face_minor, told.paid_minor, told.diluted_minor, told.status),
           concat_ws(' ', claim.face_minor, claim.paid_minor, claim.diluted_minor, claim.status)
    FROM trade_claim AS claim
    JOIN (
        SELECT claim_id, face_minor, paid_minor, diluted_minor,
               CASE WHEN face_minor = paid_minor + diluted_minor THEN 'closed'
                    WHEN is_disputed THEN 'disputed' ELSE 'open' END AS status
        FROM (
            SELECT document.id AS claim_id,
                   min(amount_minor) + coalesce(sum(event.face_minor), 0) AS face_minor,
                   coalesce(sum(event.paid_minor), 0) AS paid_minor,
                   coalesce(sum(event.diluted_minor), 0) AS diluted_minor,
                   (array_agg(event.kind ORDER BY event.value_date DESC, event.id DESC)
                    FILTER (WHERE event.kind IN ('disputed', 'resolved')))[1] = 'disputed'
                     AS is_disputed
            FROM trade_document AS document
            LEFT JOIN trade_claimevent AS event ON event.claim_id = document.id
            WHERE document.kind IN ('order', 'receipt', 'invoice', 'statement')
            GROUP BY document.id
        ) AS summed
    ) AS told ON told.claim_id = claim.id
    WHERE (told.face_minor, told.paid_minor, told.diluted_minor, told.status)
          IS DISTINCT FROM
          (claim.face_minor, claim.paid_minor, claim.diluted_minor, claim.status::text)
    ORDER BY claim.id
"""

# Not only now: on no day of its life is more paid and diluted than the face was.
WITHIN_FACE = """
    SELECT 'claim ' || claim.code || ' on ' || value_date, 'paid and diluted up to the face',
           concat_ws(' ', 'face', lived.face_minor, 'paid', lived.paid_minor,
                     'diluted', lived.diluted_minor)
    FROM (
        SELECT claim_id, value_date,
               amount_minor + sum(by_day.face_minor) OVER life AS face_minor,
               sum(by_day.paid_minor) OVER life AS paid_minor,
               sum(by_day.diluted_minor) OVER life AS diluted_minor
        FROM (
            SELECT claim_id, value_date, sum(face_minor) AS face_minor,
                   sum(paid_minor) AS paid_minor, sum(diluted_minor) AS diluted_minor
            FROM trade_claimevent GROUP BY claim_id, value_date
        ) AS by_day
        JOIN trade_document AS document ON document.id = claim_id
        WINDOW life AS (PARTITION BY claim_id ORDER BY value_date)
    ) AS lived
    JOIN trade_claim AS claim ON claim.id = claim_id
    WHERE lived.paid_minor + lived.diluted_minor > lived.face_minor
       OR lived.paid_minor < 0 OR lived.diluted_minor < 0
    ORDER BY claim_id, value_date
"""

# Σ live face of a unit ≤ max(ordered, received, invoiced, settled), less what was cancelled.
COUNTED_ONCE = """
    SELECT 'unit of trade ' || root.kind || ' ' || root.number, 'at most ' || may_count.minor,
           live.minor
    FROM (
        SELECT coalesce(root_id, document.id) AS root_id, sum(face_minor) AS minor
        FROM trade_claim AS claim JOIN trade_document AS document ON document.id = claim.id
        WHERE status <> 'closed' GROUP BY 1
    ) AS live
    JOIN (
        SELECT root_id, max(minor) AS minor
        FROM (
            SELECT coalesce(document.root_id, document.id) AS root_id, document.kind,
                   sum(greatest(document.amount_minor - coalesce(cancelled.minor, 0), 0)) AS minor
            FROM trade_document AS document
            LEFT JOIN (
                SELECT predecessor_id, sum(amount_minor) AS minor FROM trade_document
                WHERE kind = 'cancellation' GROUP BY 1
            ) AS cancelled ON cancelled.predecessor_id = document.id
            WHERE document.kind IN ('order', 'receipt', 'invoice', 'statement')
            GROUP BY 1, 2
        ) AS by_stage
        GROUP BY root_id
    ) AS may_count USING (root_id)
    JOIN trade_document AS root ON root.id = live.root_id
    WHERE live.minor > may_count.minor
    ORDER BY root.id
"""

AWAITING = """
    SELECT 'claim ' || claim.code,
           CASE WHEN root.fulfils_number <> '' THEN 'awaits its predecessor'
                ELSE 'awaits nothing' END,
           CASE WHEN claim.awaits_predecessor THEN 'awaits its predecessor'
                ELSE 'awaits nothing' END
    FROM trade_claim AS claim
    JOIN trade_document AS document ON document.id = claim.id
    JOIN trade_document AS root ON root.id = coalesce(document.root_id, document.id)
    WHERE claim.awaits_predecessor <> (root.fulfils_number <> '')
    ORDER BY claim.id
"""

CREDIT_NOTES = """
    SELECT 'credit note ' || document.number, document.amount_minor,
           coalesce(waiting.remaining_minor || ' waiting', 'nothing waiting') || ' and '
               || coalesce(applied.minor, 0) || ' applied'
    FROM trade_document AS document
    LEFT JOIN trade_unappliedcredit AS waiting ON waiting.document_id = document.id
    LEFT JOIN (
        SELECT document_id, sum(diluted_minor) AS minor FROM trade_claimevent
        WHERE kind = 'diluted' GROUP BY 1
    ) AS applied ON applied.document_id = document.id
    WHERE document.kind = 'credit_note'
      AND document.amount_minor
          IS DISTINCT FROM waiting.remaining_minor + coalesce(applied.minor, 0)
    ORDER BY document.id
"""

# What the migrations put in the way of a wrong record.
GUARDS = """
    SELECT 'trigger ' || name, 'enabled always', 'missing or disabled'
    FROM (VALUES
        ('trade_claim_checked'),
        ('trade_claim_only_grows'),
        ('trade_claim_pool_checked'),
        ('trade_claimevent_checked'),
        ('trade_claimevent_only_grows'),
        ('trade_document_checked'),
        ('trade_document_only_grows'),
        ('trade_document_stays'),
        ('trade_unappliedcredit_only_grows')
    ) AS guard (name)
    WHERE NOT EXISTS (
        SELECT FROM pg_trigger WHERE tgname = name AND tgenabled = 'A' AND NOT tgisinternal)
    ORDER BY name
"""

QUERIES = {
    "guards of claims stand": GUARDS,
    "documents refer to what is there": REFERENCES,
    "documents fulfil what they name": LINKS,
    "fingerprints are of their documents": FINGERPRINTS,
    "a document opens one claim": ONE_CLAIM_EACH,
    "claims equal their documents and events": CLAIMS,
    "claims are never paid above their face": WITHIN_FACE,
    "a unit of trade counts once": COUNTED_ONCE,
    "claims wait for what they name": AWAITING,
    "credit notes are applied or waiting": CREDIT_NOTES,
}


def trade_checks() -> list[Check]:
    """The checks of documents and claims."""
    return [_check(name, query) for name, query in QUERIES.items()]


def _check(name: str, query: str) -> Check:
    def run() -> Iterator[Finding]:
        with connection.cursor() as cursor:
            cursor.execute(query)
            for subject, expected, found in cursor.fetchall():
                yield Finding(name, subject, str(expected), str(found))

    return Check(name, run)
