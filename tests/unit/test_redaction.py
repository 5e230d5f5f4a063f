"""Secrets in command lines, URLs and mailcow.conf: removed wherever they stand, and nothing else is."""

import time

import pytest

from mailcow_wizard.redaction import (
    REMOVED,
    configuration,
    is_secret,
    redacted,
    without_credentials,
    without_secret_values,
)

SECRET = "Geheim"

COMMANDS = {
    "joined": ["mysqld", f"--password={SECRET}"],
    "apart": ["redis-server", "--requirepass", SECRET],
    "more words": ["x", f"--admin-secret={SECRET} {SECRET}"],
    "two lines": ["x", f"--token=a\n{SECRET}"],
    "short option of mysql": ["/usr/bin/mysql", f"-p{SECRET}", "mailcow"],
    "short option of mariadb": ["mariadb-dump", f"-p{SECRET}"],
    "shell": ["sh", "-c", f"mysql --password {SECRET} -h db"],
    "shell, assigned": ["sh", "-c", f"MYSQL_PWD=x PGPASSWORD={SECRET} psql"],
    "JSON": ["curl", "-d", f'{{"password": "{SECRET}"}}'],
    "header": ["curl", "-H", f"Authorization: Bearer {SECRET}"],
    "header of an interface": ["curl", "-H", f"X-API-Key: {SECRET}"],
    "URL": ["curl", f"https://anna:{SECRET}@example.org/x"],
    "URL, at sign in the password": ["curl", f"https://anna:p@{SECRET}@example.org/x"],
    "URL, token alone": ["git", "clone", f"https://ghp_0123456789{SECRET}@github.com/x"],
    "URL, no user": ["redis-cli", "-u", f"redis://:{SECRET}@127.0.0.1:6379"],
    "upper case": ["x", f"--PASSWORD={SECRET}"],
    "short option of any program": ["relay", f"-p{SECRET}3"],
    "short option of any program, spaces": ["relay", f"-p{SECRET[:2]} {SECRET}"],
    "short option in a shell": ["sh", "-c", f"relay -v -p{SECRET}"],
    "user": ["relay", "--user", f"admin:{SECRET}"],
    "user, joined": ["relay", f"--user=admin:{SECRET}"],
    "user, short": ["relay", "-u", f"root:{SECRET}"],
    "user, short and glued": ["relay", f"-uroot:{SECRET}"],
    "user, numbers": ["relay", "-u", f"0:1{SECRET}"],
    "user, more colons": ["relay", "-u", f"root:a:{SECRET} {SECRET}"],
    "user of a proxy": ["curl", "--proxy-user", f"anna:{SECRET}"],
    "user in a shell": ["sh", "-c", f"curl -s -u anna:{SECRET} https://example.org"],
    "single dash, apart": ["java", "-password", SECRET],
    "sshpass, apart": ["sshpass", "-p", SECRET, "ssh", "-L", "25:127.0.0.1:25", "mail.example.org"],
    "user by another name": ["httpd", "--auth", f"anna:{SECRET}"],
    "user by another name, joined": ["httpd", f"--auth=anna:{SECRET}"],
    "key of a store": ["minio", "--access-key", SECRET],
    "key of a licence": ["panel", f"--license-key={SECRET}"],
    "key with a point": ["java", f"-Dapi.key={SECRET}"],
    "key that both know": ["stunnel", "--psk", SECRET],
    "cookie": ["curl", "--cookie", f"session={SECRET}"],
    "bearer": ["agent", "--bearer", SECRET],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_secret_in_a_command_line(name: str) -> None:
    shown = " ".join(redacted(COMMANDS[name]))
    assert SECRET not in shown
    assert REMOVED in shown
    assert len(redacted(COMMANDS[name])) == len(COMMANDS[name])


@pytest.mark.parametrize(
    "command",
    [
        ["nginx:", "master", "process", "/usr/sbin/nginx", "-g", "daemon off;"],
        ["/usr/lib/postfix/sbin/master", "-w"],
        ["docker-proxy", "-proto", "tcp", "-host-ip", "0.0.0.0", "-host-port", "25"],
        ["git", "clone", "ssh://git@github.com/mailcow/x"],
        ["python3", "-p", "8080"],
        ["sshd", "-p8080", "-p", "25"],
        ["docker", "run", "-p127.0.0.1:80:80/tcp", "-u", "1000:1000", "--user=0:0"],
        ["x", "-port", "25", "-path=/srv", "-pid-file", "/run/x", "-u", "www-data", "--user", "anna"],
        ["x", "-u", "http://example.org:80"],
        ["nginx", "--key", "/etc/ssl/private/x.key", "--auth", "pam", "--pid", "/run/x", "--opts", "a"],
        ["x", "http://example.org:80/@home"],
        [],
    ],
)
def test_ordinary_command_stays(command: list[str]) -> None:
    assert redacted(command) == tuple(command)


LINES = {
    f"DBPASS={SECRET}": "DBPASS=[removed]",
    f"DBROOT='{SECRET}'": "DBROOT=[removed]",
    f"REDISPASS = {SECRET}": "REDISPASS =[removed]",
    f"#API_KEY={SECRET}": "#API_KEY=[removed]",
    f"## API_KEY_READ_ONLY={SECRET}": "## API_KEY_READ_ONLY=[removed]",
    f"export SOGO_URL_ENCRYPTION_KEY={SECRET}": "export SOGO_URL_ENCRYPTION_KEY=[removed]",
    f"TZ=UTC # DBPASS={SECRET}": "TZ=UTC # DBPASS=[removed]",
    f"DBPASS={SECRET}\r": "DBPASS=[removed]",
    f"DBPASS='a\n{SECRET}'": "DBPASS=[removed]\n# [removed]",
    f"DBPASS=a\v{SECRET}": "DBPASS=[removed]",
    f"WATCHDOG_NOTIFY_WEBHOOK=https://x/{SECRET}": "WATCHDOG_NOTIFY_WEBHOOK=[removed]",
    "DBPASS=": "DBPASS=",
    "MAILCOW_PASS_SCHEME=BLF-CRYPT": "MAILCOW_PASS_SCHEME=BLF-CRYPT",
    "MAILCOW_HOSTNAME=mail.example.org": "MAILCOW_HOSTNAME=mail.example.org",
    "# The password is in the safe": "# The password is in the safe",
}


@pytest.mark.parametrize("line", LINES)
def test_line_of_mailcow_conf(line: str) -> None:
    around = "HTTP_PORT=80\n{}\nHTTPS_PORT=443\n"
    assert without_secret_values(around.format(line)) == around.format(LINES[line])


@pytest.mark.parametrize("key", ["DBPASS", "DBROOT", "REDISPASS", "API_KEY", "SPAMHAUS_DQS_KEY", "x_token"])
def test_secret_key(key: str) -> None:
    assert is_secret(key)


@pytest.mark.parametrize("key", ["DBNAME", "DBUSER", "MAILCOW_PASS_SCHEME", "SMTP_PORT", "TZ"])
def test_open_key(key: str) -> None:
    assert not is_secret(key)


def test_text_around_a_url_stays() -> None:
    text = "from http://proxy.example.org:3128 to https://u:p@h/x, a@b"
    assert without_credentials(text) == "from http://proxy.example.org:3128 to https://[removed]@h/x, a@b"


LONG = {
    "letters": "a" * 60_000,
    "value": "Z=" + "a" * 60_000,
    "letters and digits": "1a" * 30_000,
    "short options": "-p" * 30_000,
    "spaces before a setting": " " * 60_000 + "X=1",
}


@pytest.mark.parametrize("name", LONG)
def test_a_long_word_costs_no_more_than_its_length(name: str) -> None:
    """Square to the length, these are minutes each."""
    word = LONG[name]
    begun = time.process_time()
    assert redacted(["x", word])[0] == "x"
    assert configuration(word)
    assert REMOVED not in without_secret_values(word)
    assert time.process_time() - begun < 5


def test_the_secret_behind_a_long_word_is_removed() -> None:
    word = "a" * 60_000
    for text in (
        f"{word}_pwd={SECRET}",
        f"{word}pwd={SECRET}",
        f"{word}-password={SECRET}",
        f"{word}: token={SECRET}",
    ):
        assert SECRET not in " ".join(redacted(["x", text]))
    for text in (f"{word}_PASS={SECRET}", f"{word} 1DBPASS = {SECRET}"):
        assert SECRET not in without_secret_values(text)
