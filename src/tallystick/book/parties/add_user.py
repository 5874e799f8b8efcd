"""Add somebody who may sign in."""

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from tallystick.book.acts.once import Caller, once
from tallystick.book.parties.models import Party, Role, User
from tallystick.rules.refusal import Refusal


class NotAnAddress(Refusal):
    """The e-mail address is none."""

    def __init__(self, email: str) -> None:
        super().__init__(f"{email!r} is not an e-mail address. Write it as name@firm.example.")


class UnknownRole(Refusal):
    """There is no such role."""

    def __init__(self, role: str) -> None:
        super().__init__(f"There is no role {role!r}. There is: {', '.join(sorted(Role.values))}.")


class UserExists(Refusal):
    """The address is taken; addresses differ by more than capitals."""

    def __init__(self, email: str) -> None:
        super().__init__(f"There is a user {email} already. Nothing was changed.")


class FirmMissing(Refusal):
    """A supplier's user belongs to a firm that is in the register."""

    def __init__(self, party_code: str | None) -> None:
        asked = f"There is no firm {party_code!r}" if party_code else "No firm was named"
        super().__init__(
            f"{asked}. A supplier's user belongs to a firm whose trade was imported; name its code."
        )


class WeakPassword(Refusal):
    """The password could be guessed."""

    def __init__(self, why: list[str]) -> None:
        super().__init__("This password is not accepted: " + " ".join(why))


def add_user(
    *,
    email: str,
    role: str,
    password: str,
    party_code: str | None,
    caller: Caller,
    must_change_password: bool = False,
) -> User:
    """A user who signs in with ``password``, of which only the argon2 hash is kept.

    ``must_change_password``: somebody else has seen it, so that it lets in once, to change it.

    Raises NotAnAddress, UnknownRole, UserExists, FirmMissing, WeakPassword.
    """
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise NotAnAddress(email) from None
    if role not in Role.values:
        raise UnknownRole(role)
    # The password is no part of the request, which is kept.
    request = {"email": email, "role": role, "firm": party_code}
    with once(caller, key=f"user:{email}", kind="add_user", request=request) as act:
        if act.earlier is not None or User.objects.filter(email__iexact=email).exists():
            raise UserExists(email)
        party = Party.objects.filter(code=party_code).first() if party_code else None
        if party is None and (party_code or role == Role.SUPPLIER):
            raise FirmMissing(party_code)
        user = User(email=email, role=role, party=party, must_change_password=must_change_password)
        user.password = hashed(password, user)
        user.save()
        act.answer({"user": email})
    return user


def hashed(password: str, user: User) -> str:
    """What is kept of the password. Raises WeakPassword."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WeakPassword(error.messages) from None
    return make_password(password)
