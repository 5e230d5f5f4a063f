"""What docker compose and git say, in words; how far a pull is."""

import json

import pytest

from mailcow_wizard.install.pulling import Pulling, size
from mailcow_wizard.install.troubles import of_end, of_output

SAID = {
    "port held, engine 26": (
        "Error response from daemon: driver failed programming external connectivity on endpoint "
        "mailcowdockerized-postfix-mailcow-1 (abc): failed to bind port 0.0.0.0:25/tcp: Error starting "
        "userland proxy: listen tcp4 0.0.0.0:25: bind: address already in use",
        ("port", "25", False),
    ),
    "port held by a container": (
        "Error response from daemon: Bind for 0.0.0.0:587 failed: port is already allocated",
        ("port", "587", False),
    ),
    "port held over IPv6": ("listen tcp6 [::]:993: bind: address already in use", ("port", "993", False)),
    "disk": (
        "failed to register layer: write /usr/lib/x.so: no space left on device",
        ("disk", "", False),
    ),
    "disk of git": ("fatal: write error: No space left on device", ("disk", "", False)),
    "unbound": (
        "dependency failed to start: container mailcowdockerized-unbound-mailcow-1 is unhealthy",
        ("unhealthy", "mailcowdockerized-unbound-mailcow-1", True),
    ),
    "no such tag": (
        "Error response from daemon: manifest for ghcr.io/mailcow/unbound:9.9 not found: manifest unknown",
        ("image", "ghcr.io/mailcow/unbound:9.9", False),
    ),
    "no such tag, containerd": (
        'failed to resolve reference "ghcr.io/mailcow/unbound:9.9": ghcr.io/mailcow/unbound:9.9: not found',
        ("image", "ghcr.io/mailcow/unbound:9.9", False),
    ),
    "no such image": (
        "Error response from daemon: pull access denied for mailcow/nothing, repository does not exist",
        ("image", "mailcow/nothing", False),
    ),
    "daemon": (
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        ("daemon", "", True),
    ),
    "rate limit": (
        "Error response from daemon: toomanyrequests: You have reached your pull rate limit.",
        ("rate", "", False),
    ),
    "for a moment, GitHub": (
        "Error response from daemon: toomanyrequests: retry-after: 985.86µs, allowed: 44000/minute",
        ("busy", "", True),
    ),
    "for a moment, GitHub, Docker 29": (
        'unknown: failed to resolve reference "ghcr.io/mailcow/unbound:1.24": unexpected status from HEAD '
        "request to https://ghcr.io/v2/mailcow/unbound/manifests/1.24: 429 Too Many Requests",
        ("busy", "", True),
    ),
    "for a moment, Docker Hub": (
        "Error response from daemon: error parsing HTTP 429 response body: invalid character 'T' looking for "
        'beginning of value: "Too Many Requests (HAP429).\\n"',
        ("busy", "", True),
    ),
    "stale login": (
        'Error response from daemon: Head "https://ghcr.io/v2/mailcow/unbound/manifests/1": denied: denied',
        ("login", "", False),
    ),
    "stale login, Docker Hub": (
        "Error response from daemon: unauthorized: incorrect username or password",
        ("login", "", False),
    ),
    "too slow": (
        'Error response from daemon: Get "https://ghcr.io/v2/": context deadline exceeded',
        ("network", "", True),
    ),
    "no way": (
        'Get "https://registry-1.docker.io/v2/": dial tcp [2600:1f18::1]:443: connect: no route to host',
        ("network", "", True),
    ),
    "proxy": (
        'Get "https://ghcr.io/v2/": proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused',
        ("proxy", "", True),
    ),
    "captive portal": (
        'Get "https://ghcr.io/v2/": http: server gave HTTP response to HTTPS client',
        ("stranger", "", False),
    ),
    "captive portal with a page": (
        "Error response from daemon: error unmarshalling content: invalid character '<' looking for "
        "beginning of value",
        ("stranger", "", True),
    ),
    "filter on the way": (
        "Error response from daemon: error parsing HTTP 403 response body: invalid character '<' looking for "
        'beginning of value: "<html><head>Blocked</head></html>"',
        ("stranger", "", True),
    ),
    "damaged on the way": (
        "filesystem layer verification failed for digest sha256:b8a43c948900c4191b1c2c46bfbd41dfae664dd676e6",
        ("damaged", "", True),
    ),
    "override file that somebody broke": (
        "yaml: line 1: did not find expected key",
        ("files", "", False),
    ),
    "mailcow.conf that somebody broke": (
        'failed to read /opt/mailcow-dockerized/.env: line 17: unexpected character "\'" in variable name',
        ("conf", "", False),
    ),
    "clock or authority": (
        'Get "https://ghcr.io/v2/": tls: failed to verify certificate: x509: certificate has expired or is '
        "not yet valid: current time 2019-01-01T00:00:00Z is before 2026-01-01T00:00:00Z",
        ("certificate", "", False),
    ),
    "other processor": (
        "Error response from daemon: no matching manifest for linux/arm/v7 in the manifest list entries",
        ("processor", "linux/arm/v7", False),
    ),
    "read-only": (
        "failed to register layer: mkdir /var/lib/docker/overlay2/x: read-only file system",
        ("readonly", "", False),
    ),
    "open files": (
        "runc create failed: unable to start container process: error during container init: error setting "
        "rlimits for ready process: error setting rlimit type 7: operation not permitted",
        ("limit", "", False),
    ),
    "subnet": (
        "failed to create network br: Error response from daemon: Pool overlaps with other one on this "
        "address space",
        ("subnet", "", False),
    ),
    "address of a container, Docker 26": (
        "Error response from daemon: Address already in use",
        ("address", "", False),
    ),
    "address of a container": (
        "Error response from daemon: failed to set up container networking: Address already in use",
        ("address", "", False),
    ),
    "address that is not here": (
        "Error response from daemon: failed to set up container networking: driver failed programming "
        "external connectivity on endpoint x: failed to bind host port 192.0.2.9:25/tcp: cannot assign "
        "requested address",
        ("bind", "", False),
    ),
    "rules that are gone": (
        "Error response from daemon: Failed to Setup IP tables: Unable to enable SKIP DNAT rule:  (iptables "
        "failed: iptables --wait -t nat -I DOCKER -i br-mailcow -j RETURN: iptables: No "
        "chain/target/match by that name.\n (exit status 1))",
        ("rules", "", False),
    ),
    "network that is gone": (
        "Error response from daemon: failed to set up container networking: network mc not found",
        ("gone", "", False),
    ),
    "name": (
        "fatal: unable to access 'https://github.com/x/': Could not resolve host: github.com",
        ("network", "", True),
    ),
    "name server that is silent": (
        'Error response from daemon: Get "https://registry-1.docker.io/v2/": dial tcp: lookup '
        "registry-1.docker.io on 192.0.2.153:53: read udp 192.0.2.10:51805->192.0.2.153:53: i/o timeout",
        ("network", "", True),
    ),
    "name server that is down, Docker 29": (
        'failed to do request: Head "https://ghcr.io/v2/mailcow/unbound/manifests/1.24": dial tcp: lookup '
        "ghcr.io on 127.0.0.53:53: read udp 127.0.0.1:40000->127.0.0.53:53: read: connection refused",
        ("network", "", True),
    ),
    "registry down": (
        'Get "https://ghcr.io/v2/": dial tcp 192.0.2.1:443: connect: connection refused',
        ("network", "", True),
    ),
    "registry overloaded": (
        "received unexpected HTTP status: 503 Service Unavailable",
        ("network", "", True),
    ),
    "registry overloaded, Docker 29": (
        'unknown: failed to resolve reference "ghcr.io/mailcow/unbound:1.24": unexpected status from HEAD '
        "request to https://ghcr.io/v2/mailcow/unbound/manifests/1.24: 503 Service Unavailable",
        ("network", "", True),
    ),
    "rate limit, Docker 29": (
        'unknown: failed to resolve reference "docker.io/library/redis:7": unexpected status from HEAD '
        "request to https://registry-1.docker.io/v2/library/redis/manifests/7: 429 Too Many Requests",
        ("rate", "", False),
    ),
    "no image, Docker 29": (
        'failed to resolve reference "127.0.0.1:5000/x/one:1": 127.0.0.1:5000/x/one:1: not found',
        ("image", "127.0.0.1:5000/x/one:1", False),
    ),
    "registry down, Docker 29": (
        'failed to resolve reference "127.0.0.1:5001/x/one:1": failed to do request: Head '
        '"https://127.0.0.1:5001/v2/x/one/manifests/1": dial tcp 127.0.0.1:5001: connect: connection refused',
        ("network", "", True),
    ),
    "slow": (
        "fatal: unable to access 'https://x/': Operation too slow. Less than 500 bytes/sec transferred",
        ("network", "", True),
    ),
    "own authority": (
        'Get "https://ghcr.io/v2/": tls: failed to verify certificate: x509: certificate signed by unknown '
        "authority",
        ("certificate", "", False),
    ),
    "branch": ("fatal: Remote branch nothing not found in upstream origin", ("branch", "", False)),
    "repository": (
        "fatal: '/srv/nothing' does not appear to be a git repository",
        ("repository", "", False),
    ),
    "numbers are no status": ("Error: 3503 files of 502 could not be kept", ("other", "", True)),
}


@pytest.mark.parametrize("name", SAID)
def test_troubles(name: str) -> None:
    said, (kind, what, again) = SAID[name]
    trouble = of_output(["Pulling", said, "done"])
    assert (trouble.kind, trouble.what, trouble.again) == (kind, what, again)
    assert trouble.words
    assert trouble.again or trouble.remedies or kind in ("port", "disk")


def test_the_far_side_is_named() -> None:
    hub = 'Get "https://registry-1.docker.io/v2/": net/http: TLS handshake timeout'
    both = of_output([SAID["registry down"][0], hub, hub])
    assert both.words == "the other side does not answer as it should (ghcr.io, registry-1.docker.io)"
    assert of_output([SAID["name"][0]]).words == "its name cannot be looked up (github.com)"
    silent = of_output([SAID["name server that is silent"][0]])
    assert silent.words == "its name cannot be looked up (registry-1.docker.io)"
    down = of_output([SAID["name server that is down, Docker 29"][0]])
    assert down.words == "its name cannot be looked up (ghcr.io)"
    assert of_output([SAID["registry overloaded"][0]]).words.endswith("as it should")
    assert "(" not in of_output([SAID["read-only"][0]]).words


def test_trouble_that_nobody_knows() -> None:
    assert of_output(["a", "Error: it is broken", "bye"]).words == "Error: it is broken"
    assert of_output(["", "bye"]).words == "bye"
    assert of_output([]).words == "it does not say why"


@pytest.mark.parametrize(
    ("code", "said", "kind"),
    [
        (-9, [], "killed"),
        (255, [], "killed"),  # docker itself goes on, and has no word for the end of its compose
        (137, ['time="x" level=warning msg="The A variable is not set."'], "killed"),
        (1, [], "other"),
        (-15, [], "other"),  # somebody asked it to end
        (255, ["Error: it is broken"], "other"),
        (255, ["no space left on device"], "disk"),
    ],
)
def test_what_was_killed_is_said_to_be(code: int, said: list[str], kind: str) -> None:
    trouble = of_end(code, said)
    assert trouble.kind == kind
    if kind == "killed":
        assert "was killed" in trouble.words
        assert "./wizard fix system.swap swapfile" in trouble.remedies[1]


PLAIN = """\
 unbound-mailcow Pulling
 8ae1c7829d9d Pulling fs layer
 8ae1c7829d9d Downloading [=====>     ]   1MB/4MB
 1111c7829d9d Downloading [>          ]   500kB/2MB
"""


def test_pull_in_plain_words() -> None:
    pulling = Pulling(2)
    assert [pulling.hear(line, 0.0) for line in PLAIN.splitlines()] == [""] * 4
    assert (pulling.bytes_done, pulling.bytes_known) == (1_500_000, 6_000_000)
    assert pulling.words() == "0 of 2 images, so far known: 1.5 MB of 6.0 MB"
    pulling.hear(" 8ae1c7829d9d Downloading [==========>]   3MB/4MB", 4.0)
    assert pulling.words() == (
        "0 of 2 images, less than a minute left, 875 kB/s, so far known: 3.5 MB of 6.0 MB"
    )
    pulling.hear(" 8ae1c7829d9d Extracting [>   ]  65.54kB/4MB", 5.0)
    pulling.hear(" 8ae1c7829d9d Pull complete ", 6.0)
    assert pulling.bytes_done == 4_500_000
    assert pulling.hear(" unbound-mailcow Pulled ", 7.0) == "unbound-mailcow is here"
    assert pulling.hear(" unbound-mailcow Pulled ", 7.0) == ""
    assert pulling.words().startswith("1 of 2 images")
    error = "Error response from daemon: toomanyrequests: no"
    assert pulling.hear(error, 8.0) == error
    assert pulling.errors == [error]


def test_pull_as_json() -> None:
    pulling = Pulling(1)
    layer = {"id": "8ae1c7829d9d", "parent_id": "Image redis:7", "status": "Working", "text": "Downloading"}
    lines = [
        {"id": "Image redis:7", "status": "Working", "text": "Pulling"},
        {**layer, "current": 1_000_000, "total": 4_000_000, "percent": 25},
        {**layer, "text": "Download complete", "current": 0, "total": 0},
        {"id": "Image redis:7", "status": "Done", "text": "Pulled"},
    ]
    told = [pulling.hear(json.dumps(line), float(number)) for number, line in enumerate(lines)]
    assert told == ["", "", "", "redis:7 is here"]
    assert (pulling.bytes_done, pulling.bytes_known, len(pulling.pulled)) == (4_000_000, 4_000_000, 1)
    assert pulling.hear('{"error": true, "message": "no space left on device"}', 9.0)
    assert of_output(pulling.errors).kind == "disk"


@pytest.mark.parametrize("line", ["", "{", "{}", "[1]", '{"id": 3}', '{"id": "x", "total": "much"}', " a b"])
def test_odd_words_do_no_harm(line: str) -> None:
    pulling = Pulling(0)
    pulling.hear(line, 0.0)
    assert pulling.words() == "0 of 0 images"


def test_sizes() -> None:
    assert [size(one) for one in (0, 999, 1500, 5_500_000, 7_000_000_000)] == [
        *("0 B", "999 B", "2 kB"),
        *("5.5 MB", "7.0 GB"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        'time="x" level=warning msg="The \\"hunter2\\" variable is not set. Defaulting to a blank string."',
        '{"level": "warning", "msg": "The \\"hunter2\\" variable is not set. Defaulting to a blank string."}',
        '{"error": true, "message": "failed to read /m/.env: Invalid template: \\"ab${hunter2\\""}',
        "failed to read /srv/mail cow/.env: required variable hunter2 is missing a value: x",
    ],
)
def test_what_a_pull_says_has_no_parts_of_passwords(line: str) -> None:
    """Nor is it why the pull is said to have failed."""
    pulling = Pulling(1)
    assert "hunter2" not in pulling.hear(line, 0.0)
    assert pulling.errors
    assert "hunter2" not in of_output(pulling.errors).words
