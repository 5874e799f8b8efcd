"""The pages about machines: clients of the API, and servers that are told what happens."""

from django.urls import path

from tallystick.faces.portal.house import clients, webhooks

urlpatterns = [
    path("clients/", clients.listed, name="house-clients"),
    path("clients/add/", clients.add, name="house-clients-add"),
    path("clients/revoke/<str:code>/", clients.revoke, name="house-clients-revoke"),
    path("webhooks/", webhooks.listed, name="house-webhooks"),
    path("webhooks/add/", webhooks.add, name="house-webhooks-add"),
    path("webhooks/rotate/<str:code>/", webhooks.rotate, name="house-webhooks-rotate"),
    path("webhooks/disable/<str:code>/", webhooks.disable, name="house-webhooks-disable"),
    path("webhooks/replay/<int:number>/", webhooks.replay, name="house-webhooks-replay"),
]
