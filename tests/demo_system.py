"""What the demo machine answers so that swap, tools and settings of the kernel can be mended on paper."""

TOOLS = ("mkswap", "swapon", "swapoff", "dd", "fallocate", "sysctl")
FILES = {
    "/etc/fstab": "UUID=6f1d4c1e-8a55-4a0e-9f43-0d6a6ad6b1c2 / ext4 errors=remount-ro 0 1\n",
    "/etc/sysctl.conf": "# Kernel settings; see sysctl.conf(5)\n",
    "/etc/ssl/certs/ca-certificates.crt": "",
    "/var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_main_binary-amd64_Packages": "",
}
COMMANDS = {
    "apt-get -s install --no-install-recommends jq": (
        "Inst libonig5 (6.9.8-1 Debian:12.11/stable [amd64])\n"
        "Inst libjq1 (1.6-2.1 Debian:12.11/stable [amd64])\n"
        "Inst jq (1.6-2.1 Debian:12.11/stable [amd64])\n"
    ),
    "dpkg-query -W -f ${Package} ${db:Status-Status}\n libonig5 libjq1 jq": "",
}
