"""What is masked of a server's words, and what is not."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from localmix.errors import ConnectError, ServerError
from localmix.wire.secrets import Redacting, redacted, without_secrets

TOKEN = "sk-0123456789abcdef"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
ODD = "a'b\"c\\d/e+f=0123"
BASIC = base64.b64encode(b"user:pass-word-1").decode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"no {TOKEN}!", "no ***!"),
        (f"Bearer {TOKEN}{TOKEN}", "Bearer ******"),
        (f"cut {TOKEN[:12]}", "cut ***"),
        (f"{TOKEN[:9]} and {TOKEN}", "*** and ***"),
        ("sk-0123", "sk-0123"),  # too short to be known again
        ("Bearer of application/json", "Bearer of application/json"),
        ("", ""),
    ],
)
def test_a_token_is_masked_whole_or_cut(text: str, shown: str) -> None:
    assert without_secrets(text, HEADERS) == shown


@pytest.mark.parametrize("written", [ODD, json.dumps(ODD), repr(ODD), quote(ODD, safe="")])
def test_a_token_is_masked_as_it_is_written(written: str) -> None:
    shown = without_secrets(f"no {written}.", {"X-Key": ODD})
    assert "***" in shown
    assert "0123" not in shown


def test_a_password_is_masked_as_it_was_sent_and_as_it_is() -> None:
    headers = {"Authorization": f"Basic {BASIC}"}
    shown = without_secrets(f"{BASIC} user:pass-word-1 pass-word-1 for the user", headers)
    assert shown == "*** *** *** for the user"
    assert without_secrets("x", {"Authorization": "Basic \xff"}) == "x"


def test_a_long_token_in_a_long_text() -> None:
    token = "eyJhbGci" + "x" * 20_000
    assert without_secrets(f"a {token} b" * 20, {"Authorization": token}) == "a *** b" * 20
    assert without_secrets("eyJhbGci" * 20_000, {"Authorization": token}) == "***" * 20_000


def test_an_error_is_redacted() -> None:
    error = redacted(ServerError(f"said {TOKEN}", hint=f"{TOKEN}?", status=500), HEADERS)
    assert (str(error), error.args) == ("said ***. ***?", ("said ***.",))
    with pytest.raises(ConnectError, match=r"no \*\*\*"), Redacting(HEADERS):
        raise ConnectError(f"no {TOKEN}")
    with pytest.raises(ValueError, match=TOKEN), Redacting(HEADERS):
        raise ValueError(TOKEN)  # not made of a server's words
