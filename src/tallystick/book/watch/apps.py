from django.apps import AppConfig


class WatchConfig(AppConfig):
    name = "tallystick.book.watch"
    label = "watch"
    default_auto_field = "django.db.models.BigAutoField"
