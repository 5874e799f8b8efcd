"""The house's pages."""

from django.urls import include, path

from tallystick.faces.portal.house import today

urlpatterns = [
    path("", include("tallystick.faces.portal.house.back_office_urls")),
    path("", include("tallystick.faces.portal.house.lending_urls")),
    path("", include("tallystick.faces.portal.house.machine_urls")),
    path("", today.house_today, name="house-today"),
]
