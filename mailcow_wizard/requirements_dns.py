"""Whom DNS is asked, by address: public facts of the net, each with its source."""

# https://www.internic.net/domain/named.root, 2025: letters A to M.
ROOT_SERVERS_V4 = (
    "198.41.0.4", "170.247.170.2", "192.33.4.12", "199.7.91.13", "192.203.230.10", "192.5.5.241",
    "192.112.36.4", "198.97.190.53", "192.36.148.17", "192.58.128.30", "193.0.14.129", "199.7.83.42",
    "202.12.27.33",
)  # fmt: skip
ROOT_SERVERS_V6 = (
    "2001:503:ba3e::2:30", "2801:1b8:10::b", "2001:500:2::c", "2001:500:2d::d", "2001:500:a8::e",
    "2001:500:2f::f", "2001:500:12::d0d", "2001:500:1::53", "2001:7fe::53", "2001:503:c27::2:30",
    "2001:7fd::1", "2001:500:9f::42", "2001:dc3::35",
)  # fmt: skip

# Three operators: Cloudflare, Google, Quad9. mailcow's unbound healthcheck pings the same three.
PUBLIC_RESOLVERS = ("1.1.1.1", "8.8.8.8", "9.9.9.9")

DOC_DNS = "https://docs.mailcow.email/getstarted/prerequisite-dns/"

# https://www.cloudflare.com/ips, 2025: addresses of its proxy, behind which no mail server is reached.
CLOUDFLARE = (
    "173.245.48.0/20", "103.21.244.0/22", "103.22.200.0/22", "103.31.4.0/22", "141.101.64.0/18",
    "108.162.192.0/18", "190.93.240.0/20", "188.114.96.0/20", "197.234.240.0/22", "198.41.128.0/17",
    "162.158.0.0/15", "104.16.0.0/13", "104.24.0.0/14", "172.64.0.0/13", "131.0.72.0/22",
    "2400:cb00::/32", "2606:4700::/32", "2803:f800::/32", "2405:b500::/32", "2405:8100::/32",
    "2a06:98c0::/29", "2c0f:f248::/32",
)  # fmt: skip
DOC_TLS = "https://docs.mailcow.email/post_installation/firststeps-ssl/"
