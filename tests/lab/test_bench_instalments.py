"""The benchmark of instalments lives through what it says, with a few loans and a few months."""

from tallystick.book.financing.models import Loan
from tallystick.lab.bench import instalments


def test_loans_are_drawn_paid_as_they_fall_due_and_found_to_be_their_folds(database, monkeypatch):
    monkeypatch.setattr(instalments, "AGES_DAYS", (1, 30))

    lived = instalments.live(loans=3, last_age_days=34)

    # Drawn on 2 January: the first instalments fall due on 2 February.
    assert lived.days_of_dues == {30}
    assert set(Loan.objects.values_list("due_date__month", "status")) == {(3, "live")}
    figures = instalments.measure(lived)
    assert all(figure.measured > 0 for figure in figures[:-1])
    assert figures[-1].measured == 0
