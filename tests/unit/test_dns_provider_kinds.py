"""What dns-lexicon does not even out: the program at providers whose part of it does other than it says.

Each kind is what the library's own part for that provider does (dns-lexicon 3.25).
"""

from pathlib import Path

import pytest
from dns_world import DOMAIN
from lab.inside import wait_until
from provider_stand_in import TOKEN, Provider

THEIRS = ("TXT", DOMAIN, "site-verification=1")
MAIL = ("MX", DOMAIN, "10 mx.elsewhere.example.")
OLD, NEW = "v=spf1 ip4:203.0.113.0/24 -all", "v=spf1 ip4:203.0.113.0/24 mx -all"
# The name is the identifier: of all its records, of whichever type (gandi).
BY_NAME = """
class Client(Client):
    def list_records(self, *asked):
        return [{**one, "id": one["name"]} for one in super().list_records(*asked)]
    def update_record(self, identifier=None, rtype=None, name=None, content=None):
        self.rows = [one for one in self.rows if (one["type"], one["name"]) != (rtype, name)]
        return self.create_record(rtype, name, content)
    def _known(self, identifier):
        return [one for one in self.rows if one["name"] == identifier]
"""
# There is none, and one that is given is an error (hetzner).
WITHOUT = """
class Client(Client):
    def list_records(self, *asked):
        return [{**one, "id": None} for one in super().list_records(*asked)]
    def update_record(self, identifier=None, rtype=None, name=None, content=None):
        row, = [one for one in self.rows if (one["type"], one["name"]) == (rtype, name)]
        if identifier: raise ValueError("no ids per record")
        row["content"] = content
        return self.save()
    def delete_record(self, identifier=None, rtype=None, name=None, content=None):
        if identifier or not rtype or not name: raise ValueError("both rtype and name need to be passed")
        return super().delete_record(None, rtype, name, content)
"""
# It is made of the content, and cut at its second slash; an update deletes by it, and adds (powerdns).
CUT = """
class Client(Client):
    def list_records(self, *asked):
        said = [{**one, "id": one["type"] + "/" + one["content"]} for one in super().list_records(*asked)]
        return said
    def update_record(self, identifier=None, rtype=None, name=None, content=None):
        return self.delete_record(identifier) and self.create_record(rtype, name, content)
    def _known(self, identifier):
        return [one for one in self.rows if one["content"] == identifier.split("/")[1]]
"""
# An update of one of several values puts the new one in the place of the first (route53).
FIRST = """
class Client(Client):
    def update_record(self, identifier=None, rtype=None, name=None, content=None):
        row = [one for one in self.rows if (one["type"], one["name"]) == (rtype, name)][0]
        row["content"] = content
        return self.save()
"""
# A list needs a type (godaddy).
TYPED = """
class Client(Client):
    def list_records(self, rtype=None, name=None, content=None):
        if rtype is None: raise ValueError("422 for https://api.example.net/v1/records/" + str(name))
        return super().list_records(rtype, name, content)
"""
KINDS = {"by name": BY_NAME, "without": WITHOUT, "cut": CUT, "first": FIRST, "typed": TYPED}
ADD, DELETE = f"update add {DOMAIN}. 300 TXT", f"update delete {DOMAIN}. TXT"


def contents(provider: Provider) -> list[tuple[str, str, str]]:
    return sorted(provider.rows())


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_is_replaced_and_nothing_beside_it(kind: str, tmp_path: Path) -> None:
    provider = Provider(tmp_path, KINDS[kind])
    provider.has(THEIRS, ("TXT", DOMAIN, OLD), MAIL)
    there = [f'prereq yxrrset {DOMAIN}. TXT "{one}"' for one in (THEIRS[2], OLD)]
    assert provider.run(*there, f'{DELETE} "{OLD}"', f'{ADD} "{NEW}"') == (0, "done")
    assert contents(provider) == sorted([THEIRS, ("TXT", DOMAIN, NEW), MAIL])
    back = ("--others-may-change", f'{DELETE} "{NEW}"', f'{ADD} "{OLD}"')
    assert provider.run(*back) == (0, "done")
    assert contents(provider) == sorted([THEIRS, ("TXT", DOMAIN, OLD), MAIL])


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_that_stands_alone_is_replaced(kind: str, tmp_path: Path) -> None:
    provider = Provider(tmp_path, KINDS[kind])
    provider.has(("TXT", DOMAIN, OLD), MAIL)
    assert provider.run(f'{DELETE} "{OLD}"', f'{ADD} "{NEW}"') == (0, "done")
    assert contents(provider) == sorted([("TXT", DOMAIN, NEW), MAIL])


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_added_is_taken_back_and_nothing_beside_it(kind: str, tmp_path: Path) -> None:
    provider = Provider(tmp_path, KINDS[kind])
    provider.has(THEIRS, MAIL)
    assert provider.run(f'prereq yxrrset {DOMAIN}. TXT "{THEIRS[2]}"', f'{ADD} "{NEW}"') == (0, "done")
    assert provider.run("--others-may-change", f'{DELETE} "{NEW}"') == (0, "done")
    assert contents(provider) == sorted([THEIRS, MAIL])


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_is_there_with_another_type_gets_no_alias(kind: str, tmp_path: Path) -> None:
    provider = Provider(tmp_path, KINDS[kind])
    alone = ("A", f"autoconfig.{DOMAIN}", "203.0.113.9")
    provider.has(alone)
    line = f"autoconfig.{DOMAIN}. 300 CNAME mail.{DOMAIN}."
    code, said = provider.run(f"prereq nxdomain autoconfig.{DOMAIN}.", f"update add {line}")
    assert (code, "was changed since" in said, provider.rows()) == (1, True, [alone]), said


def test_a_name_with_a_record_of_any_type_gets_no_alias(tmp_path: Path) -> None:
    provider = Provider(tmp_path)
    alone = ("CAA", f"autoconfig.{DOMAIN}", '0 issue "letsencrypt.org"')
    provider.has(alone)
    line = f"autoconfig.{DOMAIN}. 300 CNAME mail.{DOMAIN}."
    code, _said = provider.run(f"prereq nxdomain autoconfig.{DOMAIN}.", f"update add {line}")
    assert (code, provider.rows()) == (1, [alone])


# Names without a final dot lie below the zone, one with it is the whole name (hetzner, ovh).
RELATIVE = """
class Client(Client):
    def create_record(self, rtype, name, content):
        if rtype == "CNAME" and not content.endswith("."): content += "." + self.said["domain"]
        return super().create_record(rtype, name, content)
"""
# A final dot is refused.
DOTLESS = """
class Refused(Exception):
    class response: status_code = 422
class Client(Client):
    def create_record(self, rtype, name, content):
        if content.endswith("."): raise Refused("422 Unprocessable Entity")
        return super().create_record(rtype, name, content)
"""
# The priority of an MX record is a part of it.
WITHIN = """
class Refused(Exception):
    class response: status_code = 422
class Client(Client):
    def create_record(self, rtype, name, content):
        if rtype == "MX" and len(content.split()) != 2: raise Refused("422 Unprocessable Entity")
        return super().create_record(rtype, name, content)
"""
# Names that do not end as the zone does get its name behind them, dot or not (powerdns).
BELOW = """
class Client(Client):
    def create_record(self, rtype, name, content):
        content = content.rstrip(".")
        if not content.endswith(self.said["domain"]): content += "." + self.said["domain"]
        return super().create_record(rtype, name, content)
"""


@pytest.mark.parametrize(
    ("kind", "alias", "exchanger"),
    [
        (RELATIVE, f"mail.{DOMAIN}.", f"mail.{DOMAIN}."),
        (DOTLESS, f"mail.{DOMAIN}", f"mail.{DOMAIN}"),
        (WITHIN, f"mail.{DOMAIN}.", f"10 mail.{DOMAIN}."),
    ],
)
def test_names_are_written_as_the_provider_reads_them(
    kind: str, alias: str, exchanger: str, tmp_path: Path
) -> None:
    provider = Provider(tmp_path, kind)
    assert provider.run(f"update add autoconfig.{DOMAIN}. 300 CNAME mail.{DOMAIN}.") == (0, "done")
    assert provider.run(f"update add {DOMAIN}. 300 MX 10 mail.{DOMAIN}.") == (0, "done")
    assert [content for _type, _name, content in provider.rows()] == [alias, exchanger]
    assert provider.run("--others-may-change", f"update delete {DOMAIN}. MX 10 mail.{DOMAIN}.")[0] == 0
    assert [content for _type, _name, content in provider.rows()] == [alias]


def test_a_name_that_the_provider_spoils_is_taken_back(tmp_path: Path) -> None:
    provider = Provider(tmp_path, BELOW)
    provider.has(THEIRS)
    code, said = provider.run(f"update add autoconfig.{DOMAIN}. 300 CNAME mail.example.net.")
    assert (code, "said yes, but its records are not so" in said) == (1, True), said
    assert provider.rows() == [THEIRS]


# The second record is one too many.
FULL = """
class Client(Client):
    def create_record(self, rtype, name, content):
        if len(self.rows) > 2: raise ValueError("429 Too Many Requests")
        return super().create_record(rtype, name, content)
"""
# What is to be deleted stays, and the answer is yes.
KEEPS = """
class Client(Client):
    def delete_record(self, *asked):
        return True
"""


def test_half_of_a_change_is_none(tmp_path: Path) -> None:
    provider = Provider(tmp_path, FULL)
    provider.has(THEIRS, MAIL)
    two = (f"update add mail.{DOMAIN}. 300 A {one}" for one in ("198.51.100.25", "198.51.100.26"))
    code, said = provider.run(*two)
    assert (code, "429" in said) == (1, True), said
    assert contents(provider) == sorted([THEIRS, MAIL])


def test_a_record_that_stays_is_no_success(tmp_path: Path) -> None:
    provider = Provider(tmp_path, KEEPS)
    provider.has(THEIRS, ("TXT", DOMAIN, OLD))
    code, said = provider.run("--others-may-change", f'{DELETE} "{OLD}"')
    assert (code, "said yes, but its records are not so" in said) == (1, True), said


def test_what_is_already_back_is_not_made_twice(tmp_path: Path) -> None:
    """An end in the middle of a change leaves both."""
    provider = Provider(tmp_path)
    provider.has(THEIRS, ("TXT", DOMAIN, OLD), ("TXT", DOMAIN, NEW))
    assert provider.run("--others-may-change", f'{DELETE} "{NEW}"', f'{ADD} "{OLD}"') == (0, "done")
    assert contents(provider) == sorted([THEIRS, ("TXT", DOMAIN, OLD)])


TALKS = """
import logging
class Client(Client):
    def create_record(self, rtype, name, content):
        logging.getLogger("lexicon").error("sent with token %s", os.environ["LEXICON_ACME_AUTH_TOKEN"])
        raise ValueError("401 for https://api.example.net/" + SECRET + "/records")
"""


def test_a_secret_of_a_file_is_not_said_and_the_library_logs_nothing(tmp_path: Path) -> None:
    secret = "correct-horse-battery"
    (tmp_path / "lexicon_acme.yml").write_text(f'auth_username: anna\nauth_token: "{secret}"\n')
    provider = Provider(tmp_path, f"SECRET = {secret!r}\n{TALKS}")
    code, said = provider.run(f"update add {DOMAIN}. 60 A 192.0.2.1")
    assert (code, secret in said, TOKEN in said) == (1, False, False), said
    assert "https://api.example.net/••••/records" in said


# What was made is listed late.
LATE = """
class Client(Client):
    def list_records(self, *asked):
        return [one for one in super().list_records(*asked) if one["type"] != "A"]
"""


def test_what_is_not_listed_yet_is_said(tmp_path: Path) -> None:
    provider = Provider(tmp_path, LATE)
    line = f"update add mail.{DOMAIN}. 300 A 198.51.100.25"
    assert provider.run(line) == (0, "done, but acme does not list it yet")
    assert provider.rows() == [("A", f"mail.{DOMAIN}", "198.51.100.25")]


# The second record never comes to an end.
HANGS = """
import time
class Client(Client):
    def create_record(self, rtype, name, content):
        if content.endswith(".26"): time.sleep(300)
        return super().create_record(rtype, name, content)
"""


def test_a_change_that_is_ended_in_the_middle_is_taken_back(tmp_path: Path) -> None:
    provider = Provider(tmp_path, HANGS)
    provider.has(THEIRS)
    two = (f"update add mail.{DOMAIN}. 300 A {one}" for one in ("198.51.100.25", "198.51.100.26"))
    process = provider.started(*two)
    assert wait_until(lambda: len(provider.rows()) == 2, 30)
    process.terminate()
    code, said = provider.ended(process)
    assert (code, said) == (1, "it was ended before acme had answered")
    assert provider.rows() == [THEIRS]


def test_a_provider_that_does_not_answer_is_not_said_to_refuse(tmp_path: Path) -> None:
    listed = tmp_path / "listed"
    hangs = f"    def list_records(self, *words):\n        open({str(listed)!r}, 'w')\n"
    provider = Provider(tmp_path, f"import time\nclass Client(Client):\n{hangs}        time.sleep(300)\n")
    process = provider.started(f"update add mail.{DOMAIN}. 300 A 198.51.100.25")
    assert wait_until(listed.exists, 30)
    process.terminate()
    assert provider.ended(process) == (1, "it was ended before acme had answered")


def test_a_call_that_is_not_answered_ends_and_what_was_made_is_taken_back(tmp_path: Path) -> None:
    quick = "import mailcow_wizard.host.programs.provider_zone as zone\nzone._PATIENCE_S = 0.5\n"
    provider = Provider(tmp_path, f"{quick}{HANGS}")
    provider.has(THEIRS)
    two = (f"update add mail.{DOMAIN}. 300 A {one}" for one in ("198.51.100.25", "198.51.100.26"))
    assert provider.run(*two) == (1, "acme did not answer within 0.5 s")
    assert provider.rows() == [THEIRS]


def test_what_is_not_answered_is_not_asked_in_another_form(tmp_path: Path) -> None:
    quick = "import time, mailcow_wizard.host.programs.provider_zone as zone\nzone._PATIENCE_S = 0.5\n"
    made = """class Client(Client):
    def create_record(self, *words):
        super().create_record(*words)
        time.sleep(300)
"""
    provider = Provider(tmp_path, f"{quick}{made}")
    code, said = provider.run(f"update add {DOMAIN}. 300 MX 10 mail.{DOMAIN}.")
    assert (code, said, provider.rows()) == (1, "acme did not answer within 0.5 s", [])
