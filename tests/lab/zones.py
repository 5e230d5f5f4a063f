"""The zones of the lab's small internet, as text: a correct domain, a broken one, an empty one, silent ones.

Addresses are of 192.88.99.0/24 and 2d00:113::/48, which count as public and are nobody's.
"""

SERVER_V4, SERVER_V6 = "192.88.99.10", "2d00:113::10"
SILENT = "192.88.99.139"
WEB = "192.88.99.161"
DOMAIN_LIST = "dbl.spamhaus.org"
"""A blocklist of names, on which broken.example is."""
REVERSE_V4 = "99.88.192.in-addr.arpa"
REVERSE_V6 = "3.1.1.0.0.0.d.2.ip6.arpa"
_NS = "@ NS ns1.example.net.\n@ NS ns2.example.net.\n"
_SOA = "@ SOA ns1.example.net. hostmaster.example.net. 1 3600 900 604800 60\n"
_TOP = "@ SOA ns1.tld.net. hostmaster.tld.net. 1 3600 900 604800 60\n@ NS ns1.tld.net.\n"
_DELEGATED = "{0} NS ns1.example.net.\n{0} NS ns2.example.net.\n"
_KEY = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAitJyBOgRmcrf4zEhq/WgaW23WNALrT1K+JFXW497/+H2zm+j4pcnZWJxpVeQ"
    "BowwRkC131GGByv3Be6KPCs9eHHEjC4mwPhAtdxsemhKa1szKEjfs5wzZ8qxAU0j2tVUKxxEGmGUnA5IVy1777a3+ItrdFqNUTo1+kQ5"
    "3o20Ta6kX6D0jasAq9E1Mp+fk8Q6d57r4wUfHtC5JavNthY7C1PaKHYP1KmS7dzKLT83wTRmSZEXh6EHvciZ5HGfrrBLKNxqWjDdPTqm"
    "0G9XAi/pDwhAELxc5A/s7Tcm6MVBsSgLLv2z3LRVSymz+vNSpM/LRaIGwTslALuzr17qoo8RzQIDAQAB"
)

# Served by the root servers and the servers of the top-level domains.
UPPER: dict[str, str] = {
    "org": _TOP
    + _DELEGATED.format("example")
    + "bogus NS ns1.example.net.\n"
    + f"strange NS ns1.example.net.\nstrange DS 4711 200 2 {'5A' * 32}\n"
    + "dbl.spamhaus NS ns1.example.net.\n"
    + f"dated NS ns1.example.net.\ndated DS 4711 13 3 {'5A' * 32}\n",
    "net": _TOP
    + _DELEGATED.format("example")
    + "ns1.tld A 192.88.99.129\nns1.tld AAAA 2d00:113:1::129\nns1.example A 192.88.99.130\n"
    + "ns1.example AAAA 2d00:113:1::130\nns2.example A 192.88.99.131\nns2.example AAAA 2d00:113:1::131\n",
    "example": _TOP
    + _DELEGATED.format("broken")
    + _DELEGATED.format("empty")
    + f"silent NS ns1.silent\nns1.silent A {SILENT}\n"
    + "lame NS lame.example.net.\n",
    "in-addr.arpa": _TOP + _DELEGATED.format("99.88.192"),
    "ip6.arpa": _TOP + _DELEGATED.format("3.1.1.0.0.0.d.2"),
}

# Served by ns1.example.net and ns2.example.net.
LOWER: dict[str, str] = {
    "example.net": _SOA
    + _NS
    + "ns1 A 192.88.99.130\nns1 AAAA 2d00:113:1::130\nns2 A 192.88.99.131\nns2 AAAA 2d00:113:1::131\n"
    + "lame A 192.88.99.132\n",
    "example.org": _SOA
    + _NS
    + f"""@ A {SERVER_V4}
@ MX 10 mail
@ TXT "v=spf1 mx a -all"
@ CAA 0 issue "letsencrypt.org"
mail A {SERVER_V4}
mail AAAA {SERVER_V6}
autodiscover CNAME mail
autoconfig CNAME mail
_dmarc TXT "v=DMARC1; p=reject; rua=mailto:postmaster@example.org"
dkim._domainkey TXT "v=DKIM1; k=rsa; p={_KEY[:200]}" "{_KEY[200:]}"
_autodiscover._tcp SRV 0 1 443 mail
_caldavs._tcp SRV 0 1 443 mail
_caldavs._tcp TXT "path=/SOGo/dav/"
_carddavs._tcp SRV 0 1 443 mail
_carddavs._tcp TXT "path=/SOGo/dav/"
_imap._tcp SRV 0 1 143 mail
_imaps._tcp SRV 0 1 993 mail
_pop3._tcp SRV 0 1 110 mail
_pop3s._tcp SRV 0 1 995 mail
_sieve._tcp SRV 0 1 4190 mail
_smtps._tcp SRV 0 1 465 mail
_submission._tcp SRV 0 1 587 mail
_submissions._tcp SRV 0 1 465 mail
""",
    "broken.example": _SOA
    + _NS
    + f"""* A {WEB}
@ A {WEB}
@ MX 10 mx
@ MX 20 {SERVER_V4}.
mx CNAME mail
@ TXT "v=spf1 mx -all"
@ TXT "v=spf1 a ~all"
@ CAA 0 issue "other-ca.example"
mail A {SERVER_V4}
mail AAAA 2d00:113::dead
autodiscover CNAME www.example.net.
_dmarc TXT "v=DMARC1; rua=mailto:x@elsewhere.example"
_dmarc TXT "v=DMARC1; p=none"
dkim._domainkey TXT "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"
_imaps._tcp SRV 0 1 993 old.broken.example.
_autodiscover._tcp SRV 0 1 8443 mail
""",
    "empty.example": _SOA + _NS,
    "bogus.org": _SOA + _NS + f"mail A {SERVER_V4}\n@ MX 10 mail\n",
    DOMAIN_LIST: _SOA + _NS + "dbltest.com A 127.0.1.2\nbroken.example A 127.0.1.2\n",
    "strange.org": _SOA + _NS + f"mail A {SERVER_V4}\n@ MX 10 mail\n",
    "dated.org": _SOA + _NS + f"mail A {SERVER_V4}\n@ MX 10 mail\n",
    REVERSE_V4: _SOA + _NS + "10 PTR mail.example.org.\n",
    REVERSE_V6: _SOA + _NS + f"{'0.1' + '.0' * 22} PTR mail.example.org.\n",
}

# Each one's parent is signed too; the digest of bogus.org in its parent is of no key that it has.
SIGNED_UPPER = ("org", "net", "in-addr.arpa", "ip6.arpa")
SIGNED_LOWER = ("example.org", "example.net", "bogus.org")
BOGUS = "bogus.org"
