"""mailcow as a site of a web server that stands in front of it: the text for each kind of server.

What mailcow needs of a proxy: the Host that was asked for, who asked (X-Real-IP, X-Forwarded-For) and
whether over TLS (X-Forwarded-Proto), bodies of any size, long answers for phones that wait
(/Microsoft-Server-ActiveSync stays open up to an hour), and room for SOGo's long headers. Plain HTTP goes
to mailcow for the proof of Let's Encrypt; everything else is sent on to HTTPS.
"""

from mailcow_wizard.typed import NamedTuple

# mailcow's phones wait for new mail in a request that stays open; SOGo ends it after at most an hour.
_LONG_S = 3650
_CHALLENGE = "/.well-known/acme-challenge/"
_PHONES = "/Microsoft-Server-ActiveSync"
_MARK = "# mailcow behind this server; written by mailcow-wizard."

_NAMELESS = """\
# Without this, virtual hosts that have no name of their own answer to the machine's name.
ServerName localhost

"""


class Site(NamedTuple):
    """What the texts are made of. `backend` is mailcow's plain HTTP (`127.0.0.1:8080`); `names` further
    names besides `server`; `plain` and `secure` where to listen, in the server's own words; `certificate`
    and `key` are files, and `ready` says whether they are there. `nameless`: Apache's virtual hosts without a
    name would take the machine's, which may be `server` too."""

    server: str
    names: tuple[str, ...]
    domains: tuple[str, ...]
    backend: str
    plain: tuple[str, ...] = ()
    secure: tuple[str, ...] = ()
    certificate: str = ""
    key: str = ""
    ready: bool = True
    nameless: bool = False


def nginx(site: Site) -> str:
    """Two `server` blocks; the one for HTTPS is a comment until there is a certificate."""
    names = " ".join((site.server, "autodiscover.*", "autoconfig.*", *site.names))
    plain = f"""\
server {{
{_each("    listen {};", site.plain)}
    server_name {names};

    location {_CHALLENGE} {{
        proxy_pass http://{site.backend};
        proxy_set_header Host $http_host;
    }}
    location / {{
        return 301 https://$host$request_uri;
    }}
}}
"""
    secure = f"""\
server {{
{_each("    listen {} ssl;", site.secure)}
    server_name {names};

    ssl_certificate {site.certificate};
    ssl_certificate_key {site.key};

    client_max_body_size 0;
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_buffer_size 128k;
    proxy_buffers 64 512k;
    proxy_busy_buffers_size 512k;

    location / {{
        proxy_pass http://{site.backend};
    }}
    location {_PHONES} {{
        proxy_pass http://{site.backend};
        proxy_connect_timeout 75s;
        proxy_send_timeout {_LONG_S}s;
        proxy_read_timeout {_LONG_S}s;
    }}
}}
"""
    return _joined(plain, secure, site.ready)


def apache(site: Site) -> str:
    """Two virtual hosts; the one for HTTPS is a comment until there is a certificate."""
    names = _each("    ServerAlias {}", ("autodiscover.*", "autoconfig.*", *site.names))
    plain = f"""\
<VirtualHost {" ".join(site.plain)}>
    ServerName {site.server}
{names}

    ProxyPreserveHost On
    ProxyPass {_CHALLENGE} http://{site.backend}{_CHALLENGE}

    RewriteEngine On
    RewriteCond %{{REQUEST_URI}} !^/\\.well-known/acme-challenge/
    RewriteRule ^ https://%{{HTTP_HOST}}%{{REQUEST_URI}} [R=301,L]
</VirtualHost>
"""
    secure = f"""\
<VirtualHost {" ".join(site.secure)}>
    ServerName {site.server}
{names}

    SSLEngine On
    SSLCertificateFile {site.certificate}
    SSLCertificateKeyFile {site.key}

    LimitRequestBody 0
    AllowEncodedSlashes NoDecode
    ProxyPreserveHost On
    RequestHeader set X-Forwarded-Proto https
    RequestHeader set X-Real-IP expr=%{{REMOTE_ADDR}}
    ProxyPass {_PHONES} http://{site.backend}{_PHONES} timeout={_LONG_S}
    ProxyPass / http://{site.backend}/ nocanon
    ProxyPassReverse / http://{site.backend}/
</VirtualHost>
"""
    return _joined((_NAMELESS if site.nameless else "") + plain, secure, site.ready)


def caddy(site: Site) -> str:
    """Blocks of a Caddyfile. Caddy gets certificates by itself, hands on Host and X-Forwarded-* and sets no
    limit on bodies or answers."""
    every = (site.server, *_spelled(site))
    return f"""\
{_MARK}
{", ".join(every)} {{
	reverse_proxy {site.backend} {{
		header_up X-Real-IP {{remote_host}}
	}}
}}

{", ".join(f"http://{name}" for name in every)} {{
	handle {_CHALLENGE}* {{
		reverse_proxy {site.backend}
	}}
	handle {{
		redir https://{{host}}{{uri}} permanent
	}}
}}
"""


def haproxy(site: Site) -> str:
    """Lines for the frontends that are there, and a backend."""
    names = " ".join((site.server, *site.names))
    return f"""\
{_MARK}
# 1. Into the frontend that binds port 80 (mode http):
    acl mailcow_host hdr(host),field(1,:) -i {names}
    acl mailcow_host hdr_beg(host) -i autodiscover. autoconfig.
    acl mailcow_proof path_beg {_CHALLENGE}
    http-request redirect scheme https code 301 if mailcow_host !mailcow_proof
    use_backend mailcow if mailcow_host

# 2. Into the frontend that binds port 443 with ssl (mode http):
    acl mailcow_host hdr(host),field(1,:) -i {names}
    acl mailcow_host hdr_beg(host) -i autodiscover. autoconfig.
    use_backend mailcow if mailcow_host

# 3. At the end of the file:
backend mailcow
    mode http
    option forwardfor
    http-request set-header X-Real-IP %[src]
    http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}
    http-request set-header X-Forwarded-Proto http if !{{ ssl_fc }}
    timeout server {_LONG_S}s
    server mailcow {site.backend}
"""


def traefik(site: Site) -> str:
    """A dynamic configuration (YAML) for Traefik 3."""
    rule = " || ".join(f"Host(`{name}`)" for name in (site.server, *_spelled(site)))
    proof = f"({rule}) && PathPrefix(`{_CHALLENGE}`)"
    return f"""\
{_MARK}
http:
  routers:
    mailcow:
      rule: "{rule}"
      entryPoints: ["websecure"]
      service: mailcow
      tls: {{}}
    mailcow-proof:
      rule: "{proof}"
      entryPoints: ["web"]
      service: mailcow
      priority: 1000
  services:
    mailcow:
      loadBalancer:
        passHostHeader: true
        servers:
          - url: "http://{site.backend}"
"""


def _spelled(site: Site) -> tuple[str, ...]:
    """The further names in full, for servers that want no `autodiscover.*`."""
    own = (f"{kind}.{domain}" for domain in site.domains for kind in ("autodiscover", "autoconfig"))
    return tuple(dict.fromkeys((*own, *site.names)))


def _each(line: str, words: tuple[str, ...]) -> str:
    return "\n".join(line.format(word) for word in words)


def _joined(plain: str, secure: str, ready: bool) -> str:
    if ready:
        return f"{_MARK}\n{plain}\n{secure}"
    off = "".join(f"#{line}" if line.strip() else line for line in secure.splitlines(keepends=True))
    return (
        f"{_MARK}\n{plain}\n# HTTPS: take the # away from the lines below as soon as mailcow has written its "
        f"certificate.\n{off}"
    )
