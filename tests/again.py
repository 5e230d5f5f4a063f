"""Once more, alone: what failed with real daemons, in a real terminal or against the clock, in the end.

Between other tests such a test may be given the processor too late. One that passes alone is flaky: it is
named at the end and counted in pytest's closing line. One that fails twice has failed.
"""

import re
import subprocess
import sys

import pytest

PLACES = ("tests/real/", "tests/tui/")
MOST = 10
"""With more failures than these it is no chance, and nothing is run again."""

_ALONE = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")
_PASSED = re.compile(r"^1 passed\b.* in ", re.M)


class Again:
    """The plugin, in the process that hears of all results."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._failed: dict[str, list[pytest.TestReport]] = {}
        self._flaky: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remembers what failed."""
        if report.failed:
            self._failed.setdefault(report.nodeid, []).append(report)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> object:
        """When all tests have run, some run again."""
        result = yield
        failed = [one for one, reports in self._failed.items() if _may_be_chance(reports[0])]
        if len(failed) <= MOST:
            for one in failed:
                self._once_more(session, one)
        return result

    def _once_more(self, session: pytest.Session, test: str) -> None:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        terminal.ensure_newline()
        terminal.write_line(f"Once more, alone: {test}")
        argv = [sys.executable, *_ALONE, "-m", self._config.option.markexpr, test]
        done = subprocess.run(
            argv, cwd=self._config.rootpath, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        # A test that is skipped now has not passed.
        if done.returncode != 0 or not _PASSED.search(done.stdout):
            terminal.write_line(done.stdout)
            return
        self._flaky.append(test)
        reports = self._failed[test]
        for kind in ("failed", "error"):
            kept = [one for one in terminal.stats.pop(kind, []) if one not in reports]
            if kept:
                terminal.stats[kind] = kept
        terminal.stats.setdefault("flaky", []).append(reports[0])
        session.testsfailed -= len(reports)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """How the flaky ones failed the first time, and their names."""
        for test in self._flaky:
            for report in self._failed[test]:
                terminalreporter.write_sep("_", f"flaky: {test}, {report.when}")
                terminalreporter.write_line(report.longreprtext)
        if self._flaky:
            terminalreporter.write_sep("=", "flaky: failed, then passed alone")
        for test in self._flaky:
            terminalreporter.write_line(f"FLAKY {test}")


def _may_be_chance(report: pytest.TestReport) -> bool:
    """Whether the test depends on when it is given the processor."""
    if "seeded" in report.keywords:  # once more it would try other things
        return False
    return report.nodeid.startswith(PLACES) or "timed" in report.keywords
