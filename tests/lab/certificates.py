"""Certificates of every kind that a mail server can show, made with openssl: good ones of an authority, and
those that are not."""

import subprocess
from pathlib import Path

from .inside import LabError

NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
"""For `openssl req`: an RSA key takes a third of a second of the processor, this one nothing."""


def _openssl(place: Path, *words: str) -> None:
    try:
        subprocess.run(["openssl", *words], cwd=place, check=True, capture_output=True, timeout=60)
    except FileNotFoundError:
        raise LabError("not installed: openssl") from None


def authority(place: Path, whose: str = "Lab") -> Path:
    """An authority of our own: its certificate (authority.pem) and key; the certificate's path."""
    subject = ("-subj", f"/O={whose}/CN={whose} Authority", "-days", "3650")
    _openssl(
        place,
        *("req", "-x509", *NEW_KEY, "-keyout", "authority.key"),
        *("-out", "authority.pem", *subject),
    )
    return place / "authority.pem"


def trusting(certificate: Path) -> tuple[str, ...]:
    """What is written before a command, so that it finds this authority alone on the machine's list."""
    listed = certificate.parent / "list"
    listed.mkdir(exist_ok=True)
    (listed / "ca-certificates.crt").write_bytes(certificate.read_bytes())
    script = 'mount --bind "$0" /etc/ssl/certs && exec "$@"'
    return ("unshare", "--mount", "--propagation", "private", "sh", "-c", script, str(listed))


def issued(place: Path, name: str, *names: str, begins: str = "", ends: str = "") -> tuple[Path, Path]:
    """A certificate of the authority there for these names, and its key. `begins` and `ends` as openssl has
    them (20200101000000Z), where they are not now and in 80 days."""
    alternative = ",".join(f"DNS:{one}" for one in names)
    (place / f"{name}.ext").write_text(f"subjectAltName={alternative}\n")
    (place / "index.txt").write_text("")
    (place / "serial").write_text(f"{len(list(place.iterdir())):04d}\n")
    (place / "ca.cnf").write_text(
        "[ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\n"
        "policy=y\nunique_subject=no\n[y]\ncommonName=supplied\n"
    )
    _openssl(
        place,
        *("req", *NEW_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr"),
        *("-subj", f"/CN={names[0]}"),
    )
    dates = ["-days", "80"] if not ends else ["-enddate", ends]
    dates += ["-startdate", begins] if begins else []
    _openssl(
        place,
        *("ca", "-batch", "-config", "ca.cnf", "-cert", "authority.pem", "-keyfile", "authority.key"),
        *("-in", f"{name}.csr", "-out", f"{name}.pem", "-notext", "-extfile", f"{name}.ext", *dates),
    )
    return place / f"{name}.pem", place / f"{name}.key"


def self_signed(place: Path, name: str, subject: str, *names: str) -> tuple[Path, Path]:
    """A certificate that nobody but itself vouches for, and its key."""
    more = ("-addext", f"subjectAltName={','.join(f'DNS:{one}' for one in names)}") if names else ()
    _openssl(
        place,
        *("req", "-x509", *NEW_KEY, "-keyout", f"{name}.key", "-out", f"{name}.pem"),
        *("-subj", subject, "-days", "300", *more),
    )
    return place / f"{name}.pem", place / f"{name}.key"
