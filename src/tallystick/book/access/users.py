"""What operators do with users: shut out, let in again, unlock, take a second factor off.

Adding one and setting a password are ``book.parties.add_user`` and ``book.parties.set_password``.
"""

from collections.abc import Callable, Mapping
from typing import Any

from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt
from django.db.models import QuerySet

from tallystick.book.access.sessions import end_sessions
from tallystick.book.acts.once import Caller, once
from tallystick.book.parties.models import Role, User
from tallystick.book.parties.set_password import UnknownUser
from tallystick.rules.refusal import Refusal


class RoleNeedsFirm(Refusal):
    """A supplier's user belongs to a firm, and nobody else's does."""

    def __init__(self, user: User, role: Role) -> None:
        super().__init__(
            f"{user.email} cannot become {role.label}: the firm's people are suppliers, and "
            "nobody else is. Add another user for the other role."
        )


class ActsOnOneself(Refusal):
    """Nobody shuts out or promotes the person they signed in as."""

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} is who you are. Ask another operator to do this for you.")


def user_called(email: str) -> User:
    """Raises UnknownUser."""
    user = User.objects.filter(email__iexact=email.strip()).select_related("party").first()
    if user is None:
        raise UnknownUser(email)
    return user


def disable_user(email: str, *, caller: Caller, key: str) -> Mapping[str, Any]:
    """Shut a user out: sign-in is refused and every session ends. What they did stays.

    Raises UnknownUser, ActsOnOneself, KeyConflict.
    """

    def shut_out(user: User) -> dict[str, Any]:
        user.is_active = False
        user.save(update_fields=["is_active"])
        return {"user": user.email, "sessions_ended": end_sessions(user)}

    return _act("disable_user", email, shut_out, caller=caller, key=key, not_oneself=True)


def enable_user(email: str, *, caller: Caller, key: str) -> Mapping[str, Any]:
    """Let a user in again who was disabled. Raises UnknownUser, ActsOnOneself, KeyConflict."""

    def let_in(user: User) -> dict[str, Any]:
        user.is_active = True
        user.save(update_fields=["is_active"])
        return {"user": user.email}

    return _act("enable_user", email, let_in, caller=caller, key=key, not_oneself=True)


def change_role(email: str, role: Role, *, caller: Caller, key: str) -> Mapping[str, Any]:
    """Give a user of the house another role there; sessions end, as pages shown may not be theirs.

    Raises UnknownUser, RoleNeedsFirm, ActsOnOneself, KeyConflict.
    """

    def change(user: User) -> dict[str, Any]:
        if (user.party_id is not None) != (role == Role.SUPPLIER):
            raise RoleNeedsFirm(user, role)
        former, user.role = user.role, role
        user.save(update_fields=["role"])
        end_sessions(user)
        return {"user": user.email, "role": role.value, "former_role": former}

    return _act(
        "change_role",
        email,
        change,
        caller=caller,
        key=key,
        not_oneself=True,
        asked={"role": role.value},
    )


def unlock_user(email: str, *, caller: Caller, key: str) -> Mapping[str, Any]:
    """Forget failed attempts to sign in, from every address. Raises UnknownUser, KeyConflict."""

    def unlock(user: User) -> dict[str, Any]:
        forgotten, _ = failed_attempts(user).delete()
        return {"user": user.email, "was_locked": forgotten > 0}

    return _act("unlock_user", email, unlock, caller=caller, key=key)


def reset_second_factor(email: str, *, caller: Caller, key: str) -> Mapping[str, Any]:
    """Take codes, recovery codes and passkeys off a user who has lost them; sessions end.

    The password alone lets in afterwards: make sure of who asks. Raises UnknownUser,
    ActsOnOneself, KeyConflict.
    """

    def reset(user: User) -> dict[str, Any]:
        removed, _ = Authenticator.objects.filter(user_id=user.pk).delete()
        end_sessions(user)
        return {"user": user.email, "removed": removed}

    return _act("reset_second_factor", email, reset, caller=caller, key=key, not_oneself=True)


def failed_attempts(user: User) -> QuerySet[AccessAttempt]:
    """Attempts to sign in as the user that failed and still count."""
    return AccessAttempt.objects.filter(username__iexact=user.email)


def _act(
    kind: str,
    email: str,
    done: Callable[[User], dict[str, Any]],
    *,
    caller: Caller,
    key: str,
    not_oneself: bool = False,
    asked: Mapping[str, str] | None = None,
) -> Mapping[str, Any]:
    user = user_called(email)
    if not_oneself and caller.actor.lower() == user.email.lower():
        raise ActsOnOneself(user.email)
    request = {"email": user.email, **(asked or {})}
    with once(caller, key=key, kind=kind, request=request) as act:
        if act.earlier is None:
            act.answer(done(User.objects.select_for_update().get(pk=user.pk)))
    return act.earlier or act.given or {}
