# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The Hub: names of repositories, and what goes wrong there, in one line that says what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub import constants
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,  # that of httpx or httpx2, whichever this version of huggingface_hub uses
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import validate_repo_id

SIGN_IN = "sign in with `hf auth login`, or set HF_TOKEN"
_OF_THE_HUB = (HTTPError, LocalTokenNotFoundError, OfflineModeIsEnabled)


class HubError(ValueError):
    """The Hub cannot be reached, refuses, or holds what it should not; the message is one line."""


def check_repo_id(repo_id: str) -> None:
    """Check the form of the name of a repository.

    Raises:
        ValueError: it cannot be one.
    """
    try:
        validate_repo_id(repo_id)
    except HFValidationError as error:
        raise ValueError(f"{repo_id!r} is not the name of a repository ({error})") from None
    if "/" not in repo_id:
        raise ValueError(f"{repo_id}: give the repository as OWNER/NAME")


def is_repo_id(name: str) -> bool:
    """Whether a name has the form of that of a repository, OWNER/NAME."""
    try:
        check_repo_id(name)
    except ValueError:
        return False
    return True


@contextmanager
def asking_the_hub(about: str) -> Iterator[None]:
    """Let what `huggingface_hub` raises be an error of one line.

    Args:
        about: the repository or collection, which the message begins with.

    Raises:
        HubError: the Hub cannot be reached or refuses, or files cannot be read or written.
    """
    try:
        yield
    except HubError:
        raise
    except Exception as error:
        # A ValueError of huggingface_hub says what is wrong; an upload or download that fails is
        # wrapped into errors that say less than their cause.
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, _OF_THE_HUB):
            cause = None if isinstance(cause, ValueError) else cause.__cause__
        if cause is not None:
            raise HubError(f"{about}: {_explain(cause)}") from None
        if isinstance(error, ValueError | RuntimeError | OSError):
            raise HubError(f"{about}: {' '.join(str(error).split())}") from None
        raise


def _explain(error: BaseException) -> str:
    if isinstance(error, OfflineModeIsEnabled):
        return "the Hub is not asked while HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set"
    if isinstance(error, LocalTokenNotFoundError):
        return f"nobody is signed in; {SIGN_IN}"
    if not isinstance(error, HfHubHTTPError):
        reason = " ".join(str(error).split()) or type(error).__name__
        return f"no connection to {constants.ENDPOINT} ({reason}); try the same command again"
    if isinstance(error, GatedRepoError):
        return (
            f"access is restricted; ask for it on its page at {constants.ENDPOINT}, and {SIGN_IN}"
        )
    if isinstance(error, RevisionNotFoundError):
        return "there is no such revision"
    status = error.response.status_code
    said = " ".join((error.server_message or "").split())
    words = f" ({status}: {said})" if said else f" ({status})"
    if isinstance(error, RepositoryNotFoundError):
        return f"not there, or private and not for this token; check the name, or {SIGN_IN}"
    match status:
        case 401:
            return f"the token is not valid{words}; {SIGN_IN}"
        case 403:
            return f"the Hub refuses{words}; a token with the right to write may be needed"
        case 404:
            return f"not there{words}"
        case 412:
            return "somebody else has committed meanwhile; look at the plan again"
        case 413 | 507:
            return f"there is no room for it on the Hub{words}"
        case 429 | 500 | 502 | 503 | 504:
            return f"the Hub failed{words}; try the same command again"
        case _:
            return f"the Hub refuses{words}"
