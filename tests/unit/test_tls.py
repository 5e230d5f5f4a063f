"""Whom this machine trusts: the list that Docker and git read, whatever the environment names."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import certificates

from mailcow_wizard.host import tls


@pytest.fixture(autouse=True)
def _read_anew() -> Iterator[None]:
    tls.trusting.cache_clear()
    yield
    tls.trusting.cache_clear()


def _known() -> set[str]:
    """The authorities that are trusted, by name."""
    names = [dict(part[0] for part in one["subject"]) for one in tls.trusting().get_ca_certs()]
    return {one.get("commonName", "") for one in names}


def test_another_list_in_the_environment_hides_no_authority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    own = certificates.authority(tmp_path, "Own")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority(tmp_path / "other", "Other")))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "empty"))
    monkeypatch.setattr(tls, "LISTS", (str(tmp_path / "missing"), str(own)))
    assert _known() == {"Own Authority", "Other Authority"}
    assert tls.knows_authorities()


def test_a_python_that_looks_elsewhere_reads_this_machines_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was built with another OpenSSL than the machine's."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "missing"))
    monkeypatch.setattr(tls, "LISTS", (str(certificates.authority(tmp_path)),))
    assert (_known(), tls.knows_authorities()) == ({"Lab Authority"}, True)


@pytest.mark.parametrize("content", [None, "", "no certificate\n"])
def test_no_list_or_none_that_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "missing"))
    monkeypatch.setattr(tls, "LISTS", (str(tmp_path / "list"),))
    if content is not None:
        (tmp_path / "list").write_text(content)
    assert (_known(), tls.knows_authorities()) == (set(), False)
