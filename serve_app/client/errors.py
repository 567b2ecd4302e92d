"""The exception family of the client.

ClientError
├── UnreachableError                no answer: refused, reset, no such host
│   └── AnswerTimeoutError          no answer in time
├── AnswerError                     an answer that is not the contract's
└── ProblemError                    the service said no: `.problem`, `.status`
    ├── InvalidRequestError         a field is wrong; also raised before anything is sent
    ├── NotAllowedError             the key is missing, wrong or not enough
    ├── NotFoundError               no such thing
    │   ├── UnknownGameError        the game is not registered
    │   └── PredictionNotMadeError  the game has no prediction (yet)
    │       └── InsufficientPatternError    nor may it have one: too many minutes not seen
    ├── ConflictError               the same id with other content
    ├── TooLargeError               a body or a list over the limit
    ├── OverloadedError             come back later: `.retry_after_seconds`
    └── ServiceFailedError          the service's own failure

Every message names the request, and what the service said about it. No message holds the key.
"""

from http import HTTPStatus

from serve_app.schemas import Problem

UNKNOWN_GAME = "urn:problem:unknown_game"
NO_TYPE = "about:blank"
"""The type of an error that did not come as problem details (RFC 9457, section 4.2.1)."""


class ClientError(Exception):
    """Base of every error that the client raises."""


class UnreachableError(ClientError):
    """The service gave no answer: connection refused or lost, no such host."""


class AnswerTimeoutError(UnreachableError):
    """The service gave no answer in time; what was asked may have been done."""


class AnswerError(ClientError):
    """The service answered with something that is not in the contract."""


class ProblemError(ClientError):
    """The service refused or failed, and said why.

    Attributes:
        problem: the problem details; one of type `about:blank` where the answer held none.
        status: the HTTP status of the answer.
        retry_after_seconds: how long the service asked to wait, where it did.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        request: str = "",
        status: int | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        self.problem = problem
        self.status = problem.status if status is None else status
        self.retry_after_seconds = retry_after_seconds
        said = f"{self.status} {problem.title}: {problem.detail} ({problem.type})"
        super().__init__(f"{request}: {said}" if request else said)


class InvalidRequestError(ProblemError):
    """A field of the request is wrong; the detail names it, its value and what was expected."""


class NotAllowedError(ProblemError):
    """The key is missing, wrong, or not enough for this."""


class NotFoundError(ProblemError):
    """There is no such thing."""


class UnknownGameError(NotFoundError):
    """The game is not registered."""


class PredictionNotMadeError(NotFoundError):
    """The game has no prediction: not yet, or it missed its moment."""


class InsufficientPatternError(PredictionNotMadeError):
    """The game is past its trigger, but too many minutes saw no update; the problem lists them."""


class ConflictError(ProblemError):
    """The same id was used before with other content."""


class TooLargeError(ProblemError):
    """The body or the list is over the service's limit."""


class OverloadedError(ProblemError):
    """The service has no room now; `retry_after_seconds` where it said for how long."""


class ServiceFailedError(ProblemError):
    """The service failed on its own side."""


_BY_TYPE: dict[str, type[ProblemError]] = {
    "urn:problem:invalid_request": InvalidRequestError,
    "urn:problem:malformed_body": InvalidRequestError,
    "urn:problem:misplaced_key": NotAllowedError,
    "urn:problem:insufficient_pattern": InsufficientPatternError,
    "urn:problem:not_found": NotFoundError,
    UNKNOWN_GAME: UnknownGameError,
    "urn:problem:prediction_not_made": PredictionNotMadeError,
    "urn:problem:conflict": ConflictError,
    "urn:problem:payload_too_large": TooLargeError,
    "urn:problem:list_too_long": TooLargeError,
    "urn:problem:unavailable": OverloadedError,
    "urn:problem:timeout": ServiceFailedError,
    "urn:problem:internal": ServiceFailedError,
}
_BY_STATUS: dict[int, type[ProblemError]] = {
    400: InvalidRequestError,
    401: NotAllowedError,
    403: NotAllowedError,
    404: NotFoundError,
    409: ConflictError,
    413: TooLargeError,
    422: InvalidRequestError,
    429: OverloadedError,
    503: OverloadedError,
}


def problem_error(
    problem: Problem,
    *,
    request: str = "",
    status: int | None = None,
    retry_after_seconds: float | None = None,
) -> ProblemError:
    """The error for a problem: its type decides, for an unknown type the HTTP status does."""
    code = problem.status if status is None else status
    fallback = ServiceFailedError if code >= HTTPStatus.INTERNAL_SERVER_ERROR else ProblemError
    kind = _BY_TYPE.get(problem.type) or _BY_STATUS.get(code, fallback)
    return kind(problem, request=request, status=status, retry_after_seconds=retry_after_seconds)


def is_temporary(error: ClientError) -> bool:
    """Whether the same request may succeed later: no answer, 429, or a failure of the service."""
    if isinstance(error, ProblemError):
        return error.status == HTTPStatus.TOO_MANY_REQUESTS or error.status >= 500
    return isinstance(error, UnreachableError)


def is_no_service(error: ClientError) -> bool:
    """Whether a proxy answered 404 or 405 for a service behind it that is not up."""
    no_route = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
    return (
        isinstance(error, ProblemError)
        and error.problem.type == NO_TYPE
        and error.status in no_route
    )


def is_failure(error: ClientError) -> bool:
    """Whether the service broke on the request (500): a failure that the content may cause."""
    return isinstance(error, ProblemError) and error.status == HTTPStatus.INTERNAL_SERVER_ERROR


def is_refusal(error: ClientError) -> bool:
    """Whether the service said no to the content, so that asking again is of no use.

    A bare 404 or 405 is not: a proxy says it while the service behind it is not up yet. Neither
    is a refused key: it may be granted, and until then nothing that was seen may get lost.
    """
    if not isinstance(error, ProblemError) or not 400 <= error.status < 500:
        return False
    if isinstance(error, NotAllowedError):
        return False
    return error.status not in {408, 429} and not is_no_service(error)
