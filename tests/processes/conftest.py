from collections.abc import Callable, Generator, Iterator

import pytest

from tests.processes.cluster import Cluster
from tests.processes.invariants import fresh_violations
from tests.processes.report import scene
from tests.processes.site import Site


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    found = getattr(item, "funcargs", {}).get("site")
    if report.when == "call" and report.failed and isinstance(found, Site):
        report.sections.append(("Scene", scene(found)))
    return report


@pytest.fixture(scope="session")
def scratch_site() -> Iterator[Site]:
    site = Site()
    try:
        site.start()
        yield site
    finally:
        site.close()


@pytest.fixture(autouse=True)
def site(scratch_site: Site) -> Iterator[Site]:
    """The site of all these tests. After each of them nothing may be lost, doubled or stranded."""
    yield scratch_site
    assert fresh_violations(scratch_site) == []


@pytest.fixture(scope="module")
def pool(scratch_site: Site) -> Iterator[Cluster]:
    """A cluster of two workers for the tests of a module that leave it whole."""
    cluster = scratch_site.cluster("pool")
    yield cluster
    cluster.end()


@pytest.fixture
def start(site: Site) -> Iterator[Callable[..., Cluster]]:
    """Start clusters that end with the test: start("a", workers=1, JOB_LEASE="2s")."""
    started: list[Cluster] = []
    strangers = [each.name for each in site.clusters if each.living()]
    assert strangers == [], "another cluster would do the work: use `pool`, or another module"

    def begin(name: str = "a", workers: int = 2, **environment: str) -> Cluster:
        started.append(site.cluster(name, workers, **environment))
        return started[-1]

    yield begin
    for cluster in started:
        cluster.end()
