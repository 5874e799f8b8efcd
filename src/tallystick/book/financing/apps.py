from django.apps import AppConfig


class FinancingConfig(AppConfig):
    name = "tallystick.book.financing"
    label = "financing"
    default_auto_field = "django.db.models.BigAutoField"
