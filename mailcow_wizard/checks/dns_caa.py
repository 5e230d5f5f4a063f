"""Judge of CAA: may Let's Encrypt issue the certificate that mailcow will ask for?"""

from __future__ import annotations

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.checks.dns_states import certainty
from mailcow_wizard.facts.dns.authorities import Authorities, Climb, authorities, said
from mailcow_wizard.model import Check, Evidence, Judgement

ISSUER = "letsencrypt.org"
# Tags that an authority knows (RFC 8659, 8657, 9495): an unknown one that is critical forbids to issue.
_KNOWN_TAGS = {"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"}
_CRITICAL = 128


def judge_caa(facts: Authorities) -> tuple[Judgement, ...]:
    """No CAA at all, or one that allows Let's Encrypt, for each name on the certificate."""
    return tuple(_caa(facts, one) for one in facts.climbs)


def _caa(facts: Authorities, climb: Climb) -> Judgement:
    relevant = climb.relevant
    evidence = tuple(
        Evidence(f"dig +short {one.name} CAA", "; ".join(one.values) or "nothing") for one in climb.seen[:3]
    )
    common = Judgement("pass", "", evidence=evidence, subject=climb.name)
    if relevant is None:
        silent = next((one for one in climb.seen if not one.answered and one.name.count(".")), None)
        if silent:
            return common._replace(
                status="unknown",
                summary=f"CAA at {silent.name} could not be asked: {silent.trouble}",
                certainty="untested",
            )
        return common._replace(
            summary=f"no CAA record restricts who may issue a certificate for {climb.name}",
            certainty=certainty(climb.seen[0]),
        )
    common = common._replace(
        found=f"at {relevant.name}: {'; '.join(said(relevant))}", certainty=certainty(relevant)
    )
    why_not = forbids(said(relevant))
    if not why_not:
        return common._replace(summary=f"CAA at {relevant.name} lets Let's Encrypt issue for {climb.name}")
    if not facts.asks:
        return common._replace(
            summary=f"CAA at {relevant.name} keeps Let's Encrypt out, and mailcow is set not to ask it",
            found=f"{common.found}; SKIP_LETS_ENCRYPT=y in mailcow.conf",
        )
    return common._replace(
        status="fail",
        summary=f"CAA at {relevant.name} keeps Let's Encrypt from issuing for {climb.name}: {why_not}",
        remedies=(
            f'Publish besides: {relevant.name}. CAA 0 issue "{ISSUER}"',
            "Or set SKIP_LETS_ENCRYPT=y in mailcow.conf and bring a certificate of your own.",
        ),
    )


def forbids(values: tuple[str, ...]) -> str:
    """Why these CAA records keep Let's Encrypt out; empty where they do not."""
    rows = [_parts(one) for one in values]
    strange = [tag for flags, tag, _ in rows if flags & _CRITICAL and tag not in _KNOWN_TAGS]
    if strange:
        return f"the critical tag {strange[0]} is known to no authority"
    issuers = [value.partition(";")[0].strip().lower() for _, tag, value in rows if tag == "issue"]
    if not issuers or ISSUER in issuers:
        return ""
    allowed = ", ".join(one for one in issuers if one)
    return f"only {allowed} may" if allowed else "nobody may"


def _parts(value: str) -> tuple[int, str, str]:
    flags, _, rest = value.partition(" ")
    tag, _, text = rest.partition(" ")
    return int(flags) if flags.isdigit() else 0, tag.lower(), text.strip('"')


CHECKS: tuple[Check, ...] = (
    Check(
        id="dns.caa",
        title="Authorities (CAA)",
        needed="no CAA record, or one that names letsencrypt.org, at each name of the certificate or above",
        why="Let's Encrypt obeys these records: where they do not name it, mailcow gets no certificate.",
        doc=need.DOC_TLS,
        severity="breaks",
        source=authorities,
        judge=judge_caa,
        network=True,
        deadline=14.0,
    ),
)
