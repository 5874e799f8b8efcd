from django.apps import AppConfig


class FundingConfig(AppConfig):
    name = "tallystick.book.funding"
    label = "funding"
    default_auto_field = "django.db.models.BigAutoField"
