"""Where the house's people can go, by what they come for."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from tallystick.book.access.permissions import May
from tallystick.faces.portal.places import Group, Place

HOUSE_GROUPS: Sequence[Group] = (
    Group(
        _("Today"),
        (
            Place(_("Today"), "house-today", May.SEE_HOUSE),
            Place(_("Worklist"), "house-worklist", May.SEE_HOUSE),
            Place(_("To approve"), "house-approvals", May.SEE_HOUSE),
        ),
    ),
    Group(
        _("Lending"),
        (
            Place(_("Loans"), "house-loans", May.SEE_HOUSE),
            Place(_("Advances"), "house-advances", May.SEE_HOUSE),
            Place(_("Facilities"), "house-facilities", May.SEE_HOUSE),
            Place(_("Claims"), "house-claims", May.SEE_HOUSE),
            Place(_("Firms"), "house-parties", May.SEE_HOUSE),
            Place(_("Collections"), "house-collections", May.SEE_HOUSE),
        ),
    ),
    Group(_("Cash"), (Place(_("Cash"), "house-cash", May.SEE_HOUSE),)),
    Group(
        _("Books"),
        (
            Place(_("Close"), "house-close", May.SEE_HOUSE),
            Place(_("Ledger"), "house-ledger", May.SEE_HOUSE),
            Place(_("Journals"), "house-journals", May.SEE_HOUSE),
            Place(_("Classes"), "house-classes", May.SEE_HOUSE),
            Place(_("Proofs"), "house-proof", May.SEE_HOUSE),
            Place(_("Audit trail"), "house-audit", May.SEE_AUDIT),
        ),
    ),
    Group(
        _("Set-up"),
        (
            Place(_("Programmes"), "house-programmes", May.SEE_HOUSE),
            Place(_("Users"), "house-users", May.MANAGE_USERS),
            Place(_("Machine clients"), "house-clients", May.MANAGE_CLIENTS),
            Place(_("Webhooks"), "house-webhooks", May.MANAGE_CLIENTS),
        ),
    ),
)
