"""The published DKIM key against the one that mailcow signs with, where it runs; and keys behind aliases."""

import json
from collections.abc import Sequence

import dns.flags
import dns.message
import dns.rrset
import pytest
from dns_world import DOMAIN, NAME, OURS, ZONE, World

from mailcow_wizard.checks.dns_dkim import judge_dkim
from mailcow_wizard.checks.dns_dmarc import judge_dmarc
from mailcow_wizard.facts.dns.decide import Data, Entry, Left, There, decide
from mailcow_wizard.facts.dns.dkim import dkim
from mailcow_wizard.facts.dns.dmarc import dmarc
from mailcow_wizard.facts.dns.mail_server import mail_server
from mailcow_wizard.facts.dns.merging import Merged
from mailcow_wizard.facts.dns.push import check_of
from mailcow_wizard.facts.dns.signing import SCRIPT, signing_keys
from mailcow_wizard.facts.dns.table import Row, table
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import Denied, HostError, Missing, NoAnswer
from mailcow_wizard.host.recording.scrub import scrub
from mailcow_wizard.host.replies import DnsQuestion, DnsReply, HttpReply, Ran
from mailcow_wizard.model import Judgement, Settings
from mailcow_wizard.report import dns as report

# A public key of RSA, 2048 bits, made for these tests.
MAILCOWS = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqg3ICI6uhtb/xO9Su3TIzYDVUaYHIxnXMyoLrTTheaOk2vamn+/icFwn"
    "VrGLS6/GKTDptvaP+7qCezstbPLlqSB5YG5gxt+wOjg7xkZrVjYScaPf07r7GwsLtljoTGUE1eSqJdXYxQ7h4YTJpUZsRU/suPTA"
    "TFf/hF8NgNa5VORA77t62AtrHZUWOFa2y2BnpaDTft1oLC2Y+5HGr/dgf3RKkDO263UGfynWVTe4VlhG9KWgj6v8r3c3UpvSKd3a"
    "h7wCd4Lo5JPTyC2pPqgOWFacARBWndYzxW/dKhH9jhaXnrC6RhqAl+SeX5DOEZM+CowX81Q0d26LN1+ADfVK6wIDAQAB"
)
SHORT = (  # 1024 bits
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDU1G4agQkyE1KJ2394j0Nr1ENY4nRXGiVDTTLq2DZIc83FYaT6WRVGCAs7lSA0"
    "qYgh+reOv+xJBUWND7J52bujVTVFRxukAsgP+08uM8HDRaMwZIymCqMsMu8NncV6ayhyQPBEVWXR2BHwnPuyQI2mBTL2WdlKb/tFsiUs2qD4qwIDAQAB"
)
ID = "c" * 64
KEY = f"v=DKIM1;k=rsa;t=s;s=email;p={MAILCOWS}"
AT = (f"dkim._domainkey.{DOMAIN}", "TXT")
ANOTHER = MAILCOWS[:60] + ("B" if MAILCOWS[60] == "A" else "A") + MAILCOWS[61:]


class Running(World):
    """A machine on which mailcow's Redis runs; `keys` are what it says, `docker` what Docker says."""

    def __init__(
        self,
        records: dict[tuple[str, str], str | tuple[str, ...]],
        keys: str | Ran | HostError,
        docker: HostError | None = None,
        project: str = "mailcowdockerized",
    ) -> None:
        super().__init__({**ZONE, **records})
        self.files["/opt/mailcow-dockerized/mailcow.conf"] = f"MAILCOW_HOSTNAME={NAME}\n"
        self.commands[f"docker exec {ID} sh -c {SCRIPT} sh {DOMAIN}"] = keys
        self._docker, self._project = docker, project

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        if self._docker:
            raise self._docker
        labels = {"project": self._project, "service": "redis-mailcow", "project.working_dir": "/srv/other"}
        row = {
            "Id": ID,
            "Names": ["/redis"],
            "Labels": {f"com.docker.compose.{k}": v for k, v in labels.items()},
        }
        return HttpReply(200, json.dumps([row]).encode())


def facts(host: World) -> Facts:
    return Facts(host, Settings(hostname=NAME, domains=(DOMAIN,), addresses=(OURS,), resolver="192.0.2.53"))


def judge(host: World) -> Judgement:
    (found,) = judge_dkim(facts(host).get(dkim))
    return found


def said(*, selector: str = "dkim", public: str = MAILCOWS) -> str:
    return f"{selector}\n{public}\n"


def row(host: World) -> Row:
    return next(one for one in facts(host).get(table) if "_domainkey" in one.expected.name)


def test_the_key_that_mailcow_signs_with() -> None:
    found = judge(Running({AT: KEY}, said()))
    assert (found.status, found.certainty) == ("pass", "proved"), found
    assert "the one that mailcow signs with" in found.summary


@pytest.mark.parametrize(
    "text", [f"v=DKIM1; k=rsa; p={MAILCOWS[:90]} {MAILCOWS[90:]}", f"k=rsa;p={MAILCOWS}"]
)
def test_the_same_key_in_another_form_is_right(text: str) -> None:
    assert judge(Running({AT: text}, said())).status == "pass"


def test_another_key_than_mailcows_fails() -> None:
    found = judge(Running({AT: KEY.replace(MAILCOWS, ANOTHER)}, said()))
    assert (found.status, found.severity) == ("fail", "breaks"), found
    assert "another than the one that mailcow signs with" in found.summary
    assert MAILCOWS in found.remedies[0]
    assert "leave the record and import" in found.remedies[1], "the old server of a move still signs"


def test_a_key_that_is_not_published_is_handed_over() -> None:
    found = judge(Running({}, said()))
    assert found.status == "warn"
    assert found.remedies == (f'Publish: {AT[0]}. TXT "{KEY}"',)


def test_a_key_that_is_marked_as_a_test_is_told() -> None:
    found = judge(Running({AT: KEY.replace("t=s", "t=s:y")}, said()))
    assert (found.status, "marked as a test (t=y)" in found.summary) == ("warn", True), found.summary


@pytest.mark.parametrize(
    ("text", "public", "note"),
    [
        (KEY, MAILCOWS, ""),
        (KEY.replace("t=s", "t=s:y"), MAILCOWS, "marked as a test (t=y): receivers ignore it"),
        (KEY.replace(MAILCOWS, SHORT), SHORT, "1024 bits; 2048 are advised"),
        (KEY, "", "mailcow has no key, and does not sign"),
    ],
)
def test_the_table_notes_what_the_check_warns_of(text: str, public: str, note: str) -> None:
    host = Running({AT: text}, said(public=public))
    found = row(host)
    assert (found.state.kind, found.expected.note if note else "") == ("right", note)
    assert judge(host).status == ("warn" if note else "pass")
    assert note in "\n".join(report.lines([found]))


def test_a_key_of_a_kind_that_mailcow_does_not_make_is_noted_before_an_install() -> None:
    host = World({**ZONE, AT: f"v=DKIM1; k=ed25519; p={'A' * 43}="})
    note = "ed25519: mailcow makes no such key, and will sign with another"
    assert (judge(host).status, row(host).state.kind, row(host).expected.note) == ("warn", "right", note)


def test_the_selector_is_mailcows() -> None:
    place = (f"s2026._domainkey.{DOMAIN}", "TXT")
    host = Running({place: KEY}, said(selector="s2026"))
    assert judge(host).status == "pass"
    assert row(host).expected.name == place[0]
    assert all(one.name != AT[0] for some in host.rounds for one in some), "nobody uses the other selector"


def test_a_domain_without_a_key_in_mailcow() -> None:
    found = judge(Running({AT: KEY}, "\n\n"))
    assert found.status == "warn"
    assert "does not sign" in found.summary
    assert "Make a key" in judge(Running({}, "\n\n")).remedies[0]


@pytest.mark.parametrize(
    "answer",
    [
        NoAnswer("docker did not end within 5 s"),
        Ran(1, "", "container is paused"),
        "NOAUTH Authentication required.\nNOAUTH Authentication required.\n",
        "dkim\n",
        f"dkim\n{MAILCOWS}\nmore\n",
        "dkim\n\x1b[31mnot a key\n",
        f"bad selector\n{MAILCOWS}\n",
    ],
)
def test_a_key_that_could_not_be_read_proves_nothing(answer: str | Ran | HostError) -> None:
    found = judge(Running({AT: KEY}, answer))
    assert (found.status, found.certainty) == ("pass", "inferred"), found
    assert "could not be seen" in found.found


def test_without_a_right_to_ask_docker_it_is_not_proved() -> None:
    found = judge(
        Running({AT: KEY}, said(), docker=Denied("/var/run/docker.sock may not be read by this user"))
    )
    assert found.certainty == "inferred"


@pytest.mark.parametrize("how", [{"docker": Missing("there is no docker")}, {"project": "another"}])
def test_where_mailcow_does_not_run_it_is_as_before(how: dict[str, object]) -> None:
    host = Running({AT: KEY}, said(), **how)  # type: ignore[arg-type]
    found = judge(host)
    assert (found.status, found.certainty) == ("pass", "proved")
    assert row(Running({}, said(), **how)).expected.note  # type: ignore[arg-type]


def test_the_table_hands_the_record_over() -> None:
    missing = row(Running({}, said()))
    assert (missing.value, missing.state.kind, missing.expected.note) == (KEY, "missing", "")
    wrong = row(Running({AT: "v=DKIM1;p="}, said()))
    assert (wrong.value, wrong.state.kind) == (KEY, "wrong")
    (line,) = [one for one in report.zone_files([missing]) if "_domainkey" in one]
    # In strings of at most 255 bytes, as a zone file needs it.
    assert line.startswith('dkim._domainkey TXT "v=DKIM1')
    assert all(len(one) <= 255 for one in line.split('"')[1::2])
    assert "".join(line.split('"')[1::2]) == KEY


def test_a_missing_key_is_pushed_and_a_wrong_one_is_left_to_a_person() -> None:
    known = facts(Running({}, said()))
    found = next(one for one in known.get(table) if "_domainkey" in one.expected.name)
    assert check_of(found, known.get(mail_server)) == ("dns.dkim", DOMAIN)
    about = Entry("dns.dkim", DOMAIN, AT[0], "TXT", DOMAIN, "192.0.2.54", (), "", (), 3600)
    made = decide((found.expected,), There(), about, lambda _: None)
    assert isinstance(made, Entry)
    assert [len(one) for one in made.new[0].split('"')[1::2]] == [255, len(KEY) - 255]
    old = KEY.replace(MAILCOWS, ANOTHER)
    there = There((Data(f'"{old}"', old, 300),))
    left = decide((found.expected,), there, about, lambda _: Merged("", "by hand"))
    assert isinstance(left, Left)
    assert left.words == "by hand"


def test_no_password_is_in_an_argument_or_a_recording() -> None:
    host = Running({}, said())
    facts(host).get(signing_keys)
    (asked,) = [one for one in host.asked if one.startswith("docker exec")]
    assert "-a " not in asked
    assert "$REDISPASS" in asked, "the container's own variable, which its own shell reads"
    argv = ("docker", "exec", ID, "sh", "-c", SCRIPT, "sh", DOMAIN)
    assert scrub("run", (argv, 5.0), Ran(0, said(), "")) == Ran(0, said(), "")


# --- a key, or a policy, behind an alias in another zone ---


class Elsewhere(World):
    """The zone's own server knows the alias alone; a resolver knows what is at its end."""

    def __init__(self, name: str, records: Sequence[str]) -> None:
        super().__init__(ZONE)
        self._name, self._texts = name, records

    def _reply(self, asked: DnsQuestion) -> DnsReply:
        if (asked.name, asked.type) != (self._name, "TXT"):
            return super()._reply(asked)
        response = dns.message.make_response(dns.message.make_query(asked.name, "TXT"))
        response.flags |= dns.flags.AA
        response.answer.append(dns.rrset.from_text(f"{asked.name}.", 300, "IN", "CNAME", "key.hoster.net."))
        if asked.recursive and self._texts:
            quoted = [f'"{one[:200]}" "{one[200:]}"' for one in self._texts]
            response.answer.append(dns.rrset.from_text("key.hoster.net.", 300, "IN", "TXT", *quoted))
        return DnsReply(asked.servers[0], "udp", response.to_wire(), 0.01, "")


def test_a_key_behind_an_alias() -> None:
    assert judge(Elsewhere(AT[0], [KEY])).status == "pass"
    assert judge(Elsewhere(AT[0], [])).status == "warn"
    assert judge(Elsewhere(AT[0], ["v=DKIM1; p="])).status == "warn"


def test_a_policy_behind_an_alias() -> None:
    def policy(*texts: str) -> Judgement:
        (found,) = judge_dmarc(facts(Elsewhere(f"_dmarc.{DOMAIN}", texts)).get(dmarc))
        return found

    found = policy("v=DMARC1; p=reject")
    assert (found.status, "p=reject" in found.summary) == ("pass", True), found
    assert policy().status == "warn"
