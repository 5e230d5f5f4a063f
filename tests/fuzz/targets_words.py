"""Parsers of files and of what tools and people say, one by one: without the machine around them."""

from __future__ import annotations

import contextlib
import json
import tempfile
from types import SimpleNamespace
from typing import Any

from mailcow_wizard import names, redaction
from mailcow_wizard.checks import mail_refusals, mail_words
from mailcow_wizard.engine import (
    acknowledging,
    diff,
    leftover,
    lock,
    memory,
    reach,
    reach_greetings,
    reach_words,
    selection,
    session,
    worker,
)
from mailcow_wizard.engine.journal import Journal
from mailcow_wizard.engine.undo import merge
from mailcow_wizard.facts import docker, reputation_asn, sending
from mailcow_wizard.facts.dns import caa, der, dkim, dmarc, merging, mta_sts, spf_check, spf_record, tlsa
from mailcow_wizard.facts.firewall import connection, ipsets, iptables, nft, nft_wording, packet, sent_on
from mailcow_wizard.facts.firewall.state import targets as targets_of
from mailcow_wizard.facts.mail import (
    acme,
    admin,
    authentication_results,
    certificates,
    containers,
    postfix_log,
)
from mailcow_wizard.facts.network import mirrors, routes
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.install import clone, pulling, standing, troubles, up
from mailcow_wizard.model import Edit, Plan
from tests import installed_machine
from tests.fuzz.target import DEEP, DIGITS, Target, text
from tests.fuzz.targets_conf import CONF


def _spf(data: bytes) -> None:
    """A record, and what the names in it say: the lines behind the first, in turn."""
    lines = text(data).split("\n")
    said = iter(lines[1:])

    def ask(name: str, kind: str) -> spf_check.Heard:
        answer = next(said, None)
        return spf_check.Heard((), "silence") if answer is None else spf_check.Heard(tuple(answer.split("|")))

    for address in ("192.0.2.1", "2001:db8::1"):
        sender = spf_record.Sender(address, "mail.example.org", "postmaster", "example.org")
        spf_check.check(lines[0], sender, ask)
    with contextlib.suppress(spf_record.BadRecord):
        spf_record.policy(lines[0])
    verdict = spf_check.Verdict("pass")
    merging.says_mx(lines[0])
    opinion: Any = SimpleNamespace(record=lines[0], verdicts={"192.0.2.1": verdict}, uncovered=("192.0.2.1",))
    with contextlib.suppress(AttributeError):
        merging.merged_sender("example.org", lines[0], opinion, True)


def _txt(data: bytes) -> None:
    words = text(data)
    dkim.key_of(words)
    dkim.trouble(words), dkim.usable(words), dkim.public_key(words), dkim.is_key_record(words)
    dmarc.mistakes(words), dmarc.addressed(words), dmarc.policies((words,))
    merging.merged_policy("example.org", words)
    mta_sts.bad_announcement(words), mta_sts.bad_report_record(words)
    policy = mta_sts.sts_policy(words)
    mta_sts.permits(policy.patterns, "mail.example.org")
    for judged in (caa.forbids, caa.of_one_account, caa.mailcow_forbids):
        judged((words,))
    caa.forbids((words,), True)


def _der(data: bytes) -> None:
    shown = certificates.read(data) or certificates.read(certificates.first_in(text(data)))
    if shown:
        shown.is_for("mail.example.org")
    with contextlib.suppress(ValueError, IndexError):
        der.public_key(data)
    with contextlib.suppress(tlsa.NoAssociation):
        tlsa.association(text(data))


def _with_sets(data: bytes) -> bytes:
    return data + _raw("ipset.txt")


def _rules(data: bytes) -> None:
    """Rules of iptables, and packets that go through them."""
    saved = text(data)
    sets = ipsets.ipsets(saved)
    iptables.foreign(saved)
    compat = iptables.rules(saved, "iptables-nft", 4, {})
    [targets_of(rule) for chain in compat.chains.values() for rule in chain.rules]
    for family in (4, 6):
        _through(iptables.rules(saved, "iptables-nft", family, sets), family)


def _through(made: Any, family: int) -> None:
    source, own = ("203.0.113.5", "192.0.2.10") if family == 4 else ("2001:db8:1::5", "2001:db8::10")
    for port in (25, 443):
        one = packet.Packet(family, source, own, port, "eth0")
        connection.fate(made, one, lambda address: "eth0", frozenset({own}))


def _nft(data: bytes) -> None:
    texts = nft_wording.texts(text(data))
    try:
        listed = json.loads(data)
    except (ValueError, RecursionError):
        return
    nft.lookups(listed)
    nft.places(listed)
    made = nft.rules(listed, lambda: texts, frozenset(), True)
    [rule.text for chain in made.chains.values() for rule in chain.rules]
    sent_on.sent_on(made)
    for family in (4, 6):
        _through(made, family)


def _pulled(data: bytes) -> None:
    """What docker compose says while it pulls and starts, line by line."""
    told: list[str] = []
    heard = pulling.Pulling(18)
    job: Any = SimpleNamespace(tell=told.append)
    said = up._Said(job)
    lines = text(data).split("\n")
    for n, line in enumerate(lines):
        heard.hear(line, n / 10)
        heard.words()
        said.hear(line)
        clone._percent(line)
    troubles.of_output(lines)


def _logs(data: bytes) -> None:
    lines = text(containers.frames(data)).splitlines()
    acme.explained(lines, "mail.example.org")
    admin._judged(text(data))
    docker.seconds(text(data[:64]))
    containers.restarted_by(tuple(lines), {"0a1b2c3d4e5f": "unbound-mailcow"})
    for service in ("unbound-mailcow", "mysql-mailcow", "clamd-mailcow"):
        mail_words.meaning(containers.Box("", "", service, "exited", 0.0, lines=tuple(lines)))
    mail_refusals.remedies(text(data))
    reputation_asn.forwarders(text(data))


_STATE = tempfile.TemporaryDirectory(prefix="mailcow-wizard-fuzz-")
_NAMES = ("answers", "acknowledgements", "last-run", "last-run-recorded", "install", "install-progress")


def _files(data: bytes) -> None:
    """Every document of the state directory, each with the same content."""
    place = StateDirectory(_STATE.name)
    for name in (*_NAMES, standing.NAME):
        with open(f"{place.path}/{name}.json", "wb") as file:
            file.write(data)
    session._answers(place.load("answers"))
    acknowledging.Acknowledgements(place).trouble()
    for recorded in (False, True):
        memory.Memory(place, recorded)
    record = standing.Record(place)
    record.load()
    record.progress()
    record.secrets()
    with open(record.log_path, "wb") as file:
        file.write(data)
    record.log_lines(record.log_begin())
    lock._holder(text(data))


_PLAN = Plan("ports.smtp", None, "x", "x", (Edit("/x", b"a\n", b"b\n"),), "low", True, True, "x")


def _journal(data: bytes) -> None:
    """The files of a change, each in turn with this content: what is read says why it cannot be read."""
    place = tempfile.mkdtemp(dir=_STATE.name)
    journal = Journal(StateDirectory(place))
    change = journal.add(_PLAN, {}, "2026-11-27T20:00:00Z", {})
    asking: Any = SimpleNamespace(state=StateDirectory(place), host=SimpleNamespace(changing=lambda: None))
    for name in ("log", "progress.json", "change.json"):
        with open(journal.path(change, name), "wb") as file:
            file.write(data)
        journal.events(change, 0)
        journal.last_end(change)
        for ask in (
            journal.list,
            lambda: journal.get(change),
            lambda: journal.plan(change),
            lambda: journal.found(change),
            lambda: journal.settings(change),
            lambda: journal.standing(change),
            lambda: leftover.left_over(asking),
        ):
            with contextlib.suppress(HostError):
                ask()
    with contextlib.suppress(TypeError):
        worker.settings_of({"domains": ["x"]})


def _typed(data: bytes) -> None:
    """What people type and paste."""
    words = text(data)
    with contextlib.suppress(acknowledging.NotADay):
        day = acknowledging.read_day(words, "2026-01-01")
        assert acknowledging.holds(day, "2026-01-01"), "what is put down ends at once"
    acknowledging.holds(words, "2026-01-01")
    with contextlib.suppress(reach_words.BadReport):
        reach_words.ports_of(words)
        reach_words.extra_of(words)
    far: Any = reach.Reach.__new__(reach.Reach)
    far.targets, far.extra, far.families, far.reported, far._times = (), 25, (4,), {}, {}
    far.mail_leaves, far.reporter = None, ""
    far._own_asked = SimpleNamespace(join=lambda seconds: None)
    with contextlib.suppress(reach_words.BadReport):
        reach.Reach.hear(far, words)
    for read in (mirrors.of_apt, mirrors.of_dnf, mirrors.of_apk):
        assert all(0 < one.port < 1 << 16 for one in read(words))
    here, _, there = words.partition(" ")
    reach_greetings.likeness(here, there)
    reach_greetings.shown(there)
    with contextlib.suppress(selection.UnknownSelector):
        selection.select((words,))
    named = (names.host_name, names.mail_host_name, names.mail_domain, names.server_and_port)
    for judge in (*named, names.api_addresses):
        with contextlib.suppress(names.NotAName):
            judge(words)
    names.doubt(words, words)


def _shown(data: bytes) -> None:
    """What is shown of it: in one line, without controls, without secrets."""
    words = text(data)
    assert harmless(words).isprintable()
    redaction.redacted(tuple(words.split(" ")))
    redaction.without_credentials(words), redaction.without_secret_values(words)
    redaction.configuration(words), redaction.configuration_secrets(words)
    before, _, after = data.partition(b"\x1d")
    for path in ("/opt/mailcow-dockerized/mailcow.conf", "/etc/fstab"):
        diff.unified(Edit(path, before, after))
    base, _, theirs = after.partition(b"\x1d")
    with contextlib.suppress(merge.Overlap):
        merge.merge(before, base, theirs)
    with contextlib.suppress(UnicodeDecodeError):
        words = data.decode()
        streams._spelled(UnicodeEncodeError("ascii", words, 0, len(words), "not ASCII"))[0].encode("ascii")


def _raw(name: str) -> bytes:
    return (installed_machine.SEEDS / name).read_bytes()


_PULL = (
    b'{"id":"redis-mailcow","text":"Pulling"}\n{"id":"a1b2","parent_id":"redis-mailcow","text":"Downloading",'
    b'"status":"[==>  ] 1.5MB/29MB","current":1500000,"total":29000000}\n 4f4fb700ef54 Downloading [=>  ]'
    b"  1.2MB/29.1MB\n redis-mailcow Pulled\nError response from daemon: manifest unknown\n"
    b"Receiving objects:  12% (1/9)\n"
)
_SPF = (
    b"v=spf1 mx a:%{d} ip4:192.0.2.0/24 include:_spf.example.net exists:%{ir}.x ptr redirect=a.b\n"
    b"10 mail.x|1.2.3.4\n"
    b"192.0.2.1\nv=spf1 ?all",
    b"v=spf1 ip6:2001:db8::/32 a/24//64 -all exp=x.%{l1r-}",
)
_TXTS = (
    b"v=DKIM1; k=rsa; h=sha256; t=s; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX",
    b"v=DMARC1; p=none; sp=reject; pct=50; rua=mailto:a@b.c!10m,mailto:x@y; fo=1:d",
    b"v=STSv1; id=20260101", b"v=TLSRPTv1; rua=mailto:a@b,https://c",
    b"version: STSv1\nmode: enforce\nmx: *.example.org\nmax_age: 86400\n",
    b"128 iodef mailto:a@b", b'0 issue "letsencrypt.org; validationmethods=dns-01,http-01; a=b"',
)  # fmt: skip
_LOGS = (
    b"\1\0\0\0\0\0\0\x0ahello\nabc\n", installed_machine.ACME_LOG.encode(), b"2026-11-27T19:00:00.123456789Z",
    b"HTTP/1.1 302 Found\nlocation: /admin/dashboard\nset-cookie: a=b\n\nx",
    b'Cannot validate any hostnames: {"type": "urn:ietf:params:acme:error:rateLimited"}\n',
    b'server:\nforward-zone:\n  name: "."\n  forward-addr: 1.1.1.1@853#dns # x\nremote-control:\n',
    b"now - Sending restart command to 0a1b2c3d4e5f...\nWorker 25 died, stopping\nWaiting for SQL...\n",
    b"Challenge did not pass for a.example: {'error': {'type': 'acme:error:dns', 'detail': 'x', 's': 4}}",
    b"host mx.example refused to talk to me: 554 IP=192.0.2.1 bad PTR, see tosa@rx.t-online.de (S3140)",
)  # fmt: skip
_STATES = (
    b'{"hostname": "mail.example.org", "domains": ["example.org"], "step": "dns"}',
    b'[{"check": "ports.smtp", "subject": null, "reason": "x", "by": "root", "at": "2026", "until": null}]',
    b'{"run": {}, "statuses": [["ports.smtp", null, "pass"]]}', b'{"pid": 12, "change": "1"}',
    b'{"stage": "pull", "text": "x", "done": 1, "whole": 2}', DEEP, DIGITS, b'{"pid": ' + DIGITS + b"}",
)  # fmt: skip
_JOURNAL = (
    b'{"state": "applied", "error": "", "result": null, "steps": [], "doing": null}\n', b"[]", b"{}", DEEP,
    b'{"kind": "end"}\n{"kind"', b"1 2\n2026 begin: x\n",
    b'{"steps": [{"kind": "edit", "path": "/x", "before": "00", "after": null}]}',
    b'{"check": "a", "subject": null, "fix": "b", "title": "c", "reversible": true, "at": "x", "steps": []}',
)  # fmt: skip


def _headers(data: bytes) -> None:
    lines = tuple(text(data).split("\n"))
    authentication_results.seen(lines, "a.example"), postfix_log.read_fate(lines, "40DBC22AB6A")


_HEADERS = (
    b"postfix/smtp[1]: 40DBC22AB6A: to=<a@b.example>, relay=none, delay=1, status=deferred (connect to x)\n",
    b"Received: from b.example (b.example [192.0.2.1]) (using TLSv1.3 with cipher X) by c.example with LMTP\n"
    b'Authentication-Results: c.example 1; dkim=fail (a (b)) reason="x" header.d=a.example; spf=pass; none\n'
    b"Received: from a.example ([IPv6:2001:db8::1]) by c.example with ESMTPS\n"
    b"Received: from localhost by localhost (Mailerdaemon) with ESMTPSA",
    b"Received: by 2002:a05:: with SMTP id 1\nReceived: from 192.0.2.1 (EHLO a) by 10.0.0.1 with SMTPs\n"
    b"Authentication-Results: spf=pass smtp.mailfrom=a@a.co.uk;dmarc=none",
)
_RULES = ("iptables-save.txt", "ip6tables-save.txt", "ipset.txt", "iptables-legacy-save.txt")
_LIMITED = (
    b"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m hashlimit --hashlimit-above 5/min --hashlimit-burst 3 "
    b"--hashlimit-mode srcip --hashlimit-name a -j DROP\nCOMMIT\n"
)
_PUT_ON = (
    b'{"nftables": [{"table": {"family": "ip", "name": "a"}}, {"chain": {"family": "ip", "table": "a", '
    b'"name": "c", "type": "filter", "hook": "input", "prio": 0, "policy": "accept"}}, {"rule": {"family": '
    b'"ip", "table": "a", "chain": "c", "handle": 4, "expr": [{"set": {"op": "add", "set": "@s", "elem": '
    b'{"payload": {"protocol": "ip", "field": "saddr"}}}}]}}]}'
)
_NFT = (_raw("nft.json"), _raw("nft.txt"), b'{"nftables": [1, {"rule": 1}]}', DEEP, _PUT_ON)
_PROGRESS = (_PULL, b"{" * 50_000, b'{"a":' * 50_000, b'{"current": 1e999, "id": 1}')
_TYPED = (
    b"2027-01-31", b"4:25a.465s;6:25n;c:o", b"a" * 20 + b"-25-465t", b"ports",
    b"o~220_a,b_ESMTP o~220-a,b", b"o~HTTP_1,1_301_nginx o~HTTP_1,1_403_nginx", b"o~+OK o~*_OK",
    b"mail.example.org", b"deb [a=b] http://a.b:1/c d\n\nURIs: https://a.b\n c", DIGITS,
    b"[a]\nbaseurl=http://a.b/\nenabled=0\n[b]\nmetalink=https://c.d/",
)  # fmt: skip
_SHOWN = (CONF, b"a\nb\x1da\nc\x1db\nb", b"mysql -psecret http://u:p@h", b"\x1b]0;x\x07")


_ROUTED = (
    b"Iface Destination Gateway\neth0 00000000 01040808 0003 0 0 0 00000000 0 0 0\n",
    b"0" * 32 + b" 00 " + b"0" * 32 + b" 00 " + b"fe80" + b"0" * 28 + b" 00000400 1 0 00450003 eth0\n",
    b"2: eth0    inet 8.8.4.10/24 brd 8.8.4.255 scope global eth0\\\n3: p inet 8.8.4.10 peer 8.8.7.1/32\n",
)


def _routed(data: bytes) -> None:
    """Routes, and the addresses of an interface."""
    list(routes._rows_v4(text(data))), list(routes._rows_v6(text(data)))
    sending.first_address(text(data), "192.0.2.1")


def targets() -> tuple[Target, ...]:
    """Of words."""
    halves = b"*filter\n:\n-A \n-A INPUT -j\nCOMMIT\n"
    iptables_seeds = (*(_with_sets(_raw(one)) for one in _RULES), DIGITS, halves, _LIMITED)
    return (
        Target("words spf", _spf, _SPF),
        Target("words txt", _txt, (*_TXTS, DIGITS)),
        Target("words der", _der, (_raw("certificate.der"), b"3 1 1 " + b"ab" * 32)),
        Target("words iptables", _rules, iptables_seeds),
        Target("words nft", _nft, _NFT),
        Target("words progress", _pulled, _PROGRESS),
        Target("words headers", _headers, _HEADERS),
        Target("words logs", _logs, _LOGS),
        Target("words state", _files, _STATES),
        Target("words journal", _journal, _JOURNAL),
        Target("words typed", _typed, _TYPED),
        Target("words shown", _shown, _SHOWN),
        Target("words routed", _routed, _ROUTED),
    )
