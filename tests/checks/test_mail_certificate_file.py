"""mail.certificate: what lies in data/assets/ssl and is better than what the ports show was not loaded."""

import ssl
from pathlib import Path

import pytest
from lab import certificates as made
from lab.skip import or_skip

from mailcow_wizard.checks.mail_certificate import judge_certificate
from mailcow_wizard.facts.mail.certificates import certificates, read
from tests.checks.mail_machine import DIRECTORY, NAME, NOW
from tests.checks.test_mail_certificate import day, machine

Files = dict[str, str]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Certificates (PEM) by kind."""
    place: Path = tmp_path_factory.mktemp("certificates")
    with or_skip():
        made.authority(place)
        pairs = {
            "good": made.issued(place, "good", NAME, begins=day(-20), ends=day(60)),
            "wrong": made.issued(place, "wrong", "www.example.net", begins=day(-20), ends=day(60)),
            "expired": made.issued(place, "old", NAME, begins=day(-110), ends=day(-20)),
            "staging": made.issued(place, "staging", NAME, begins=day(-40), ends=day(50)),
            "soon": made.issued(place, "soon", NAME, begins=day(-86), ends=day(4)),
            "early": made.issued(place, "early", NAME, begins=day(10), ends=day(60)),
            "own": made.self_signed(place, "own", f"/CN={NAME}", NAME),
            "snake-oil": made.self_signed(place, "oil", f"/O=mailcow/CN={NAME}"),
        }
    return {name: pair[0].read_text() for name, pair in pairs.items()}


@pytest.mark.parametrize("conf", ["", "SKIP_LETS_ENCRYPT=y\n"])
@pytest.mark.parametrize("shown", ["soon", "expired", "wrong", "snake-oil", "own"])
def test_a_better_certificate_that_nobody_has_loaded(files: Files, shown: str, conf: str) -> None:
    host = machine(ssl.PEM_cert_to_DER_cert(files[shown]), conf=conf)
    host.files[f"{DIRECTORY}/data/assets/ssl/cert.pem"] = files["good"] * 2
    said = judge_certificate(host.facts().get(certificates))
    assert "cert.pem holds another, good for 60 d more, which was not loaded" in said.summary
    assert "restart postfix-mailcow dovecot-mailcow" in said.remedies[0]
    assert "acme" not in " ".join(said.remedies)


@pytest.mark.parametrize(("conf", "status"), [("", "fail"), ("SKIP_LETS_ENCRYPT=y\n", "warn")])
def test_one_that_replaces_what_clients_do_not_trust(files: Files, conf: str, status: str) -> None:
    """As where Let's Encrypt's staging made the one that is shown, or an authority of one's own."""
    host = machine(ssl.PEM_cert_to_DER_cert(files["staging"]), "unable to get issuer certificate", conf=conf)
    assert "restart" not in judge_certificate(host.facts().get(certificates)).remedies[0]
    host.files[f"{DIRECTORY}/data/assets/ssl/cert.pem"] = files["good"]
    said = judge_certificate(host.facts().get(certificates))
    assert (said.status, "which was not loaded" in said.summary) == (status, True)
    assert "restart postfix-mailcow dovecot-mailcow" in said.remedies[0]


@pytest.mark.parametrize("pair", ["soon early", "soon ", "snake-oil snake-oil"])
def test_one_that_would_not_do(files: Files, pair: str) -> None:
    shown, file = pair.split(" ")
    host = machine(ssl.PEM_cert_to_DER_cert(files[shown]))
    text = files[file] if file else "-----BEGIN CERTIFICATE-----\nno"
    host.files[f"{DIRECTORY}/data/assets/ssl/cert.pem"] = text
    said = judge_certificate(host.facts().get(certificates))
    assert "not loaded" not in said.summary
    assert "acme" in " ".join(said.remedies)


def test_one_that_signed_itself_would_not_either(files: Files) -> None:
    found = machine(ssl.PEM_cert_to_DER_cert(files["expired"])).facts().get(certificates)
    own = read(ssl.PEM_cert_to_DER_cert(files["own"]))
    assert own
    said = judge_certificate(found._replace(file=own._replace(begins=NOW - 86400)))
    assert "not loaded" not in said.summary
    assert "acme" in " ".join(said.remedies)
