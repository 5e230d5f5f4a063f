"""Whom this machine trusts: the list that Docker and git read, whatever the environment names."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import certificates

from mailcow_wizard.host.network import tls


@pytest.fixture(autouse=True)
def _read_anew() -> Iterator[None]:
    tls.trusting.cache_clear()
    yield
    tls.trusting.cache_clear()


def _known() -> set[str]:
    """The authorities that are trusted, by name."""
    names = [dict(part[0] for part in one["subject"]) for one in tls.trusting().get_ca_certs()]
    return {one.get("commonName", "") for one in names}


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python was built with another OpenSSL than the machine's, and finds nothing where that looks."""
    places = ssl.get_default_verify_paths()
    missing = places._replace(openssl_cafile=str(tmp_path / "missing"), openssl_capath=str(tmp_path / "no"))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: missing)


@pytest.mark.usefixtures("elsewhere")
def test_what_the_environment_names_is_neither_trusted_nor_hides_what_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    own = certificates.authority(tmp_path, "Own")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority(tmp_path / "other", "Other")))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "other"))
    monkeypatch.setattr(tls, "LISTS", (str(tmp_path / "gone"), str(own)))
    assert _known() == {"Own Authority"}
    assert tls.knows_authorities()


def test_the_machines_list_is_read_whatever_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Python finds it itself."""
    own = certificates.authority(tmp_path, "Own")
    places = ssl.get_default_verify_paths()._replace(openssl_cafile=str(own), openssl_capath=str(tmp_path))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: places)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    assert (_known(), tls.knows_authorities()) == ({"Own Authority"}, True)


@pytest.mark.usefixtures("elsewhere")
def test_a_python_that_looks_elsewhere_reads_this_machines_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "LISTS", (str(certificates.authority(tmp_path)),))
    assert (_known(), tls.knows_authorities()) == ({"Lab Authority"}, True)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("content", [None, "", "no certificate\n"])
def test_no_list_or_none_that_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    monkeypatch.setattr(tls, "LISTS", (str(tmp_path / "list"),))
    if content is not None:
        (tmp_path / "list").write_text(content)
    assert (_known(), tls.knows_authorities()) == (set(), False)
