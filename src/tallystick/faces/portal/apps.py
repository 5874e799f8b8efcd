from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "tallystick.faces.portal"
    label = "portal"
