"""What makes a connection usable, and that its secrets never show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tools.errors import BadSettings
from tools.warehouse.config import ConnectionConfig
from tools.warehouse.connect import connect

WHO = {"account": "org-acct", "user": "U"}


@pytest.mark.parametrize(
    "values",
    [
        WHO | {"password": "p"},
        WHO | {"token": "t"},
        WHO | {"token_file": "/run/pat"},
        WHO | {"private_key_file": "/run/key.p8", "private_key_passphrase": "x"},
        {"connection_name": "prod"},
        WHO | {"password": "p", "host": "127.0.0.1", "port": 1, "protocol": "http"},
        WHO | {"password": "p", "host": "::1", "protocol": "http"},
    ],
)
def test_one_way_to_sign_in_is_enough(values: dict[str, Any]) -> None:
    assert ConnectionConfig.of(**values).protocol in ("http", "https")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (WHO, "no way to sign in"),
        (WHO | {"password": "p", "token": "t"}, "more than one way"),
        (WHO | {"password": "p", "connection_name": "x"}, "more than one way"),
        ({"password": "p", "user": "U"}, "no account"),
        ({"password": "p"}, "no account and no user"),
        (WHO | {"password": "p", "private_key_passphrase": "x"}, "private_key_file is not"),
        (WHO | {"password": "p", "protocol": "http", "host": "snow.example.com"}, "this machine only"),
        (WHO | {"password": "p", "protocol": "http"}, "this machine only"),
        (WHO | {"password": "p", "protocol": "http", "host": "localhost.evil.com"}, "this machine only"),
        (WHO | {"password": "p", "port": 0}, "port"),
        (WHO | {"password": "p", "login_timeout": 0}, "login_timeout"),
        (WHO | {"password": "p", "pasword": "p"}, "pasword"),
    ],
)
def test_what_cannot_work_is_said(values: dict[str, Any], says: str) -> None:
    with pytest.raises(BadSettings, match=says):
        ConnectionConfig.of(**values)


def test_secrets_never_show() -> None:
    config = ConnectionConfig.of(**WHO, password="hunter2-secret")
    assert "hunter2" not in f"{config!r} {config} {config.shown} {config.model_dump_json()}"
    with pytest.raises(BadSettings) as refused:
        ConnectionConfig.of(**WHO, password=["hunter2-secret"])
    assert "hunter2" not in str(refused.value)


def _pem(tmp_path: Path, passphrase: bytes | None) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    lock = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    path = tmp_path / "key.p8"
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock))
    return path


@pytest.mark.parametrize("given", [None, "wrong"])
def test_an_encrypted_key_needs_its_passphrase(tmp_path: Path, given: str | None) -> None:
    config = ConnectionConfig.of(**WHO, private_key_file=_pem(tmp_path, b"right"), private_key_passphrase=given)
    with pytest.raises(BadSettings, match=r"key\.p8 cannot be read") as refused:
        connect(config, query_tag={})
    assert "wrong" not in refused.value.message


def test_a_file_that_is_not_there_is_bad_settings(tmp_path: Path) -> None:
    for values in ({"private_key_file": tmp_path / "no.p8"}, {"token_file": tmp_path / "no.pat"}):
        with pytest.raises(BadSettings, match="cannot be read"):
            connect(ConnectionConfig.of(**WHO, **values), query_tag={})
