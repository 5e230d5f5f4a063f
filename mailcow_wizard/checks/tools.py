"""The judge of the programs that mailcow's scripts call."""

from mailcow_wizard import requirements as need
from mailcow_wizard.facts import tools
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Evidence, Judgement

_LOST = {
    "ping": _("without ping mailcow believes that IPv6 does not work and switches it off"),
    "ip": _("without ip mailcow cannot see this machine's addresses"),
}


def judge_tools(found: tools.Tools) -> Judgement:
    """Missing tools, BusyBox in place of GNU tools, then those that are merely missed."""
    missing = [name for name, path in found.paths if not path]
    required = [name for name in missing if name not in need.TOOLS_ADVISED]
    advised = [name for name in missing if name in need.TOOLS_ADVISED]
    names = " ".join(name for name, _unused in found.paths)
    evidence: tuple[Evidence, ...] = (
        Evidence(f"command -v {names}", " ".join(path for _unused, path in found.paths if path)),
    )
    for name in found.busybox:
        evidence += (Evidence(f"{name} --help 2>&1 | head -1", "BusyBox"),)
    remedy = _install(found.packager, (*missing, *found.busybox))
    complaints = []
    if required:
        complaints.append(_("missing: {names}", names=", ".join(required)))
    if found.busybox:
        complaints.append(_("BusyBox instead of the GNU tool: {busybox}", busybox=", ".join(found.busybox)))
    if complaints:
        if advised:
            complaints.append(_("also missing: {advised}", advised=", ".join(advised)))
        words = "; ".join(complaints)
        doc = need.DOC_BUSYBOX if found.busybox and not required else None
        return Judgement("fail", words, words, evidence, (remedy,), doc=doc)
    if advised:
        return Judgement(
            "warn",
            _("missing: {names}; {lost}", names=", ".join(advised), lost=_LOST[advised[0]]),
            _("missing: {names}", names=", ".join(advised)),
            evidence,
            (remedy,),
            severity="degrades",
            why=_("As it is, {advised}.", advised="; ".join(_LOST[name] for name in advised)),
        )
    return Judgement("pass", _("all {number} are there", number=len(found.paths)), names, evidence)


def _install(packager: str, names: tuple[str, ...]) -> str:
    """The command that installs what is missing."""
    packages = dict.fromkeys(
        need.PACKAGES.get(f"{packager} {name}") or need.PACKAGES.get(name, name) for name in names
    )
    if not packager:
        return _("Install with your system's package manager: {packages}", packages=", ".join(packages))
    return f"{need.INSTALL_COMMANDS[packager]} {' '.join(packages)}"


TOOLS = Check(
    id="system.tools",
    title=_("Tools"),
    needed=_("git, openssl, curl, awk, sha1sum, cut, jq; GNU grep, cp and sed; ping and ip"),
    why=_(
        "mailcow's generate_config.sh and update.sh call them and stop where one is missing; "
        "BusyBox's variants lack options that they use."
    ),
    doc=need.DOC_INSTALL,
    severity="blocks",
    source=tools.tools,
    judge=judge_tools,
)
