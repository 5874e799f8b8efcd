"""Where the house's people can go."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from tallystick.book.access.permissions import May
from tallystick.faces.portal.places import Place

HOUSE_PLACES: Sequence[Place] = (Place(_("Today"), "house-today", May.SEE_HOUSE),)
