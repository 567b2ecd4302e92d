"""The form of a body before it is parsed: plain UTF-8, as RFC 8259 has it for JSON.

Python's JSON parser guesses among five encodings; a service that guesses reads what nobody wrote.
"""

import codecs

from starlette.datastructures import Headers

from serve_app.api.problems import MalformedBody, ServiceProblem, UnsupportedEncoding


def form_problem(headers: Headers, body: bytes) -> ServiceProblem | None:
    """What is wrong with the form of a body; None where nothing is, or where there is none."""
    coding = headers.get("content-encoding", "identity").strip().lower()
    if body and coding != "identity":
        return UnsupportedEncoding(
            f"the body: expected no Content-Encoding, or identity; got {coding[:40]!r}"
        )
    if body.startswith(codecs.BOM_UTF8):
        return MalformedBody("the body: expected UTF-8 without a byte order mark; got one with it")
    if b"\0" in body[:4]:  # as in UTF-16 and UTF-32, and in no JSON
        return MalformedBody("the body: expected UTF-8; got something else")
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return MalformedBody(f"the body: expected UTF-8; got something else: {error.reason}")
    return None
