"""Signatures against recorded answers of the reference library, and what is not to be believed."""

import base64
import subprocess
import sys

import pytest

from serve_app.webhooks.signature import (
    TOLERANCE_SECONDS,
    SignatureError,
    new_secret,
    signature,
    signed_headers,
    verify,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - that of the specification
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
MOMENT = 1_614_265_330
BODY = b'{"test": 2432232314}'
# Made by `standardwebhooks` 1.1.0: Webhook(SECRET).sign(id, time, body).
RECORDED = [
    (MESSAGE, MOMENT, BODY, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    (
        "msg_a_12",
        1_704_500_000,
        '{"type": "score", "data": {"Δ": "é"}}'.encode(),
        "v1,APLQUchlIwt2IdG0AVag8g52LLNnjBNYpx333HbMg04=",
    ),
    ("msg_empty", 1, b"", "v1,6+/TnhO6/QdnoKO9pxu30YX6qGgDXC35HUYlXNmf5TA="),
]


def headers(*secrets: str, body: bytes = BODY, moment: int = MOMENT) -> dict[str, str]:
    return signed_headers(secrets or (SECRET,), MESSAGE, moment, body)


@pytest.mark.parametrize(("message", "moment", "body", "expected"), RECORDED)
def test_it_signs_as_the_reference_library_does(
    message: str, moment: int, body: bytes, expected: str
):
    assert signature(SECRET, message, moment, body) == expected
    assert signature(SECRET.removeprefix("whsec_"), message, moment, body) == expected


def test_what_was_signed_verifies_whatever_the_case_of_its_headers():
    made = headers()
    assert set(made) == {"webhook-id", "webhook-timestamp", "webhook-signature"}
    assert verify(SECRET, made, BODY, now=MOMENT + 5) == MESSAGE
    shouted = {name.upper(): value for name, value in made.items()}
    assert verify(SECRET, shouted, BODY, now=MOMENT) == MESSAGE


def test_one_of_several_signatures_is_enough():
    old, new = new_secret(), new_secret()
    both = headers(new, old)
    assert len(both["webhook-signature"].split()) == 2
    for secret in (old, new):
        assert verify(secret, both, BODY, now=MOMENT) == MESSAGE
    with pytest.raises(SignatureError, match="by this secret"):
        verify(SECRET, both, BODY, now=MOMENT)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_other"},
        {"webhook-timestamp": str(MOMENT + 1)},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
        {"webhook-signature": "v1,é"},
        {"webhook-timestamp": "yesterday"},
        {"webhook-timestamp": "9" * 40},
        {"webhook-id": ""},
    ],
)
def test_what_was_changed_is_refused(change: dict[str, str]):
    with pytest.raises(SignatureError):
        verify(SECRET, {**headers(), **change}, BODY, now=MOMENT)


def test_another_body_is_refused():
    with pytest.raises(SignatureError, match="by this secret"):
        verify(SECRET, headers(), BODY + b" ", now=MOMENT)


def test_what_is_missing_is_named():
    with pytest.raises(SignatureError, match=r"missing: \['webhook-signature'\]"):
        verify(SECRET, {"webhook-id": "a", "webhook-timestamp": "1"}, BODY)


@pytest.mark.parametrize("side", [-1, 1])
def test_an_old_message_and_one_of_the_future_are_refused(side: int):
    assert verify(SECRET, headers(), BODY, now=MOMENT + side * TOLERANCE_SECONDS) == MESSAGE
    with pytest.raises(SignatureError, match=f"last {TOLERANCE_SECONDS} s"):
        verify(SECRET, headers(), BODY, now=MOMENT + side * (TOLERANCE_SECONDS + 1))


def test_a_secret_has_256_random_bits_and_the_form_of_the_convention():
    made = {new_secret() for _ in range(50)}
    assert len(made) == 50
    for secret in made:
        assert secret.startswith("whsec_")
        assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_no base64!", "password"])
def test_what_is_no_secret_is_told_from_a_wrong_signature(secret: str):
    with pytest.raises(ValueError, match="expected a secret") as refused:
        signature(secret, MESSAGE, MOMENT, BODY)
    assert not isinstance(refused.value, SignatureError)


def test_a_receiver_needs_the_standard_library_alone():
    heavy = {"ray", "pydantic", "httpx", "httpcore", "sqlalchemy", "fastapi", "msgspec"}
    code = "import sys, serve_app.webhooks.signature; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "serve_app.webhooks.signature" in loaded
    assert not heavy & loaded
