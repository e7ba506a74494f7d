"""What every test shares: programs from Debian, the refusal of skips, and how hypothesis works."""

from __future__ import annotations

import os
import shutil
import signal

import hypothesis
import pytest

# A slow machine is no fault of the code: no example may fail for its time.
hypothesis.settings.register_profile(
    "calbridge", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("calbridge")

# What runs in the background may have been started deaf to them, and every program that a test starts would be too.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# A contract is no test module by its name, but what it asserts is shown in the same way.
pytest.register_assert_rewrite("tests.contracts")


_LONGEST = frozenset({
    "test_sync_machine", "test_google_machine", "test_rules_workers", "test_google_crashes", "test_google_load",
    "test_google_sharing", "test_crash_enumeration",
})  # fmt: skip
"""Modules that take minutes: each runs on one worker.

They go over the same lines thousands of times, which others reach too; to measure them would take as long again.
"""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Lets the longest modules begin first, so that no worker is left alone with one of them at the end."""
    items.sort(key=_is_short)
    for item in items:
        if not _is_short(item):
            item.add_marker(pytest.mark.no_cover)


def _is_short(item: pytest.Item) -> bool:
    return item.path.stem not in _LONGEST


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips a test whose `debian(program, package)` mark names a program that is not installed."""
    for mark in item.iter_markers("debian"):
        program, package = mark.args
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (on Debian: apt-get install {package})")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails the session when CALBRIDGE_NO_SKIP is 1 and a test was skipped."""
    if _refused_skips(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Names each skipped test, and why it was skipped, when CALBRIDGE_NO_SKIP is 1."""
    refused = _refused_skips(config)
    if refused:
        terminalreporter.section("Skipped, though CALBRIDGE_NO_SKIP=1 allows no skip", red=True)
        for line in refused:
            terminalreporter.line(line)


def _refused_skips(config: pytest.Config) -> list[str]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    # Workers of xdist have no such reporter: their reports reach the one process that has.
    if os.environ.get("CALBRIDGE_NO_SKIP") != "1" or not isinstance(reporter, pytest.TerminalReporter):
        return []
    return sorted(f"{report.nodeid}: {_reason(report)}" for report in reporter.stats.get("skipped", []))


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
