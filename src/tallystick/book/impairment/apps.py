from django.apps import AppConfig


class ImpairmentConfig(AppConfig):
    name = "tallystick.book.impairment"
    label = "impairment"
    default_auto_field = "django.db.models.BigAutoField"
