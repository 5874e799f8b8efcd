"""How an operation is declared: its scope, its answers, every problem it may answer, an example."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Header, Router, Status
from pydantic import BaseModel, Field

from tallystick.book.access.viewer import Viewer
from tallystick.book.access.wall import behind_the_wall
from tallystick.book.acts.asked import was_asked
from tallystick.book.acts.once import Caller
from tallystick.book.parties.models import User
from tallystick.faces.api.keys import ClientKey
from tallystick.faces.api.problems import KEY_HEADER

CHANNEL = "api"

_ALWAYS = (401, 403, 422, 429, 500, 503)

IdempotencyKey = Annotated[
    str,
    Header(
        alias=KEY_HEADER,
        min_length=1,
        max_length=200,
        description="A text of your choice that names this request. Repeated with the same body it "
        "gets the first answer, with another body a conflict.",
    ),
]

View = Callable[..., Any]


class FieldProblem(BaseModel):
    """One place of a request, and what is wrong there."""

    where: str
    problem: str


class Problem(BaseModel):
    """Problem details (RFC 9457), with the fields of the refusal as further members."""

    type: str = Field(description="Stable name of this kind of problem, a URN.")
    title: str
    status: int
    detail: str = Field(description="What was asked for, what is possible, and what to do.")
    request_id: str
    errors: list[FieldProblem] | None = None


def reads(
    router: Router,
    path: str,
    *,
    scope: str | None,
    answer: type[BaseModel],
    example: Mapping[str, Any],
    statuses: Sequence[int] = (),
) -> Callable[[View], View]:
    """Declare a GET. ``statuses``: problems besides those that every operation may answer.

    What a firm's client asks for is read behind the second wall.
    """

    def declared(view: View) -> View:
        @wraps(view)
        def read(request: HttpRequest, *arguments: Any, **named: Any) -> Any:
            with behind_the_wall(viewer_of(request)):
                return view(request, *arguments, **named)

        return router.get(
            path,
            auth=ClientKey(scope),
            response={200: answer, **_problems(*_ALWAYS, *statuses)},
            openapi_extra=_extra(scope, 200, example),
        )(read)

    return declared


def writes(
    router: Router,
    path: str,
    *,
    scope: str,
    answer: type[BaseModel],
    body_example: Mapping[str, Any],
    example: Mapping[str, Any],
    status: int = 201,
    statuses: Sequence[int] = (),
) -> Callable[[View], View]:
    """Declare a POST whose view answers the content; it is sent with ``status``."""

    def declared(view: View) -> View:
        @wraps(view)
        def answered(request: HttpRequest, *arguments: Any, **named: Any) -> Status[Any]:
            return Status(status, view(request, *arguments, **named))

        extra = _extra(scope, status, example)
        extra["requestBody"] = {"content": {"application/json": {"example": dict(body_example)}}}
        return router.post(
            path,
            auth=ClientKey(scope),
            response={status: answer, **_problems(400, *_ALWAYS, 409, 413, 415, *statuses)},
            openapi_extra=extra,
        )(answered)

    return declared


def viewer_of(request: HttpRequest) -> Viewer:
    return request.machine.viewer


def person_of(request: HttpRequest) -> User:
    """The person for whom the client speaks; its scope says that there is one."""
    return User.objects.get(pk=request.machine.user_id)


def caller_of(
    request: HttpRequest, response: HttpResponse, *, key: str, reason: str = ""
) -> Caller:
    """Who acts; and ``response`` says whether the key was asked for before.

    Of two requests that race with one key neither may find the other, though both get one answer.
    """
    caller = viewer_of(request).caller(CHANNEL, reason)
    if was_asked(caller, key):
        tell_repeated(response)
    return caller


def tell_repeated(response: HttpResponse) -> None:
    """Say that the answer is the one that the key was given the first time."""
    response["Idempotency-Replayed"] = "true"


def _problems(*statuses: int) -> dict[int, Any]:
    return dict.fromkeys(sorted(set(statuses)), Problem)


def _extra(scope: str | None, status: int, example: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "x-scope": scope or "",
        "responses": {
            status: {"content": {"application/json": {"example": dict(example)}}},
        },
    }
