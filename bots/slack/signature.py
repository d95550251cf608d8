"""Whether a request by HTTP is Slack's, before anything reads it: size, time, signature, encoding. Pure.

Bolt checks again; but it fails with a 500 on a timestamp that is no number or a body that is no UTF-8, and it logs
the body of what it refuses.
"""

from __future__ import annotations

import hashlib
import hmac
import re

__all__ = ["LARGEST_BODY", "is_signed"]

LARGEST_BODY = 1_000_000
_SKEW_S = 300
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)


def is_signed(body: bytes, timestamp: str | None, signature: str | None, secret: str, *, now: float) -> bool:
    """By the signing secret, within five minutes of `now` (epoch seconds), and UTF-8."""
    if not secret or not timestamp or not _TIMESTAMP.fullmatch(timestamp):
        return False
    if not signature or not _SIGNATURE.fullmatch(signature) or abs(now - int(timestamp)) > _SKEW_S:
        return False
    expected = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(b"v0=" + expected.encode(), signature.encode()):
        return False
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
