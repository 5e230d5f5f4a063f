"""What mailcow needs of Docker: versions, settings, registries, each with its source.

Tags: `#n` is an issue of mailcow/mailcow-dockerized, a hexadecimal word a commit there.
"""

DOC_DOCKER = "https://docs.mailcow.email/getstarted/install/#docker-and-docker-compose-installation"
DOC_DAEMON = "https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file"
DOC_START = "https://docs.docker.com/engine/daemon/start/"
DOC_STORAGE = "https://docs.docker.com/engine/storage/drivers/select-storage-driver/"
DOC_LIMIT = "https://docs.docker.com/docker-hub/usage/"
DOC_RELAY = "https://github.com/mailcow/mailcow-dockerized/issues/5242"
DOC_ISSUE = "https://github.com/mailcow/mailcow-dockerized/issues/{}"

# 92ba9e8b4: generate_config.sh and update.sh stop below it.
ENGINE_MINIMUM = (24, 0, 0)
# H14: containers have no working IPv6 there (moby#47202).
ENGINE_BAD = ((25, 0, 0), (25, 0, 2))
# H15: Docker 29 answers clients of this API or newer (#6999), which 25.0 was the first to speak.
API_OF_CLIENT_25 = (1, 44, 0)
CLIENT_OF_API = (25, 0, 0)
# H16: before 995091408 (2025-12) mailcow's scripts took Compose 2 alone (#6939).
COMPOSE_TAKEN_ALONE = 2

VALIDATES = (23, 0, 0)
"""The first engine that looks through its settings without starting (`dockerd --validate`)."""

# What Docker needs in daemon.json before containers have IPv6 (`network.md`): below 27 the firewall for it
# is an experiment, below 28 the default bridge needs a prefix.
IP6TABLES_BY_ITSELF = 27
PREFIX_BY_ITSELF = 28
PREFIX_V6 = "fd00:dead:beef:c0::/80"

# H06 (#1530 #840). vfs copies every layer as a whole; the others are gone from today's Docker, or not tested.
DRIVERS_GOOD = ("overlay2", "overlayfs", "btrfs", "zfs")
DRIVER_COPIES = "vfs"
DRIVERS_GONE = {"aufs": 24, "overlay": 24, "devicemapper": 25}
"""Each with the first engine that does not have it any more, nor starts where it is named (Docker's list of
deprecated features)."""

# Docker does not start where options of log files are given to these (tried with 26.1; `none` and `local`
# take them).
LOGS_ELSEWHERE = ("journald", "syslog", "fluentd", "gelf", "splunk", "awslogs", "gcplogs")
LOG_FILE_OPTIONS = ("max-size", "max-file", "compress")

REGISTRIES = ("ghcr.io", "registry-1.docker.io", "auth.docker.io")
"""Where mailcow's images come from, and who hands out the tickets for those of Docker Hub."""
REGISTRY_ANSWERS = (200, 401)
"""What GET /v2/ gives where a registry lives: come in, or say first who you are."""
TICKETS = "auth.docker.io"
TOO_OFTEN = 429

# Ports whose clients mailcow trusts when they seem to come from its own network.
RELAY_KEYS = ("SMTP_PORT", "SMTPS_PORT", "SUBMISSION_PORT")

# Docker's package repository; the fingerprints are those of its installation pages.
REPOSITORY = "download.docker.com"
KEY_DEB = "9DC858229FC7DD38854AE2D88D81803C0EBFCD88"
KEY_RPM = "060A61C51B558A7F742B77AAC52FEB6B621E9F35"
PACKAGES_OWN = (
    *("docker-ce", "docker-ce-cli", "containerd.io", "docker-buildx-plugin", "docker-compose-plugin"),
)
# Packages that hold the same files (same pages); their containers, images and volumes stay.
CONFLICTING = {
    "apt": (
        *("docker.io", "docker-compose", "docker-compose-v2", "docker-doc", "podman-docker"),
        *("containerd", "runc"),
    ),
    "dnf": (
        *("docker", "docker-client", "docker-client-latest", "docker-common", "docker-latest"),
        *("docker-latest-logrotate", "docker-logrotate", "docker-engine", "podman-docker", "runc"),
    ),
}  # fmt: skip
# Where the distribution's own packages do: the engine's, and those that bring Compose, best first.
PACKAGES_ENGINE = {"apt": "docker.io", "apk": "docker", "zypper": "docker", "pacman": "docker"}
PACKAGES_COMPOSE = {
    "apt": ("docker-compose-plugin", "docker-compose-v2", "docker-compose"),
    "dnf": ("docker-compose-plugin",),
    "apk": ("docker-cli-compose",),
    "zypper": ("docker-compose",),
    "pacman": ("docker-compose",),
}
