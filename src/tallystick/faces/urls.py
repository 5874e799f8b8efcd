"""What the server answers to."""

from django.urls import path

from tallystick.faces import health

urlpatterns = [
    path("health/live", health.live),
    path("health/ready", health.ready),
]
