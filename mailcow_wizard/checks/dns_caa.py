"""Judge of CAA: may Let's Encrypt issue the certificate that mailcow will ask for?"""

from __future__ import annotations

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.checks.dns_states import certainty, see_why, with_fate
from mailcow_wizard.facts.dns.authorities import Authorities, Climb, said
from mailcow_wizard.facts.dns.caa import ISSUER, MOST_PARTS, forbids, of_one_account, too_deep, unknown_tag
from mailcow_wizard.facts.dns.certificate import Allowed, above_forbids, allowed
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Evidence, Judgement


def judge_caa(facts: Allowed) -> tuple[Judgement, ...]:
    """No CAA at all, or one that allows Let's Encrypt, for each name on the certificate."""
    return tuple(_with_fate(facts, one) for one in facts.authorities.climbs)


def _with_fate(facts: Allowed, climb: Climb) -> Judgement:
    """What CAA says of a name, and what becomes of it."""
    name, fate = climb.name, facts.fates.get(climb.name)
    judgement = _caa(facts.authorities, climb)
    if fate and judgement.status == "pass" and fate.fate == "left out" and name in facts.extra:
        # No other check looks at these names.
        judgement = judgement._replace(
            status="warn",
            severity="degrades",
            summary=_("mailcow leaves {name} out of the certificate: {words}", name=name, words=fate.words),
            needed=_("each name of ADDITIONAL_SAN has the server's address"),
            why=_(
                "mailcow drops a name that does not lead to this server, and clients that use it "
                "see a wrong certificate."
            ),
            remedies=(
                _("Publish: {name}. CNAME {server}.", name=name, server=facts.authorities.server.name),
                _("Or take the name out of ADDITIONAL_SAN in mailcow.conf."),
            ),
        )
    return with_fate(judgement, fate)


def _caa(facts: Authorities, climb: Climb) -> Judgement:
    relevant, name, above = climb.relevant, climb.name, above_forbids(climb)
    evidence = tuple(
        Evidence(f"dig +short {one.name} CAA", "; ".join(one.values) or _("nothing"))
        for one in climb.seen[:3]
    )
    common = Judgement("pass", "", evidence=evidence, subject=name)
    if facts.asks and not facts.directory and too_deep(name):
        return common._replace(
            status="fail",
            summary=_too_deep(name),
            remedies=(_("Give it a name of fewer parts."),),
        )
    if relevant is None and climb.silent:
        if above and facts.asks:
            return _left_out(common._replace(certainty=certainty(climb.seen[1])), facts, climb, above)
        return common._replace(
            status="unknown",
            summary=_(
                "CAA at {silent} could not be asked: {trouble}",
                silent=climb.silent.name,
                trouble=climb.silent.trouble,
            ),
            certainty="untested",
            remedies=(see_why(climb.silent),),
        )
    if relevant is None:
        return common._replace(
            summary=_("no CAA record restricts who may issue a certificate for {name}", name=name),
            certainty=certainty(climb.seen[0]),
        )
    holder = climb.holder
    common = common._replace(
        found=_("at {name}: {records}", name=holder, records="; ".join(said(relevant))),
        certainty=certainty(relevant),
    )
    if facts.asks and facts.directory and not above:
        return _of_another(common, facts.directory, holder)
    asked = (said(relevant), name.startswith("*."), facts.method)
    why_not = forbids(*asked)
    if why_not and not facts.asks:
        return common._replace(
            summary=_(
                "CAA at {relevant} keeps Let's Encrypt out, and mailcow is set not to ask it",
                relevant=holder,
            ),
            found=_("{found}; mailcow has SKIP_LETS_ENCRYPT=y", found=common.found),
        )
    if why_not:
        return common._replace(
            status="fail",
            summary=_(
                "CAA at {relevant} keeps Let's Encrypt from issuing for {name}: {why_not}",
                relevant=holder,
                name=name,
                why_not=why_not,
            ),
            remedies=(
                _lets_in(holder, unknown_tag(said(relevant))),
                _("Or set SKIP_LETS_ENCRYPT=y in mailcow.conf and bring a certificate of your own."),
            ),
        )
    if above and facts.asks:
        return _left_out(common, facts, climb, above)
    if facts.asks and of_one_account(*asked):
        return common._replace(
            status="unknown",
            summary=_(
                "CAA at {relevant} lets Let's Encrypt issue for {name}, but for one account alone "
                "(accounturi); whether that is mailcow's is not known",
                relevant=holder,
                name=name,
            ),
            certainty="untested",
            remedies=(_("Take accounturi out of the record, unless it names mailcow's own account."),),
        )
    return common._replace(
        summary=_("CAA at {relevant} lets Let's Encrypt issue for {name}", relevant=holder, name=name)
    )


def _lets_in(holder: str, strange: str) -> str:
    """What lets Let's Encrypt issue: beside a critical tag that it does not know no other record does."""
    if strange:
        return _(
            "Take the CAA record with the tag {strange} away from {holder}, or write 0 for its flag.",
            strange=strange,
            holder=holder,
        )
    return _('Publish besides: {relevant}. CAA 0 issue "{issuer}"', relevant=holder, issuer=ISSUER)


def _of_another(common: Judgement, directory: str, name: str) -> Judgement:
    """Another authority is asked: under which name it looks for itself in CAA is not known."""
    return common._replace(
        status="unknown",
        summary=_(
            "CAA at {name} says who may issue, and mailcow asks {directory} (DIRECTORY_URL): whether that "
            "one may is not known",
            name=name,
            directory=directory,
        ),
        certainty="untested",
        remedies=(
            _("See under which name {directory} looks for itself in CAA records.", directory=directory),
        ),
    )


def _too_deep(name: str) -> str:
    return _(
        "Let's Encrypt issues for no name of more than {number} parts, and {name} has more",
        number=MOST_PARTS,
        name=name,
    )


def _left_out(common: Judgement, facts: Authorities, climb: Climb, above: str) -> Judgement:
    """Whatever Let's Encrypt would do for the name, mailcow does not ask for it."""
    whole = climb.name == facts.server.name
    return common._replace(
        status="fail" if whole else "warn",
        severity="breaks" if whole else "degrades",
        summary=_("mailcow leaves {name} out of the certificate: {above}", name=climb.name, above=above),
        why=_(
            "mailcow looks at CAA only at the name above, and asks for no certificate where Let's "
            "Encrypt is not named there, whatever the name itself has."
        ),
        remedies=(
            _(
                'Publish besides: {domain}. CAA 0 issue "{issuer}"',
                domain=climb.name.partition(".")[2],
                issuer=ISSUER,
            ),
            _("Or set SKIP_LETS_ENCRYPT=y in mailcow.conf and bring a certificate of your own."),
        ),
    )


CHECKS: tuple[Check, ...] = (
    Check(
        id="dns.caa",
        title=_("Authorities (CAA)"),
        needed=_(
            "no CAA record, or one that names letsencrypt.org, at each name of the certificate or above"
        ),
        why=_("Let's Encrypt obeys these records: where they do not name it, mailcow gets no certificate."),
        doc=need.DOC_TLS,
        severity="breaks",
        source=allowed,
        judge=judge_caa,
        network=True,
        deadline=14.0,
    ),
)
