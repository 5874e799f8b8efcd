"""The second wall: behind it the database shows a firm its own rows, whatever is asked for."""

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.faces.portal.two_firms import SIGNED_IN, person, two_firms

from tallystick.book.access.viewer import viewer_of
from tallystick.book.access.wall import behind_the_wall
from tallystick.book.collateral.models import Pool, PoolBase
from tallystick.book.financing.availability import availability
from tallystick.book.financing.models import Decision, Facility, Loan
from tallystick.book.parties.models import Party, Role
from tallystick.book.rights import APPLICATION_ROLE, FIRM_ROLE
from tallystick.book.servicing.models import LoanEvent, Position, SettlementLine
from tallystick.book.trade.models import Claim, ClaimEvent, Document
from tallystick.site import databases

OWNED = (
    (Facility, "supplier__code"),
    (Pool, "supplier__code"),
    (Decision, "facility__supplier__code"),
    (Loan, "facility__supplier__code"),
    (LoanEvent, "loan__facility__supplier__code"),
    (Position, "loan__facility__supplier__code"),
    (SettlementLine, "supplier__code"),
    (Claim, "supplier__code"),
    (ClaimEvent, "claim__supplier__code"),
    (Document, "supplier__code"),
)


@pytest.fixture(scope="module")
def firms(shared_database):
    return two_firms()


@pytest.fixture(scope="module")
def seller(firms):
    return viewer_of(person(Role.SUPPLIER, firms[1].facility.supplier))


@pytest.fixture
def as_a_firm() -> Iterator[None]:
    """As the firms' role, with nobody named."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {FIRM_ROLE}")
        yield


def readable_tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            " AND has_any_column_privilege(%s, tablename::text, 'SELECT') ORDER BY 1",
            [FIRM_ROLE],
        )
        return [name for (name,) in cursor.fetchall()]


@pytest.mark.parametrize(("model", "owner"), OWNED)
def test_a_query_without_any_filter_shows_a_firm_its_own_rows_only(firms, seller, model, owner):
    everybodys = set(model.objects.values_list(owner, flat=True))

    with behind_the_wall(seller):
        shown = set(model.objects.values_list(owner, flat=True))

    assert everybodys == {"OURSELLER", "NEIGHBOUR"}
    assert shown == {"OURSELLER"}


def test_a_firm_sees_the_parties_it_deals_with_and_not_its_neighbours(firms, seller):
    with behind_the_wall(seller):
        assert set(Party.objects.values_list("code", flat=True)) == {"OURSELLER", "JD", "LENDER"}


def test_every_table_a_firm_can_read_has_a_policy(shared_database):
    tables = readable_tables()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relrowsecurity AND EXISTS ("
            " SELECT FROM pg_policy WHERE polrelid = pg_class.oid AND"
            " %s::regrole = ANY (polroles) AND polcmd = 'r')",
            [FIRM_ROLE],
        )
        walled = {name for (name,) in cursor.fetchall()}

    assert tables
    assert [table for table in tables if table not in walled] == [], (
        "A firm can read these tables whole: name them in book/wall/migrations/0001_policies.py"
    )


def test_a_firm_can_write_nothing(shared_database):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            " AND has_table_privilege(%s, oid, 'INSERT, UPDATE, DELETE, TRUNCATE')",
            [FIRM_ROLE],
        )
        assert cursor.fetchall() == []


@pytest.mark.parametrize("party", [None, ""], ids=["never set", "left empty by a transaction"])
def test_where_no_firm_is_named_there_is_nothing(firms, as_a_firm, party):
    with connection.cursor() as cursor:
        if party is not None:
            cursor.execute("SELECT set_config('tally.party', %s, true)", [party])
        for table in readable_tables():
            if table in ("ledger_book", "parties_legalentity", "parties_party"):
                continue  # our own companies and their books are shown to all
            cursor.execute(f"SELECT count(*) FROM (SELECT 1 FROM {table}) AS seen")
            assert (table, cursor.fetchone()[0]) == (table, 0)


def test_a_connection_that_was_behind_the_wall_serves_the_application_again(firms, seller):
    with behind_the_wall(seller):
        pass

    assert Facility.objects.count() == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_setting('tally.party', true)")
        assert cursor.fetchone() == (APPLICATION_ROLE, "")


def test_a_connection_comes_back_after_a_failed_reading_too(firms, seller):
    with pytest.raises(DatabaseError), behind_the_wall(seller), connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")

    assert Facility.objects.count() == 2


def test_nothing_is_written_behind_the_wall(firms, seller):
    with pytest.raises(DatabaseError), behind_the_wall(seller):
        Facility.objects.update(limit_minor=1)


def test_the_wall_is_not_entered_within_a_transaction(firms, seller):
    with transaction.atomic(), pytest.raises(RuntimeError), behind_the_wall(seller):
        pass


def test_the_house_sees_both(firms):
    with behind_the_wall(viewer_of(person(Role.OPERATOR))):
        assert Facility.objects.count() == 2


def test_what_is_available_is_told_behind_the_wall_and_left_for_others_to_keep(firms, seller):
    scene, ours, _ = firms

    with behind_the_wall(seller):
        told = availability([ours.facility.pk], on=scene.today)[ours.facility.pk]
    kept = PoolBase.objects.count()

    assert told == availability([ours.facility.pk], on=scene.today)[ours.facility.pk]
    assert (kept, PoolBase.objects.count()) == (0, 1)


def test_a_firms_page_is_read_behind_the_wall(firms):
    client = Client(HTTP_HOST="localhost")
    client.force_login(person(Role.SUPPLIER, firms[2].facility.supplier), backend=SIGNED_IN)

    with CaptureQueriesContext(connection) as queries:
        assert client.get("/my/").status_code == 200

    assert any(f"ROLE {FIRM_ROLE}" in query["sql"] for query in queries)


def test_both_sides_name_the_same_role():
    assert databases.FIRM_ROLE == FIRM_ROLE
