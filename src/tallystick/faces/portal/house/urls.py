"""The house's pages."""

from django.urls import path

from tallystick.faces.portal.house import today

urlpatterns = [
    path("", today.house_today, name="house-today"),
]
