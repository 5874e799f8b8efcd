"""What the server answers to."""

from django.urls import include, path

from tallystick.faces import health
from tallystick.faces.api.pages import docs
from tallystick.faces.api.v1 import api

urlpatterns = [
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("api/v1/docs", docs, name="api-docs"),
    path("api/v1/", api.urls),
    path("", include("tallystick.faces.portal.urls")),
]
handler400 = "tallystick.faces.portal.unread.bad_request"
handler404 = "tallystick.faces.portal.unread.not_found"
handler500 = "tallystick.faces.faults.fault"
