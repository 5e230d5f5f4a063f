"""Which sites a web server serves besides its default page, by its configuration."""

import pytest
from fake_host import FakeHost

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.web_sites import apache_sites, caddy_sites, nginx_sites, proxied, sites

AB = ("a.example.org", "b.example.org")
NGINX_DEFAULT = """\
server {
	listen 80 default_server;
	listen [::]:80 default_server;
	# server_name shop.example.org;
	root /var/www/html;
	server_name _;
	location / { try_files $uri $uri/ =404; }
}
"""
APACHE_DEFAULT = """\
<VirtualHost *:80>
	#ServerName www.example.com
	DocumentRoot /var/www/html
</VirtualHost>
"""


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (NGINX_DEFAULT, ()),
        ("server { listen 80; server_name a.example.org b.example.org; }", AB),
        ("server {\n listen 8080; location / { proxy_pass http://127.0.0.1:3000; } }", ("a site on 8080",)),
        ("server { listen 80; root /srv/www; }", ("a site on 80",)),
        ("server { listen 80; return 301 https://example.org; }", ("a site on 80",)),
        ("upstream a { server 10.0.0.1:80; }", ()),
        ("# server { server_name off.example.org; }", ()),
        ("server { server_name a.example.org; location / { } } server { server_name b.example.org; }", AB),
        ("server {", ()),
    ],
)
def test_nginx(text: str, names: tuple[str, ...]) -> None:
    assert nginx_sites(text) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (APACHE_DEFAULT, ()),
        ("<VirtualHost *:80>\nServerName a.example.org\nServerAlias b.example.org\n</VirtualHost>", AB),
        ("<virtualhost *:80>\nservername https://shop.example.org\n</virtualhost>", ("shop.example.org",)),
        ("<VirtualHost 10.0.0.1:80>\nDocumentRoot /srv/www\n</VirtualHost>", ("a site on 10.0.0.1:80",)),
        (
            '<VirtualHost *:80>\nDocumentRoot "/var/www"\nProxyPass / http://a/\n</VirtualHost>',
            ("a site on *:80",),
        ),
        ("ServerName global.example.org\n", ()),
    ],
)
def test_apache(text: str, names: tuple[str, ...]) -> None:
    assert apache_sites(text) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (":80 {\n\troot * /usr/share/caddy\n\tfile_server\n}\n", ()),
        (
            "{\n\temail a@example.org\n}\nshop.example.org, www.example.org {\n\trespond hi\n}\n",
            ("shop.example.org", "www.example.org"),
        ),
        (":80 {\n\treverse_proxy localhost:9000\n}\n", ("a site on :80",)),
        (":80 {\n\troot * /srv/www\n\tfile_server\n}\n", ("a site on :80",)),
        ("(snippet) {\n\tencode gzip\n}\nimport sites/*\n", ()),
    ],
)
def test_caddy(text: str, names: tuple[str, ...]) -> None:
    assert caddy_sites(text) == names


def test_haproxy() -> None:
    assert proxied("global\n  daemon\nbackend shop\n  server a 10.0.0.1:80\nlisten stats\n") == (
        "shop",
        "stats",
    )


def test_all_files_are_read_and_what_cannot_be_read_is_left_out() -> None:
    host = FakeHost(
        {
            "/etc/nginx/nginx.conf": "http { include /etc/nginx/sites-enabled/*; }",
            "/etc/nginx/sites-enabled/default": NGINX_DEFAULT,
            "/etc/nginx/sites-enabled/shop": "server { server_name shop.example.org; }",
            "/etc/nginx/sites-enabled/shop~": "server { server_name old.example.org; }",
        }
    )
    found = sites(Facts(host), "nginx")
    assert (found.names, found.known) == (("shop.example.org",), True)
    assert not sites(Facts(FakeHost()), "nginx").known
    assert not sites(Facts(FakeHost()), "traefik").known
