"""What the server answers to."""

from django.urls import include, path

from tallystick.faces import health

urlpatterns = [
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("", include("tallystick.faces.portal.urls")),
]
