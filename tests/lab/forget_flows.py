"""The kernel forgets each connection that it tracks in this network namespace (ctnetlink, CT_DELETE).

What one set of rules has let through is otherwise let through by the next, where its numbers come again.
"""

import os
import socket
import struct
import sys

_NETFILTER = 12  # linux/netlink.h, NETLINK_NETFILTER
_DELETE = 1 << 8 | 2  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE
_REQUEST, _ACK = 1, 4

if __name__ == "__main__":
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER) as link:
        body = struct.pack("=BBH", socket.AF_UNSPEC, 0, 0)
        link.send(struct.pack("=IHHII", 16 + len(body), _DELETE, _REQUEST | _ACK, 1, 0) + body)
        (code,) = struct.unpack_from("=i", link.recv(4096), 16)
    sys.exit(f"connections are still tracked: {os.strerror(-code)}" if code else 0)
