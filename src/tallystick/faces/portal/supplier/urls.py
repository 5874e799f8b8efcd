"""The supplier's pages."""

from django.urls import path

from tallystick.faces.portal.supplier import home

urlpatterns = [
    path("", home.supplier_home, name="supplier-home"),
]
