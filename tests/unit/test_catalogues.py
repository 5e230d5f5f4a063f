"""The catalogues, and the sentences of the source: none is missing, none is without its mark."""

import ast
import re
import string
from collections import defaultdict
from collections.abc import Iterator, Mapping

import catalogues
import pytest
from catalogues import PARTS, ROOT, TRANSLATIONS, Sentence

# Catalogues of files whose sentences are all marked.
CONVERTED = {*PARTS} - {"host"}  # what the door says is marked by its form (`language.heard`)
# Files that write what programs read, or what stands in files of other programs.
FOR_PROGRAMS = {
    "ansible/roles/mailcow_wizard/library/mailcow_wizard.py",  # Ansible speaks English
    "cli/completion.py",  # scripts for shells
    "conf/layout.py",  # comments in mailcow.conf, which are English there
    "facts/dns/wire.py",  # words of the protocol
    "fixes/proxy_sites.py",
    "report/monitoring.py",
    "report/reach_lines.py",
    "report/schema.py",
    "typed.py",  # mistakes of who writes the program
}
# Texts in them that look like sentences and are none for people: files' contents, commands, names.
NOT_FOR_PEOPLE = {
    "# Written by mailcow-wizard, which can take it back: mailcow-wizard undo\n",
    "product_name: google compute engine",
    # where the sentences of providers were read
    "github.com/ovh/docs, guides on IP addresses: Modify the reverse path",
    "github.com/linode/docs, Configure rDNS on Compute Instances: Network, Edit RDNS",
    "EC2 user guide, Elastic IP addresses, Use reverse DNS for email applications",
    "Compute Engine API, accessConfigs.publicPtrDomainName; the console's Public DNS PTR Record",
    "not everywhere yet",  # states of a record
    "split view",
    "could not ask",
    "certificate has expired",  # OpenSSL's words
    "certificate is not yet valid",
    "name does not resolve",  # the beginning of what the door said
    "{pool} {name} iburst\n",
    'ack network.outbound-25 --reason "mail leaves by a relay"',  # an example to type
    "{id}: {status} after {duration_ms} ms",
    "fix {check} {fix}{subject}",
    "^Max open files +(?:{digits}|unlimited) +({digits1}|unlimited)\\b",
    "{path} none swap sw 0 0\n",
    "# Settings of docker compose beside mailcow's own; updates of mailcow leave this file alone.\n",
    "answered by something else",  # states of a port
    "asked from this network only",
    "no way there from here",
    "open, and nothing is heard",
    "open, and not known whose it is",
    "not asked: no way from there",
    "refused on the way",
    "not asked: that line lets no port 25 out",
    "not asked: that line may let no port 25 out",
    "its certificate is not accepted: ",  # the door's words, taken away
    "unable to configure",  # words of Docker's journal
    "failed to start daemon",
    "error initializing",
    "no packet begins here",  # errors of a parser that nobody sees
    "a key has no partial lengths",
    "a key has no indeterminate length",
    "the last packet is cut short",
    "rc-update add docker default",
    "\\ No newline at end of file",  # words of diff
    r"\s*\((?:at line (\d+), column \d+|at end of document)\)$",  # words of tomllib
    "inferred: some eighteen images unpack to about 150 000 files",  # the source of a number
    # what the far side is answered, whose language is not known
    "This knock comes from {}, which is this server itself or its own network:\n"
    "no provider's firewall was passed, and nothing is proved. Paste the line elsewhere.\n",
    "is incompatible, use 'nft' tool",  # words of iptables
    "Network is unreachable",  # words of ip
    "No route to host",
    "Host is unreachable",
    "tc filter show dev {interface} ingress",
    "ct state or status",  # what a rule compares, as nft says it
    "ct wanted port",
    "ct wanted ip",
    "ct from ip",
    "ct from port",
    "ct original proto-dst",
    "fib daddr type",
    "fib saddr type",
    "Description=Rules for containers in {user_chain}",
    "smtpctl show queue",
    "(?i)nofile|setrlimit|too many open files|ulimit",  # words of mailcow's logs
    "(?i)no space left on device|disk full",
    "(?i)address already in use|port is already allocated",
    "(?i)access denied for user",
    "(?i)could not resolve host|temporary failure in name resolution|name or service not known",
    "535|AUTHENTICATIONFAILED|holds no password|could not be read|authentication fail",
    r"Cannot match your IP (\S*) against hostname {name} \(DNS returned (\S+)\)",
    "No A or AAAA record found for hostname {name}",
    "Lets Encrypt disallowed for {name} by CAA record",
    r"couldn't download http://([\w.-]+)/",
    "Challenge did not pass for {name}:? .{0,2500}?acme:error:",
    "Challenge did not pass for {name}",
    "Challenge did not pass",
    r"Order cannot contain more than (\d{1,5})",
    r"Cannot find DNS API hook for: ?(\S{1,80})",
    "key not found",  # words of the mail servers of others
    "no such key",
    "Some services do return old end dates",
    "issuer other than mailcow snake-oil CA and Let's Encrypt",
    "Certificates (?:were )?successfully|Certificates were successfully",
    "Cannot validate any hostnames",
    "Some errors occurred|Failed to obtain certificate",
    "Using command acme-tiny|Registering account|Verifying|Parsing",
    "Deploying certificate|Reloading or restarting",
    "the terminal would scroll",  # one layer of the display to the other
}


# --- catalogues -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def needed() -> dict[str, dict[Sentence, list[str]]]:
    """The sentences of the source."""
    return catalogues.needed()


@pytest.mark.parametrize("tongue", TRANSLATIONS)
@pytest.mark.parametrize("part", PARTS)
def test_the_catalogue_is_complete(
    needed: Mapping[str, dict[Sentence, list[str]]], tongue: str, part: str
) -> None:
    kept = catalogues.read(tongue, part)
    advice = "run: python -m tests.catalogues"
    assert set(needed[part]) - set(kept) == set(), f"not in the catalogue; {advice}"
    assert set(kept) - set(needed[part]) == set(), f"not in the source any more; {advice}"
    assert [one.text for one, words in kept.items() if not words] == [], "not translated, or doubtful (fuzzy)"
    made = catalogues.path_of(tongue, part, "mo").read_bytes()
    assert made == catalogues.compiled(tongue, part, kept), (
        f"the .mo file is older than the .po file; {advice}"
    )


@pytest.mark.parametrize("tongue", TRANSLATIONS)
@pytest.mark.parametrize("part", PARTS)
def test_a_translation_has_what_the_sentence_has(tongue: str, part: str) -> None:
    for sentence, words in catalogues.read(tongue, part).items():
        for word in words:
            wanted = (
                {*_places(sentence.text), *_places(sentence.plural)}
                if sentence.plural
                else _places(sentence.text)
            )
            assert _places(word) <= wanted if sentence.plural else _places(word) == wanted, (sentence, word)
            assert _edges(word) == _edges(sentence.text), (sentence, word)
            assert re.findall(r"`[^`]*`", word) == re.findall(r"`[^`]*`", sentence.text), (sentence, word)


def _places(text: str) -> set[str]:
    return {str(name) for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _edges(text: str) -> tuple[bool, bool, str]:
    """Spaces at the ends, and how it ends."""
    end = text.rstrip()[-1:]
    return text.startswith(" "), text.endswith(" "), end if end in ".:;…" else ""


@pytest.mark.parametrize("tongue", TRANSLATIONS)
def test_the_same_sentence_is_the_same_everywhere(tongue: str) -> None:
    seen: dict[Sentence, set[tuple[str, ...]]] = defaultdict(set)
    for part in PARTS:
        for sentence, words in catalogues.read(tongue, part).items():
            seen[sentence].add(words)
    assert {one.text: words for one, words in seen.items() if len(words) > 1} == {}


# --- the source -------------------------------------------------------------------------------------------

FILES = [str(path.relative_to(ROOT)) for path in sorted(ROOT.rglob("*.py"))]


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    """The syntax of every file."""
    return {name: ast.parse((ROOT / name).read_text(), name) for name in FILES}


def test_a_sentence_that_is_no_literal_is_refused() -> None:
    with pytest.raises(ValueError, match="not a literal"):
        list(catalogues.uses_of("checks/x.py", "_(f'{name} is {state}')"))


def test_nothing_else_is_called_by_the_mark(trees: Mapping[str, ast.Module]) -> None:
    """`for _ in …` would take the place of the function."""
    marked = {name for name in FILES if "mailcow_wizard.language import" in (ROOT / name).read_text()}
    advice = "call what is not needed _name"
    stored = {name: lines for name in marked if (lines := list(_stored(trees[name])))}
    assert stored == {}, advice


def _stored(tree: ast.Module) -> Iterator[int]:
    """The lines where something is called `_`."""
    for node in ast.walk(tree):
        stored = isinstance(node, ast.Name) and node.id == "_" and isinstance(node.ctx, ast.Store)
        if stored or (isinstance(node, ast.arg) and node.arg == "_"):
            yield node.lineno


def test_a_second_use_of_the_mark_is_seen() -> None:
    assert list(_stored(ast.parse("for _ in a: pass\nb = lambda _: 1\n_('x')"))) == [1, 2]


def test_every_sentence_is_marked(trees: Mapping[str, ast.Module]) -> None:
    looked_at = [name for name in FILES if catalogues.part_of(name) in CONVERTED and name not in FOR_PROGRAMS]
    assert {name: texts for name in looked_at if (texts := list(_unmarked(trees[name])))} == {}


def test_an_unmarked_sentence_is_seen() -> None:
    source = 'a = _("this one is marked")\nb = f"{a} is not yet marked"\nc = f"{_(\'this one is fine\')} 1"\n'
    assert list(_unmarked(ast.parse(source))) == ["2: {a} is not yet marked"]


# Words between values: `{address}: {result} by {term}` is a sentence, though of one word.
_JOINING = re.compile(r"(?<![\w/.=-])(?:by|of|and|or|is|are|not|no|at|from|with|after|while|any)(?![\w/=.-])")
_COMMANDS = {"ufw route allow proto {kind} to any port {port}"}


def test_what_joins_values_is_marked(trees: Mapping[str, ast.Module]) -> None:
    checks = [name for name in FILES if name.startswith("checks/")]
    assert {name: texts for name in checks if (texts := list(_joined(trees[name])))} == {}


def test_a_word_that_joins_values_is_seen() -> None:
    source = 'a = f"{b} by {c}", _("{b} by {c}"), f"{b}: {c}"'
    assert list(_joined(ast.parse(source))) == ["{b} by {c}"]


def _joined(tree: ast.Module) -> Iterator[str]:
    texts = (catalogues.template(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr))
    return (one for one in texts if _JOINING.search(re.sub(r"\{\w+\}", "0", one)) and one not in _COMMANDS)


def _unmarked(tree: ast.Module) -> Iterator[str]:
    """Literals that look like sentences, outside the functions that mark one; docstrings aside."""
    passed: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed.add(id(node.value))
        elif isinstance(node, ast.Call) and catalogues.mark_of(node):
            passed.update(id(one) for one in node.args)
        elif isinstance(node, ast.JoinedStr):
            passed.update(id(one) for one in node.values)
        elif isinstance(node, ast.Dict):
            passed.update(id(one) for one in node.keys)
        elif isinstance(node, ast.Compare):
            passed.update(id(one) for one in ast.walk(node))
        elif isinstance(node, ast.Call) and "show=False" in ast.unparse(node):
            passed.update(id(one) for one in node.args)  # the description of a key that no list shows
    for node in ast.walk(tree):
        if id(node) not in passed and isinstance(node, ast.Constant | ast.JoinedStr):
            text = catalogues.template(node)
            if catalogues.is_sentence(re.sub(r"\{\w+\}", "0", text)) and text not in NOT_FOR_PEOPLE:
                yield f"{node.lineno}: {text}"
