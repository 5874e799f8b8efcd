from django.apps import AppConfig


class SalesCreditConfig(AppConfig):
    name = "tallystick.book.sales_credit"
    label = "sales_credit"
    default_auto_field = "django.db.models.BigAutoField"
