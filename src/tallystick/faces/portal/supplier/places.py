"""Where a supplier can go."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from tallystick.book.access.permissions import May
from tallystick.faces.portal.places import Place

SUPPLIER_PLACES: Sequence[Place] = (Place(_("Home"), "supplier-home", May.SEE_OWN),)
