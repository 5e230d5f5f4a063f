"""Key files of updates: the forms that tools write, what is refused, and that no secret is ever said."""

import base64

import pytest

from mailcow_wizard.host.programs.tsig import ALGORITHMS, BadKey, doubts, parse

DATA = b"a secret of thirty-two bytes, or so"
SECRET = base64.b64encode(DATA).decode()
SLASHES = base64.b64encode(b"\xff\xff\xff" * 8).decode()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    "form",
    [
        'key "up.example.org" {{\n\talgorithm {0};\n\tsecret "{1}";\n}};\n',
        'key up.example.org. {{ algorithm "{0}."; secret {1}; }};',
        '# made by hand\nkey "Up.Example.org" {{ secret "{1}"; /* the\nother */ algorithm {0}; // way\n}};\n',
        "{0}:up.example.org:{1}\n",
        "\n# knsupdate -y\n  {0}:up.example.org.:{1}  \n",
    ],
)
def test_forms(form: str, algorithm: str) -> None:
    key = parse(form.format(algorithm.upper(), SECRET))
    assert key == ("up.example.org", algorithm, DATA)
    assert SECRET not in repr(key)
    assert "secret" not in repr(key)


def test_without_an_algorithm_it_is_sha256() -> None:
    assert parse(f"up:{SECRET}").algorithm == "hmac-sha256"
    assert parse(f'key up {{ secret "{SECRET}"; }};').algorithm == "hmac-sha256"


def test_slashes_of_base64_are_no_comment() -> None:
    assert "//" in SLASHES
    assert parse(f'key "up" {{ algorithm hmac-sha256; secret "{SLASHES}"; }};').secret == b"\xff\xff\xff" * 8


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "neither"),
        ("\0", "no key file"),
        ("x" * 70000, "no key file"),
        (SECRET, "neither"),
        (f"hmac-md5:up:{SECRET}", "must not be used any more"),
        (f'key up {{ algorithm HMAC-MD5.SIG-ALG.REG.INT; secret "{SECRET}"; }};', "tsig-keygen"),
        (f"hmac-sha3:up:{SECRET}", "is none of"),
        (f"hmac-sha256:up:{SECRET[:-2]}!", "not base64"),
        ("hmac-sha256:up:", "no secret"),
        ('key "up" { algorithm hmac-sha256; };', "no secret"),
        (f"hmac-sha256:u p:{SECRET}", "name of its key"),
        (f"a:hmac-sha256:up:{SECRET}", "more than"),
        (f'key "a" {{ secret "{SECRET}"; }}; key "b" {{ secret "{SECRET}"; }};', "2 keys"),
        (f"up:{SECRET}\nother:{SECRET}", "neither"),
    ],
)
def test_what_is_no_key_is_refused_without_its_secret(text: str, said: str) -> None:
    with pytest.raises(BadKey) as caught:
        parse(text)
    assert said in str(caught.value)
    assert SECRET[:8] not in str(caught.value)


def test_weak_keys_are_doubted() -> None:
    assert "hmac-sha1" in doubts(parse(f"hmac-sha1:up:{SECRET}"))[0]
    assert "4 bytes" in doubts(parse("hmac-sha512:up:YWJjZA=="))[0]
    assert doubts(parse(f"hmac-sha512:up:{SECRET}")) == ()
