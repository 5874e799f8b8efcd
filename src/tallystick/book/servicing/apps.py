from django.apps import AppConfig


class ServicingConfig(AppConfig):
    name = "tallystick.book.servicing"
    label = "servicing"
    default_auto_field = "django.db.models.BigAutoField"
