"""Give a user another password; whoever was signed in with the old one is signed out."""

from uuid import uuid4

from tallystick.book.acts.once import Caller, once
from tallystick.book.parties.add_user import hashed
from tallystick.book.parties.models import User
from tallystick.rules.refusal import Refusal


class UnknownUser(Refusal):
    """There is no user with this address."""

    def __init__(self, email: str) -> None:
        super().__init__(f"There is no user {email!r}. `tally user list` names them.")


def set_password(
    *, email: str, password: str, caller: Caller, must_change_password: bool = False
) -> User:
    """The user with ``password``, of which only the argon2 hash is kept.

    ``must_change_password``: somebody else has seen it, so that it lets in once, to change it.
    Sessions carry a digest of the password's hash, so that all of the user's end with it.

    Raises UnknownUser, WeakPassword.
    """
    user = User.objects.filter(email__iexact=email.strip()).first()
    if user is None:
        raise UnknownUser(email)
    password_hash = hashed(password, user)
    # Each time is an act of its own; the password is no part of the request, which is kept.
    with once(
        caller,
        key=f"password:{user.pk}:{uuid4()}",
        kind="set_password",
        request={"email": user.email},
    ) as act:
        user.password = password_hash
        user.must_change_password = must_change_password
        user.save(update_fields=["password", "must_change_password"])
        act.answer({"user": user.email})
    return user
