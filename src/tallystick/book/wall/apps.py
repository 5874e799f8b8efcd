from django.apps import AppConfig


class WallConfig(AppConfig):
    name = "tallystick.book.wall"
    label = "wall"
