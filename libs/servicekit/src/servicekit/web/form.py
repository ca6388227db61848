"""What a page needs to offer a form: the session's token against forged requests, and a key of its own for repeats."""

import secrets
from dataclasses import dataclass

from servicekit.crypto import b64
from servicekit.web.browser_session import BrowserSession

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Form:
    """Hidden fields of one form."""

    csrf: str
    key: str
    """256 random bits, base64url: the same form sent twice acts once."""


def new_form(session: BrowserSession) -> Form:
    """A form that this session may send, once."""
    return Form(session.csrf, b64(secrets.token_bytes(KEY_BYTES)))
