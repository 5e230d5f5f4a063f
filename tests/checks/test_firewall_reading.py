"""Rules that may be in force where no command shows them."""

import pytest

from mailcow_wizard.facts.firewall.reading import filters
from mailcow_wizard.facts.store import Facts
from tests.fake_host import FakeHost

LISTS = "/lib/modules/6.1.0-25-amd64/modules"
DEP, BUILTIN = f"{LISTS}.dep", f"{LISTS}.builtin"
NFT = "kernel/net/netfilter/nf_tables.ko"


@pytest.mark.parametrize(
    ("files", "words"),
    [  # the kernel does not say which tables there are
        ({"/proc/modules": "nf_tables 1 0 - Live 0x0\n"}, "nftables is loaded"),
        ({"/proc/modules": "ext4 1 0\n", BUILTIN: NFT, DEP: "kernel/net/veth.ko:"}, "built into the kernel"),
        ({}, "whether the kernel has nftables is not known"),
        ({"/proc/modules": "ext4 1 0\n", BUILTIN: "kernel/fs/ext4.ko", DEP: f"{NFT}:"}, ""),
        ({"/proc/modules": "ext4 1 0\n"}, ""),
    ],
)
def test_without_the_command_nft(files: "dict[str, str]", words: str) -> None:
    unread = Facts(FakeHost(files=files)).get(filters).rules.unread
    assert len(unread) == bool(words)
    assert all(words in one and "the command nft" in one for one in unread)
