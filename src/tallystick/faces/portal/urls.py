"""The portal's addresses."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import include, path


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """To the first page of whoever signed in."""
    return redirect("house-today" if request.viewer.party_id is None else "supplier-home")


urlpatterns = [
    path("", home, name="home"),
    path("my/", include("tallystick.faces.portal.supplier.urls")),
    path("house/", include("tallystick.faces.portal.house.urls")),
    path("account/", include("tallystick.faces.portal.signin.urls")),
    path("language/", include("django.conf.urls.i18n")),
]
