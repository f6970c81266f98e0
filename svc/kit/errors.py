"""The error tree, and its mapping to gRPC statuses in both directions.

    ParleyError
    ├── InvalidArgumentError      the request is malformed
    ├── NotFoundError             there is no such thing
    ├── AlreadyExistsError        it exists already
    ├── PermissionDeniedError     the caller may not
    ├── UnauthenticatedError      the caller is not known
    ├── FailedPreconditionError   the state does not allow it
    │   └── NotOwnerError         another instance owns the key
    ├── ResourceExhaustedError    a limit was reached
    ├── UnavailableError          not reachable or not ready; trying again helps
    │   └── FencedError           too long without Consul to be sure of owning anything
    ├── DeadlineError             took too long
    ├── DataLossError             data that should exist is gone
    └── InternalError             a defect of ours

Servicers translate these; nobody else does. Each carries the numbers involved and whether a retry helps.
"""

from __future__ import annotations

import grpc
from google.protobuf import any_pb2
from google.rpc import status_pb2

from parley.errors.v1 import error_detail_pb2 as detail_pb2

STATUS_DETAILS_KEY = "grpc-status-details-bin"
"""Metadata key in which gRPC carries a google.rpc.Status (see the gRPC richer error model)."""


class ParleyError(Exception):
    """Base of every error that may cross a tier's boundary.

    `subject` names the field or limit; `limit` and `actual` are its numbers; `retry_after_s` is advice, 0 for none.
    """

    code: grpc.StatusCode = grpc.StatusCode.INTERNAL
    reason: detail_pb2.ErrorReason.ValueType = detail_pb2.ERROR_REASON_INTERNAL
    retryable: bool = False

    def __init__(
        self,
        message: str,
        *,
        subject: str = "",
        limit: int = 0,
        actual: int = 0,
        retry_after_s: float = 0.0,
        ring_fingerprint: int = 0,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.subject = subject
        self.limit = limit
        self.actual = actual
        self.retry_after_s = retry_after_s
        self.ring_fingerprint = ring_fingerprint

    def detail(self) -> detail_pb2.ErrorDetail:
        """Return what travels inside the gRPC status."""
        return detail_pb2.ErrorDetail(
            reason=self.reason,
            retryable=self.retryable,
            retry_after_ms=int(self.retry_after_s * 1000),
            subject=self.subject,
            limit=self.limit,
            actual=self.actual,
            ring_fingerprint=self.ring_fingerprint,
        )


class InvalidArgumentError(ParleyError):
    """The request is malformed; the same request will always fail."""

    code = grpc.StatusCode.INVALID_ARGUMENT
    reason = detail_pb2.ERROR_REASON_INVALID_ARGUMENT


class NotFoundError(ParleyError):
    """There is no such thing, or the caller may not know of it."""

    code = grpc.StatusCode.NOT_FOUND
    reason = detail_pb2.ERROR_REASON_NOT_FOUND


class AlreadyExistsError(ParleyError):
    """It exists already."""

    code = grpc.StatusCode.ALREADY_EXISTS
    reason = detail_pb2.ERROR_REASON_ALREADY_EXISTS


class PermissionDeniedError(ParleyError):
    """The caller is known and may not."""

    code = grpc.StatusCode.PERMISSION_DENIED
    reason = detail_pb2.ERROR_REASON_PERMISSION_DENIED


class UnauthenticatedError(ParleyError):
    """The caller is not known."""

    code = grpc.StatusCode.UNAUTHENTICATED
    reason = detail_pb2.ERROR_REASON_UNAUTHENTICATED


class FailedPreconditionError(ParleyError):
    """The state of the system does not allow it."""

    code = grpc.StatusCode.FAILED_PRECONDITION
    reason = detail_pb2.ERROR_REASON_FAILED_PRECONDITION


class NotOwnerError(FailedPreconditionError):
    """Another instance owns the key; look at the ring again."""

    reason = detail_pb2.ERROR_REASON_NOT_OWNER
    retryable = True


class ResourceExhaustedError(ParleyError):
    """A limit was reached; `subject`, `limit` and `actual` say which."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    reason = detail_pb2.ERROR_REASON_RESOURCE_EXHAUSTED
    retryable = True


class UnavailableError(ParleyError):
    """The other side cannot be reached or is not ready."""

    code = grpc.StatusCode.UNAVAILABLE
    reason = detail_pb2.ERROR_REASON_UNAVAILABLE
    retryable = True


class FencedError(UnavailableError):
    """This instance has not heard from Consul for longer than its fence time."""

    reason = detail_pb2.ERROR_REASON_FENCED


class DeadlineError(ParleyError):
    """It took too long; whether it happened is not known."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED
    reason = detail_pb2.ERROR_REASON_DEADLINE_EXCEEDED
    retryable = True


class DataLossError(ParleyError):
    """Data that should exist is gone or unreadable."""

    code = grpc.StatusCode.DATA_LOSS
    reason = detail_pb2.ERROR_REASON_DATA_LOSS


class InternalError(ParleyError):
    """A defect of ours."""


_TREE: tuple[type[ParleyError], ...] = (
    InvalidArgumentError,
    NotFoundError,
    AlreadyExistsError,
    PermissionDeniedError,
    UnauthenticatedError,
    FailedPreconditionError,
    NotOwnerError,
    ResourceExhaustedError,
    UnavailableError,
    FencedError,
    DeadlineError,
    DataLossError,
    InternalError,
)
_BY_REASON = {error.reason: error for error in _TREE}
# The more general error comes first in the tree, so the first one with a code is the one to fall back to.
_BY_CODE = {error.code: error for error in reversed(_TREE)}


def status_trailer(error: ParleyError) -> tuple[str, bytes]:
    """Return the trailing-metadata pair that carries `error`'s detail, as the richer error model asks."""
    packed = any_pb2.Any()
    packed.Pack(error.detail())
    number, _ = error.code.value
    status = status_pb2.Status(code=number, message=error.message, details=[packed])
    return STATUS_DETAILS_KEY, status.SerializeToString()


def from_rpc_error(error: grpc.RpcError) -> ParleyError:
    """Translate a failed call into the tree: by the detail it carries, else by its status code alone."""
    if not isinstance(error, grpc.aio.AioRpcError):
        return UnavailableError(str(error))
    message = error.details() or error.code().name
    detail = _detail_of(error)
    if detail is None:
        return _BY_CODE.get(error.code(), UnavailableError)(message)
    kind = _BY_REASON.get(detail.reason) or _BY_CODE.get(error.code(), InternalError)
    return kind(
        message,
        subject=detail.subject,
        limit=detail.limit,
        actual=detail.actual,
        retry_after_s=detail.retry_after_ms / 1000,
        ring_fingerprint=detail.ring_fingerprint,
    )


def _detail_of(error: grpc.aio.AioRpcError) -> detail_pb2.ErrorDetail | None:
    for key, value in error.trailing_metadata() or ():
        if key == STATUS_DETAILS_KEY and isinstance(value, bytes):
            for packed in status_pb2.Status.FromString(value).details:
                detail = detail_pb2.ErrorDetail()
                if packed.Unpack(detail):
                    return detail
    return None
