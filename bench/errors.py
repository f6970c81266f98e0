"""Why a benchmark cannot be run here."""

__all__ = ["CannotMeasure"]


class CannotMeasure(Exception):
    """Something that it needs is missing; `hint` says how to get it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
