from django.apps import AppConfig


class CollectionsConfig(AppConfig):
    name = "tallystick.book.collections"
    label = "collections"
    default_auto_field = "django.db.models.BigAutoField"
