"""The application keeps sessions, second factors and failed attempts to sign in."""

from django.db import migrations

from tallystick.book import rights


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("parties", "0001_initial"),
        ("acts", "0002_guards_and_rights"),
        ("sessions", "0001_initial"),
        ("account", "__latest__"),
        ("mfa", "__latest__"),
        ("usersessions", "__latest__"),
        ("axes", "__latest__"),
    ]

    operations = rights.ordinary(
        [
            "django_session",
            "account_emailaddress",
            "account_emailconfirmation",
            "mfa_authenticator",
            "usersessions_usersession",
            "axes_accessattempt",
            "axes_accessattemptexpiration",
            "axes_accessfailurelog",
            "axes_accesslog",
        ]
    )
