"""The embedded parts: started once, restarted when they died, gone without a trace, and nothing else with them."""

from __future__ import annotations

import base64
import http.client
import os
import signal
import socket
import stat
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.machine import bridge, daemons, dockerd, embedded, local_registry
from pipeline.machine.daemons import Daemon, DaemonError, start_time
from pipeline.machine.embedded import Engine, EngineError
from pipeline.machine.home import HOME_LABEL, LAYOUT, MARK, claim, home_id, lock, mounts_below, remove
from pipeline.machine.local_registry import RegistryAccess, RegistryError
from resources.contracts import parse
from resources.record import to_json


@pytest.fixture
def home(tmp_path: Path, tools: None) -> Iterator[Path]:
    folder = tmp_path / "home"
    yield folder
    embedded.stop(folder)


def answer(reach: RegistryAccess, password: str | None) -> int:
    connection = http.client.HTTPConnection(reach.url, timeout=5)
    headers = {}
    if password is not None:
        word = base64.b64encode(f"{reach.username}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {word}"
    connection.request("GET", "/v2/", headers=headers)
    return connection.getresponse().status


def registry_pid(home: Path) -> int:
    daemon = daemons.running(home / "daemons", "registry")
    assert daemon is not None
    return daemon.pid


def kill(pid: int) -> None:
    handle = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PIDFD, handle, os.WEXITED | os.WNOWAIT)
    os.close(handle)


# --- the registry


def test_the_registry_lets_our_login_in_and_nobody_else(home: Path) -> None:
    reach = embedded.registry(home)
    assert reach.url.startswith("127.0.0.1:")
    assert answer(reach, reach.password_file.read_text()) == 200
    assert answer(reach, None) == 401
    assert answer(reach, "guess") == 401


def test_the_password_is_readable_by_its_owner_alone_and_not_in_any_command_line(home: Path) -> None:
    reach = embedded.registry(home)
    assert stat.S_IMODE(reach.password_file.stat().st_mode) == 0o600
    command = Path(f"/proc/{registry_pid(home)}/cmdline").read_text()
    assert reach.password_file.read_text() not in command


def test_a_registry_that_died_is_started_again_with_the_same_address_and_login(home: Path) -> None:
    first = embedded.registry(home)
    password = first.password_file.read_text()
    old = registry_pid(home)
    kill(old)
    assert embedded.registry(home) == first
    assert registry_pid(home) != old
    assert first.password_file.read_text() == password


def test_a_second_call_leaves_the_running_registry_alone(home: Path) -> None:
    embedded.registry(home)
    pid = registry_pid(home)
    embedded.registry(home)
    assert registry_pid(home) == pid


def test_callers_at_once_get_one_registry(home: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(lambda _: embedded.registry(home).url, range(6)))
    assert len(answers) == 1
    config = str(home / "registry" / "config.yml").encode()
    serving = [file for file in Path("/proc").glob("[0-9]*/cmdline") if config in _bytes(file)]
    assert len(serving) == 1


def test_a_registry_whose_starter_died_before_recording_it_is_taken_over(home: Path) -> None:
    embedded.registry(home)
    pid = registry_pid(home)
    (home / "daemons" / "registry.json").unlink()
    embedded.registry(home)
    assert registry_pid(home) == pid


def test_a_port_that_another_program_took_is_told_clearly(home: Path) -> None:
    reach = embedded.registry(home)
    embedded.stop(home)
    with socket.create_server(("127.0.0.1", int(reach.url.rpartition(":")[2]))), pytest.raises(RegistryError) as raised:
        embedded.registry(home)
    assert raised.value.code == "registry.port_taken"
    assert reach.url.rpartition(":")[2] in raised.value.why


def test_a_missing_server_program_is_told_with_the_way_to_get_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_registry, "search_path", lambda _: str(home))
    with pytest.raises(RegistryError) as raised:
        embedded.registry(home)
    assert "doctor --install" in raised.value.fix


@given(st.binary(min_size=6, max_size=6))
def test_candidate_ports_are_stable_and_below_the_range_of_outgoing_connections(name: bytes) -> None:
    ports = local_registry.candidate_ports(name.hex())
    assert ports == local_registry.candidate_ports(name.hex())
    assert all(20_000 <= port < 30_000 for port in (ports[0], ports[-1]))


# --- processes


def test_a_process_that_got_a_recycled_id_is_never_ended(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        try:
            started = start_time(Path(f"/proc/{other.pid}/stat").read_text())
            assert started is not None
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
            record = Daemon(pid=other.pid, started=started - 1, boot=boot, argv=("registry",))
            (tmp_path / "registry.json").write_text(to_json(record))
            assert daemons.running(tmp_path, "registry") is None
            assert daemons.stop(tmp_path, "registry", timeout=1) is False
            assert other.poll() is None
        finally:
            other.kill()


def test_a_record_from_before_a_reboot_names_nothing(tmp_path: Path) -> None:
    started = start_time(Path("/proc/self/stat").read_text())
    assert started is not None
    (tmp_path / "x.json").write_text(to_json(Daemon(pid=os.getpid(), started=started, boot="older", argv=())))
    assert daemons.running(tmp_path, "x") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "1"}', '{"pid":1,"started":1,"boot":"b","argv":[],"x":1}'])
def test_a_damaged_record_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    assert daemons.running(tmp_path, "x") is None


def test_a_daemon_that_ends_at_once_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "x.log"
    with pytest.raises(DaemonError) as raised:
        daemons.ensure(tmp_path, "x", ["ls", "/no/such/place"], log=log, ready=lambda: False, timeout=10)
    assert raised.value.code == "daemon.not_ready"
    assert "/no/such/place" in raised.value.why
    assert raised.value.retryable


def test_a_daemon_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    started = threading.Event()
    script = (
        "import signal,sys,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    )
    log = tmp_path / "x.log"

    def ready() -> bool:
        if log.read_text():
            started.set()
        return started.is_set()

    daemons.ensure(tmp_path, "x", ["python3", "-c", script], log=log, ready=ready, timeout=10)
    assert daemons.stop(tmp_path, "x", timeout=0.2) is True
    assert daemons.running(tmp_path, "x") is None


@given(
    name=st.text(), numbers=st.lists(st.integers(0, 2**63), min_size=49, max_size=49), state=st.sampled_from("RSDTtI")
)
def test_the_start_time_is_read_whatever_the_program_is_called(name: str, numbers: list[int], state: str) -> None:
    assert start_time(f"7 ({name}) {state} {' '.join(map(str, numbers))}\n") == numbers[18]


@given(st.text())
def test_other_text_gives_no_start_time_or_a_number(text: str) -> None:
    assert start_time(text) is None or isinstance(start_time(text), int)


@given(st.integers(), st.integers(), st.text(), st.lists(st.text()))
def test_a_daemon_record_survives_its_round_trip(pid: int, started: int, boot: str, argv: list[str]) -> None:
    try:
        (boot + "".join(argv)).encode()
    except UnicodeEncodeError:
        return
    daemon = Daemon(pid % 2**31, started % 2**62, boot, tuple(argv))
    assert parse(Daemon, to_json(daemon), what="a daemon") == daemon


# --- the GitOps repository


def test_the_gitops_repository_is_bare_on_main_and_made_once(home: Path) -> None:
    path = embedded.gitops(home)
    assert path.name == "plateform-gitops.git"
    assert (path / "HEAD").read_text() == "ref: refs/heads/main\n"
    (path / "description").write_text("kept")
    assert embedded.gitops(home) == path
    assert (path / "description").read_text() == "kept"


def test_the_gitops_repository_refuses_to_lose_history(home: Path, tmp_path: Path) -> None:
    path = embedded.gitops(home)
    work = tmp_path / "work"

    def git(*words: str) -> int:
        who = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
        return subprocess.run(["git", "-C", str(work), *who, *words], capture_output=True).returncode

    subprocess.run(["git", "init", "-q", "-b", "main", str(work)], check=True)
    assert git("commit", "--allow-empty", "-m", "one") == 0
    assert git("push", str(path), "main") == 0
    assert git("commit", "--allow-empty", "--amend", "-m", "other") == 0
    assert git("push", "--force", str(path), "main") != 0


def test_an_interrupted_making_of_the_repository_is_made_good(home: Path) -> None:
    (home / "plateform-gitops.git" / "objects").mkdir(parents=True)
    assert (embedded.gitops(home) / "HEAD").is_file()
    assert not list(home.glob(".gitops-*"))


# --- the home


def test_down_leaves_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{home}/none.sock")
    embedded.registry(home)
    embedded.gitops(home)
    pid = registry_pid(home)
    removed = embedded.down(home)
    assert "the registry" in removed
    assert not home.exists()
    state = Path(f"/proc/{pid}/stat")
    assert not state.exists() or start_time(state.read_text()) is None


def test_down_twice_and_down_of_nothing_do_nothing(home: Path) -> None:
    assert embedded.down(home) == ()
    assert not home.exists()


def test_down_keeps_what_stood_in_the_folder_before(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{home}/none.sock")
    home.mkdir()
    (home / "letters.txt").write_text("mine")
    embedded.gitops(home)
    embedded.down(home)
    assert [entry.name for entry in home.iterdir()] == ["letters.txt"]


def test_a_link_in_the_home_is_removed_and_not_followed(home: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "letters.txt").write_text("mine")
    claim(home)
    (home / "engine").symlink_to(tmp_path / "outside")
    (home / "runs").mkdir()
    (home / "runs" / "link").symlink_to(tmp_path / "outside")
    remove(home)
    assert not home.exists()
    assert (tmp_path / "outside" / "letters.txt").read_text() == "mine"


@pytest.mark.parametrize("entry", sorted(LAYOUT))
def test_a_folder_with_only_our_entries_becomes_ours(home: Path, entry: str) -> None:
    (home / entry).mkdir(parents=True)
    claim(home)
    assert (home / MARK).is_file()


def test_a_waiter_for_the_lock_of_a_removed_home_gets_a_lock_that_counts(home: Path) -> None:
    claim(home)
    entered = threading.Event()

    def wait() -> None:
        with lock(home, "x"):
            entered.set()

    with lock(home, "x"):
        waiter = threading.Thread(target=wait)
        waiter.start()
        remove(home)
        claim(home)
    waiter.join(10)
    assert entered.is_set()
    assert (home / "locks" / "x").exists()


@given(st.lists(st.text(alphabet="ab \t\\é", min_size=1, max_size=5), min_size=1, max_size=4))
def test_mounts_below_a_folder_are_found_deepest_first(parts: list[str]) -> None:
    def line(path: str) -> str:
        escaped = "".join(f"\\{ord(c):03o}" if c in " \t\\" else c for c in path)
        return f"36 35 98:0 / {escaped} rw,noatime master:1 - ext3 /dev/root rw"

    deep = Path("/home/x", *parts)
    table = "\n".join(line(str(path)) for path in (Path("/home/x"), deep, Path("/home/xy"), Path("/"), Path("/other")))
    assert mounts_below(Path("/home/x"), table) == (deep, Path("/home/x"))


@given(st.text())
def test_reading_mounts_never_fails(text: str) -> None:
    assert isinstance(mounts_below(Path("/x"), text), tuple)


# --- the engine


def test_an_engine_that_was_named_and_does_not_answer_is_an_error_not_replaced(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{home}/none.sock")
    with pytest.raises(EngineError) as raised:
        embedded.engine(home, start=True)
    assert raised.value.code == "engine.silent"
    assert "DOCKER_HOST" in raised.value.fix
    assert not dockerd.is_own(home)


@pytest.mark.parametrize("value", ["nonsense", "tcp://", "unix://", "http://\x00", "-H", "tcp://127.0.0.1:1"])
def test_a_malformed_docker_host_is_an_error_of_ours(home: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    if "\x00" in value:
        with pytest.raises(ValueError, match="null"):
            monkeypatch.setenv("DOCKER_HOST", value)
        return
    monkeypatch.setenv("DOCKER_HOST", value)
    with pytest.raises(EngineError):
        embedded.engine(home, start=True)


def test_without_root_no_engine_is_started(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(EngineError) as raised:
        dockerd.start(home)
    assert "root" in raised.value.why or "dockerd" in raised.value.why
    assert "doctor --install" in raised.value.fix


def test_the_socket_of_an_own_engine_fits_whatever_the_home_is_called(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 200) / ("y" * 200)
    at = dockerd.places(deep)
    longest = f"{at.run}/exec/containerd/containerd-debug.sock"
    assert len(longest) < 107
    assert len(bridge.bridge_name(deep)) <= 15


def test_the_docker_clients_environment_holds_nothing_of_the_callers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "other")
    monkeypatch.setenv("BUILDKIT_SYNTAX", "evil")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    env = Engine("unix:///x.sock", tmp_path, owned=False).environment()
    assert env["DOCKER_HOST"] == "unix:///x.sock"
    assert env["DOCKER_CONFIG"] == str(tmp_path)
    assert not {"DOCKER_CONTEXT", "BUILDKIT_SYNTAX", "DOCKER_TLS_VERIFY"} & set(env)
    assert Engine("tcp://h:2376", tmp_path, owned=False).environment()["DOCKER_TLS_VERIFY"] == "1"


NETWORKS = st.builds(
    lambda address, bits: IPv4Network((address & ~((1 << (32 - bits)) - 1) & 0xFFFFFFFF, bits)),
    st.integers(10 << 24, (10 << 24) + 2**24 - 1),
    st.integers(17, 32),
)


@given(st.lists(NETWORKS, max_size=20))
def test_the_subnet_of_a_bridge_meets_no_route(taken: list[IPv4Network]) -> None:
    assert not any(bridge.free_subnet(taken).overlaps(network) for network in taken)


@given(st.integers(0, 255), st.integers(0, 2**48))
def test_a_bridge_keeps_its_subnet_unless_another_has_it(number: int, start: int) -> None:
    mine = IPv4Network(f"10.213.{number}.0/24")

    assert bridge.free_subnet([], first=mine, start=start) == mine
    assert bridge.free_subnet([mine], first=mine, start=start) != mine


def test_a_machine_that_routes_everything_elsewhere_is_told_so() -> None:
    with pytest.raises(EngineError) as raised:
        bridge.free_subnet([IPv4Network("10.0.0.0/8")])
    assert "DOCKER_HOST" in raised.value.fix


@given(st.lists(NETWORKS, max_size=10))
def test_routes_are_read_back_from_the_kernels_table(networks: list[IPv4Network]) -> None:
    def hexed(number: int) -> str:
        return number.to_bytes(4, "little").hex().upper()

    rows = [
        f"eth0\t{hexed(int(net.network_address))}\t00000000\t0001\t0\t0\t0\t{hexed(int(net.netmask))}\t0\t0\t0"
        for net in networks
    ]
    table = "\n".join(["Iface\tDestination", "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0", *rows])
    assert bridge.routes(table) == tuple(networks)


def test_only_the_rules_that_name_the_bridge_go_with_it() -> None:
    listed = (
        "-P FORWARD DROP\n-N DOCKER\n-A FORWARD -o sw-0a -j DOCKER\n-A FORWARD -o sw-0ab -j DOCKER\n"
        "-A FORWARD -o docker0 -j DOCKER\n-A POSTROUTING -s 10.213.0.0/24 ! -o sw-0a -j MASQUERADE\n"
    )
    assert bridge.rules_about("sw-0a", listed) == (
        ("FORWARD", "-o", "sw-0a", "-j", "DOCKER"),
        ("POSTROUTING", "-s", "10.213.0.0/24", "!", "-o", "sw-0a", "-j", "MASQUERADE"),
    )


@pytest.mark.e2e
def test_status_tells_what_runs(home: Path, engine: Engine) -> None:
    embedded.registry(home)
    parts = {part.name: part for part in embedded.status(home)}
    assert parts["engine"].running
    assert parts["engine"].where == engine.docker_host
    assert parts["registry"].running
    assert not parts["gitops"].running


@pytest.mark.e2e
def test_down_removes_what_carries_our_label_from_a_shared_engine_and_nothing_else(home: Path, engine: Engine) -> None:
    claim(home)
    docker = embedded.client(engine)
    ours, others = {HOME_LABEL: home_id(home)}, {HOME_LABEL: "000000000000"}
    tag = f"shipway-test/{home_id(home)}"
    made = {}
    try:
        for name, labels in (("ours", ours), ("others", others)):
            label = f"LABEL {HOME_LABEL}={labels[HOME_LABEL]}"
            docker.api.import_image_from_data(
                b"\0" * 10240, repository=f"{tag}-{name}", tag="1", changes=[label, 'CMD ["x"]']
            )
            network = docker.networks.create(f"{home_id(home)}-{name}", labels=labels)
            container = docker.containers.create(f"{tag}-{name}:1", labels=labels, network=network.name)
            made[name] = (container.id, network.id)
        removed = embedded.down(home)
        assert {"1 container", "1 network", "1 image"} <= set(removed)
        left = {container.id for container in docker.containers.list(all=True)}
        assert made["ours"][0] not in left
        assert made["others"][0] in left
        networks = {network.id for network in docker.networks.list()}
        assert made["ours"][1] not in networks
        assert made["others"][1] in networks
        assert docker.images.list(name=f"{tag}-ours") == []
        assert len(docker.images.list(name=f"{tag}-others")) == 1
    finally:
        docker.containers.get(str(made["others"][0])).remove(force=True)
        docker.networks.get(str(made["others"][1])).remove()
        docker.images.remove(f"{tag}-others:1", force=True)
        docker.close()


@pytest.mark.e2e
@pytest.mark.skipif(os.geteuid() != 0, reason="an engine of our own takes root")
def test_an_own_engine_starts_beside_another_survives_a_kill_and_leaves_nothing(
    home: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_HOST")
    claim(home)
    (home / "engine").mkdir()
    found = embedded.engine(home, start=True)
    assert found.owned
    assert found.docker_host != engine.docker_host
    daemon = daemons.running(home / "daemons", "engine")
    assert daemon is not None
    kill(daemon.pid)
    with pytest.raises(EngineError):
        embedded.engine(home)
    assert embedded.engine(home, start=True) == found
    at = dockerd.places(home)
    assert "the engine" in embedded.down(home)
    assert not home.exists()
    assert not at.run.exists()
    assert not Path("/sys/class/net", bridge.bridge_name(home)).exists()
    assert mounts_below(home, Path("/proc/self/mountinfo").read_text()) == ()
    docker = embedded.client(engine)
    assert docker.ping()
    docker.close()


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
