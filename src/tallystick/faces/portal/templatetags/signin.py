"""Drawing what an authenticator app scans."""

import qrcode
from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

QUIET_MODULES = 4
"""The empty edge that readers need, in modules. Source: ISO/IEC 18004."""


@register.simple_tag
def qr_code(text: str) -> SafeString:
    """``text`` as a QR code: an SVG element, so that no image has to be let in by ``data:``."""
    code = qrcode.QRCode(border=QUIET_MODULES)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    dark = "".join(
        f"M{x} {y}h1v1h-1z"
        for y, row in enumerate(rows)
        for x, is_dark in enumerate(row)
        if is_dark
    )
    size = len(rows)
    # Of numbers only: nothing of the text gets into it as text.
    return mark_safe(
        f'<svg viewBox="0 0 {size} {size}" role="img" shape-rendering="crispEdges">'
        f'<rect class="light" width="{size}" height="{size}"/><path class="dark" d="{dark}"/></svg>'
    )
