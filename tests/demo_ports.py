"""The demo machine's answers about those who hold mailcow's ports: exim, nginx with a shop, a database."""

import json

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import offers
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import Ran
from mailcow_wizard.model import Check

SHOP_DB = "5b1f" * 16
_SHOW = (
    "systemctl show -p Id,LoadState,UnitFileState,ActiveState,Triggers,TriggeredBy,PartOf,FragmentPath,"
    "SourcePath,Accept,WantedBy,RequiredBy,UpheldBy,BoundBy,RequisiteOf,ConsistsOf,PropagatesStopTo,"
    "MainPID --"
)
_UNITS = {
    "exim4.service": {
        "UnitFileState": "generated",
        "FragmentPath": "/run/systemd/generator.late/exim4.service",
        "SourcePath": "/etc/init.d/exim4",
    },
    "nginx.service": {
        "UnitFileState": "enabled",
        "FragmentPath": "/lib/systemd/system/nginx.service",
        "WantedBy": "multi-user.target",
        "MainPID": "900",
    },
}
_INCLUDES = "\tinclude /etc/nginx/conf.d/*.conf;\n\tinclude /etc/nginx/sites-enabled/*;\n"
_SITE = "\tlisten 80;\n\tserver_name shop.example.org;\n\tlocation / { proxy_pass http://127.0.0.1:3000; }\n"
_NGINX = "[Unit]\nDescription=A high performance web server\n\n[Install]\nWantedBy=multi-user.target\n"


def _shown(name: str) -> str:
    row = {"Id": name, "LoadState": "loaded", "ActiveState": "active", **_UNITS[name]}
    return "".join(f"{key}={value}\n" for key, value in row.items())


FILES: dict[str, str] = {
    "/proc/self/cgroup": "0::/user.slice/user-0.slice/session-4.scope\n",
    "/etc/nginx/nginx.conf": f"http {{\n{_INCLUDES}}}\n",
    "/etc/nginx/conf.d/": "",
    "/etc/nginx/sites-available/shop": "",
    "/etc/nginx/sites-enabled/shop": f"server {{\n{_SITE}}}\n",
    "/etc/systemd/system/multi-user.target.wants/nginx.service": "",
    "/opt/mailcow-dockerized/data/assets/ssl/cert.pem": "",
    "/opt/mailcow-dockerized/data/assets/ssl/key.pem": "",
}
COMMANDS: dict[str, Ran | str | HostError] = {
    **{f"{_SHOW} {name}": _shown(name) for name in _UNITS},
    "systemctl is-enabled -- exim4.service": "enabled\n",
    "systemctl cat -- nginx.service": _NGINX,
    "systemctl cat -- multi-user.target": "[Unit]\nRequires=basic.target\nAfter=basic.target\n",
    "systemctl cat -- exim4.service": "[Unit]\nSourcePath=/etc/init.d/exim4\n",
    "exim4 -bpc": "2\n",
    "apt-get -s -q remove exim4-daemon-light": "Remv exim4-daemon-light [4.96-15+deb12u6]\n",
    "apt-get -s -q remove nginx": "Remv nginx [1.22.1-9+deb12u1]\n",
}
CONTAINER = json.dumps(
    {
        "HostConfig": {
            "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
            "AutoRemove": False,
        },
        "Config": {"Labels": {"com.docker.compose.project": "shop"}},
    }
)


def plan_everything(facts: Facts, checks: tuple[Check, ...]) -> None:
    """Has every fix of ports and tools planned, so that its questions are recorded too."""
    for check in checks:
        if check.step == "ports" or check.id == "system.tools":
            for one in offers(check.id, check.judge(facts.get(check.source)), facts):
                one.plan()
