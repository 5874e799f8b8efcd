"""Where a supplier can go."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from tallystick.book.access.permissions import May
from tallystick.faces.portal.places import Place

SUPPLIER_PLACES: Sequence[Place] = (
    Place(_("Home"), "supplier-home", May.SEE_OWN),
    Place(_("Dues"), "supplier-dues", May.SEE_OWN),
    Place(_("Overdue"), "supplier-overdue", May.SEE_OWN),
    Place(_("Loans"), "supplier-loans", May.SEE_OWN),
    Place(_("Claims"), "supplier-claims", May.SEE_OWN),
    Place(_("Statement"), "supplier-statement", May.SEE_OWN),
    Place(_("Cases"), "supplier-cases", May.SEE_OWN),
)
