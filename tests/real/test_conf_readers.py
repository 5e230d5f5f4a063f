"""What is said of the two readers of mailcow.conf, held against the real ones on thousands of lines."""

import os
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lab import compose, shell
from lab.skip import or_skip
from real.conf_lines import Case, cases

from mailcow_wizard.conf import dotenv
from mailcow_wizard.conf import shell as ours
from mailcow_wizard.conf.document import written
from mailcow_wizard.conf.reading import text_of
from mailcow_wizard.conf.seen import Seen, Stop
from mailcow_wizard.conf.unwritable import Unwritable
from mailcow_wizard.redaction import of_compose

pytestmark = pytest.mark.seeded
ENVIRONMENT = {"PATH": "/nonexistent", "HOME": "/dev/null", "LC_ALL": "C.UTF-8"}
CASES = 3000
REFUSED = 60
"""As many cases as compose is to refuse are asked one by one; the others go into one file."""


@pytest.fixture(scope="module")
def seed() -> int:
    """Another one each time; MAILCOW_WIZARD_TEST_SEED repeats a run."""
    return int(os.environ.get("MAILCOW_WIZARD_TEST_SEED") or random.randrange(1 << 32))


@pytest.fixture(scope="module", params=compose.SUITES)
def program(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Compose of each generation in turn."""
    with or_skip():
        yield compose.program(request.param)


def claimed(seen: Sequence[Seen], stop: Stop | None, keys: Sequence[str]) -> dict[str, str | None]:
    """What bash must have set: the keys of which something is said; None for those that it does not set."""
    if stop and not stop.certain:
        return {}
    claims: dict[str, str | None] = dict.fromkeys(keys)
    unsure: set[str] = set()
    for one in seen:
        if one.key not in claims or (stop and one.line >= stop.line):
            continue
        if one.value is not None:
            claims[one.key] = one.value
            unsure.discard(one.key)
        elif one.does not in ours.NOT_SET:
            unsure.add(one.key)
    return {key: value for key, value in claims.items() if key not in unsure}


@pytest.mark.slow
def test_bash_reads_what_is_said_of_it(seed: int, tmp_path: Path) -> None:
    chosen = cases(seed, CASES)
    found = shell.reads([one.data for one in chosen], [one.keys for one in chosen], tmp_path, ENVIRONMENT)
    claims = 0
    for case, real in zip(chosen, found, strict=True):
        seen, stop = ours.read(text_of(case.data), ENVIRONMENT)
        said = claimed(seen, stop, case.keys)
        claims += len(said)
        assert {key: real.get(key) for key in said} == said, f"seed {seed}: {case.data!r}: {stop}"
    assert claims > 2 * CASES


@pytest.mark.parametrize("line", ["export A=:~+{a,b}$B", "export A=~{a,b}'c'", "A=:~+{a,b}$B", "A=~{a,b}'c'"])
def test_braces_behind_a_tilde_that_stays(line: str, tmp_path: Path) -> None:
    (real,) = shell.reads([line.encode()], [["A"]], tmp_path, ENVIRONMENT)
    (seen,), _ = ours.read(line, ENVIRONMENT)
    assert seen.value == (None if line.startswith("export") else real["A"])


@pytest.mark.parametrize("list_", ["A=([)", "A=(\\\n[)", "A=( \\\n[)", "A[ 1", "A\\\n[ 1", "A\\\nA[ 1"])
def test_an_element_is_meant_behind_a_line_that_goes_on(list_: str, tmp_path: Path) -> None:
    text = f"{list_}\nB=1\n"
    (real,) = shell.reads([text.encode()], [["B"]], tmp_path, ENVIRONMENT)
    seen, stop = ours.read(text, ENVIRONMENT)
    assert ("B" in real, stop is not None) == (False, True)
    assert "B" not in claimed(seen, stop, ("B",))


@pytest.mark.parametrize("sign", ["=", "+="])
def test_a_list_behind_a_line_that_goes_on(sign: str, tmp_path: Path) -> None:
    text = f"A{sign}\\\n(b c)\nB=1\n"
    (real,) = shell.reads([text.encode()], [["A", "B"]], tmp_path, ENVIRONMENT)
    seen, stop = ours.read(text, ENVIRONMENT)
    assert (real["B"], stop) == ("1", None)
    assert claimed(seen, stop, ("A", "B")) == {"B": "1"}


@pytest.mark.parametrize("name", ["${A/a/b}export", "${A}ex''port", "ex${A}\\\nport"])
def test_a_command_whose_name_is_made_of_variables(name: str, tmp_path: Path) -> None:
    """It may be `export`; of what it, or what follows, sets nothing is said then."""
    text = f"A= {name} A=other\nA=$A\nZ=end\n"
    (real,) = shell.reads([text.encode()], [["A", "Z"]], tmp_path, ENVIRONMENT)
    seen, stop = ours.read(text, ENVIRONMENT)
    assert real == {"A": "other", "Z": "end"}
    assert claimed(seen, stop, ["A", "Z"]) == {}


def test_a_program_in_a_directory_that_a_variable_names(tmp_path: Path) -> None:
    text = "A= $B/program\nZ=end\n"
    (real,) = shell.reads([text.encode()], [["A", "Z"]], tmp_path, ENVIRONMENT)
    seen, stop = ours.read(text, ENVIRONMENT)
    assert (real, claimed(seen, stop, ["A", "Z"])) == ({"Z": "end"}, {"A": None, "Z": "end"})


def _as_one_file(taken: list[Case]) -> tuple[tuple[Seen, ...], bytes]:
    """All of them together; those go that what others set besides their keys makes unreadable."""
    while True:
        data = b"".join(case.data for case in taken)
        seen, stop = dotenv.read(text_of(data), ENVIRONMENT)
        if stop is None:
            return seen, data
        line = 0
        for place, case in enumerate(taken):
            line += case.data.count(b"\n")
            if line >= stop.line:
                del taken[place]
                break


@pytest.mark.slow
def test_compose_reads_what_is_said_of_it(seed: int, program: Path, tmp_path: Path) -> None:
    taken: list[Case] = []
    refused: list[Case] = []
    for case in cases(seed, CASES):
        _, stop = dotenv.read(text_of(case.data), ENVIRONMENT)
        if stop is None:
            taken.append(case)
        elif stop.certain:
            refused.append(case)
    seen, data = _as_one_file(taken)
    keys = [key for case in taken for key in case.keys]
    said = {one.key: one.value for one in seen if one.value is not None}
    real = compose.reads(program, data, keys, tmp_path, ENVIRONMENT)
    for case in taken:
        for key in case.keys:
            assert real.get(key) == said.get(key), f"seed {seed}: {case.data!r}"
    assert len(taken) > CASES // 2

    def takes(case: Case) -> bool:
        try:
            compose.reads(program, case.data, case.keys, tmp_path / case.keys[0], ENVIRONMENT)
        except compose.Refused:
            return False
        return True

    with ThreadPoolExecutor(8) as some:
        wrongly = [
            case for case, yes in zip(refused, some.map(takes, refused[:REFUSED]), strict=False) if yes
        ]
    assert not wrongly, f"seed {seed}"


@pytest.mark.parametrize(
    "name", [path.name for path in sorted((Path(__file__).parent.parent / "conf").glob("*.conf"))]
)
def test_files_are_read_as_is_said(name: str, program: Path, tmp_path: Path) -> None:
    data = (Path(__file__).parent.parent / "conf" / name).read_bytes()
    seen, stop = dotenv.read(text_of(data), ENVIRONMENT)
    keys = sorted({one.key for one in seen})
    assert stop is None
    real = compose.reads(program, data, keys, tmp_path, ENVIRONMENT)
    assert real == {one.key: one.value for one in seen if one.value is not None}
    (tmp_path / "bash").mkdir()
    (set_by_bash,) = shell.reads([data], [keys], tmp_path / "bash", ENVIRONMENT)
    in_bash, stop = ours.read(text_of(data), ENVIRONMENT)
    said = claimed(in_bash, stop, keys)
    assert {key: set_by_bash.get(key) for key in said} == said


@pytest.mark.slow
def test_what_is_written_is_read_by_both(seed: int, program: Path, tmp_path: Path) -> None:
    chance = random.Random(seed)
    characters = "ab7 .,:/@*+=[]-_~$`\"\\'&;|<>(){}#!%^?é\u00a0\u2003\t"
    values: dict[str, str] = {}
    lines = []
    while len(values) < 2000:
        value = "".join(chance.choice(characters) for _ in range(chance.randrange(12)))
        key = f"K{len(values)}"
        try:
            lines.append(f"{written(key, value)}\n")
        except Unwritable:
            assert set(value) & set("'\t") or value.endswith("\\"), f"seed {seed}: {value!r}"
            continue
        values[key] = value
    data = "".join(lines).encode()
    assert compose.reads(program, data, list(values), tmp_path, ENVIRONMENT) == values, f"seed {seed}"
    (tmp_path / "bash").mkdir()
    assert shell.reads([data], [list(values)], tmp_path / "bash", ENVIRONMENT) == [values], f"seed {seed}"


@pytest.mark.parametrize(
    "line",
    [
        "DBPASS=ab${Tr0ub4dor",
        "DBPASS=${-Tr0ub4dor}",
        "DBPASS=ab${c:?Tr0ub4dor}",
        "DBPASS=ab${Tr0ub4dor?}",
        "DBPASS='ab$Tr0ub4dor",
        "Tr0ub4dor^x=1",
    ],
)
def test_what_compose_repeats_of_a_line_that_it_does_not_take_is_no_secret(
    line: str, program: Path, tmp_path: Path
) -> None:
    with pytest.raises(compose.Refused, match="Tr0ub4dor") as refused:
        compose.reads(program, f"A=1\n{line}\n".encode(), ("DBPASS",), tmp_path, ENVIRONMENT)
    assert "Tr0ub4dor" not in of_compose(str(refused.value))
