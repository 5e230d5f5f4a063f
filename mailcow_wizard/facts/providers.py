"""Who rents out servers: how each is recognised, and where its customers set a reverse name and open port 25.

`source` is where the words about the reverse name were read (November 2026); of the others, and of port 25,
no page was at hand, and they say so. Panels change, so the words name the place and not every click. Address
blocks stand here only of providers whose machines do not say whose they are (RIPE, ARIN, 2025).
"""

from __future__ import annotations

from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple


class Provider(NamedTuple):
    """A provider. `reverse` and `port25` are sentences for its customers; `{address}` and `{name}` in
    `reverse` are to be replaced, `reverse_v6` is said besides of an IPv6 address, `only_v6` in its place.

    It is recognised by what the firmware says (`firmware`, beginnings of `FILE: text` of files below
    /sys/class/dmi/id, in lower case), cloud-init's name for it (`clouds`), names that it gives to addresses
    or their name servers (`names`, ends), and `blocks` of addresses.
    """

    id: str
    name: str
    reverse: str
    port25: str
    firmware: tuple[str, ...] = ()
    clouds: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    reverse_v6: str = ""
    only_v6: str = ""
    source: str = ""

    @property
    def opened(self) -> str:
        """What to do so that port 25 gets out."""
        return self._here(f"{self.port25} {_CHANGES}")

    def named(self, address: str, name: str) -> str:
        """What to do so that an address gets its name."""
        v6 = ":" in address
        said = [(self.only_v6 if v6 else "") or self.reverse]
        said += [self.reverse_v6] if v6 and self.reverse_v6 else []
        said += [] if self.source else [_UNREAD]
        return self._here(" ".join(said).format(address=address, name=name))

    def _here(self, words: str) -> str:
        return _("This server is at {provider}. {asked}", provider=self.name, asked=words)


_UNREAD = _("Where its panel looks different, its support knows the place.")
_CHANGES = _("Such rules change; its support knows those of today.")
_RELAY = _("send through a relay (smarthost) on port 587 or 465 instead")

_OVH = (
    "5.39.0.0/17", "5.135.0.0/16", "5.196.0.0/16", "37.59.0.0/16", "37.187.0.0/16", "46.105.0.0/16",
    "51.38.0.0/16", "51.68.0.0/16", "51.75.0.0/16", "51.77.0.0/16", "51.79.0.0/16", "51.81.0.0/16",
    "51.83.0.0/16", "51.89.0.0/16", "51.91.0.0/16", "51.161.0.0/16", "51.178.0.0/16", "51.195.0.0/16",
    "51.210.0.0/16", "51.222.0.0/16", "51.254.0.0/15", "54.36.0.0/15", "54.38.0.0/16", "57.128.0.0/17",
    "79.137.0.0/17", "87.98.128.0/17", "91.121.0.0/16", "91.134.0.0/16", "92.222.0.0/16",
    "94.23.0.0/16", "135.125.0.0/16", "137.74.0.0/16", "141.94.0.0/15", "142.44.128.0/17",
    "144.217.0.0/16", "145.239.0.0/16", "146.59.0.0/16", "147.135.0.0/16", "149.56.0.0/16",
    "149.202.0.0/16", "151.80.0.0/16", "152.228.128.0/17", "158.69.0.0/16", "162.19.0.0/16",
    "164.132.0.0/16", "167.114.0.0/16", "176.31.0.0/16", "178.32.0.0/15", "188.165.0.0/16",
    "192.99.0.0/16", "193.70.0.0/17", "198.27.64.0/18", "213.32.0.0/17", "217.182.0.0/16",
    "2001:41d0::/32", "2607:5300::/32", "2402:1f00::/32",
)  # fmt: skip
_HETZNER_NAMES = ("your-server.de", "second-ns.com", "second-ns.de", "hetzner.com", "hetzner.de")
_HETZNER_BLOCKS = (
    "5.9.0.0/16", "5.75.128.0/17", "23.88.0.0/17", "37.27.0.0/16", "46.4.0.0/16", "49.12.0.0/15",
    "65.108.0.0/15", "65.21.0.0/16", "78.46.0.0/15", "85.10.192.0/18", "88.198.0.0/15", "91.107.128.0/17",
    "94.130.0.0/16", "95.216.0.0/15", "116.202.0.0/15", "128.140.0.0/17", "135.181.0.0/16",
    "136.243.0.0/16", "138.201.0.0/16", "142.132.128.0/17", "144.76.0.0/16", "148.251.0.0/16",
    "157.90.0.0/16", "159.69.0.0/16", "162.55.0.0/16", "167.235.0.0/16", "168.119.0.0/16", "176.9.0.0/16",
    "178.63.0.0/16", "188.40.0.0/16", "195.201.0.0/16", "213.133.96.0/19", "213.239.192.0/18",
    "2a01:4f8::/31", "2a01:4ff::/32",
)  # fmt: skip

PROVIDERS: tuple[Provider, ...] = (
    Provider(
        "hetzner-cloud",
        "Hetzner Cloud",
        _(
            "In the Hetzner Console open the project, Servers, this server, Networking; at {address} "
            "choose Edit reverse DNS (…) and enter {name}."
        ),
        _(
            "Hetzner Cloud blocks ports 25 and 465 at first. After the first paid invoice (about a "
            "month) ask for them in the Hetzner Console: Limits, Request change, and say that you run "
            "a mail server."
        ),
        reverse_v6=_("Enter the full address, not the /64."),
        firmware=("sys_vendor: hetzner",),
        clouds=("hetzner",),
    ),
    Provider(
        "hetzner-robot",
        "Hetzner (Robot)",
        _(
            "In robot.hetzner.com open Server, this server, IPs; click the field beside {address} and "
            "enter {name}. (Of a cloud server: Hetzner Console, this server, Networking, Edit reverse "
            "DNS.)"
        ),
        _(
            "Hetzner leaves port 25 of dedicated servers open; see this server's firewall in "
            "robot.hetzner.com. A cloud server gets it after the first paid invoice: Hetzner Console, "
            "Limits, Request change."
        ),
        reverse_v6=_("Add an entry for the full address."),
        names=_HETZNER_NAMES,
        blocks=_HETZNER_BLOCKS,
    ),
    Provider(
        "ovh",
        "OVHcloud",
        _(
            "First publish the address of {name}. Then in the OVHcloud Control Panel open Network, "
            "Public IP addresses; at {address} choose … and Modify the reverse path, and enter "
            "{name}."
        ),
        _(
            "OVHcloud leaves port 25 open, and closes it for an address that sends spam: Control "
            "Panel, Network, Public IP addresses, … at the address, Antispam."
        ),
        clouds=("ovh",),
        source="github.com/ovh/docs, guides on IP addresses: Modify the reverse path",
        names=("ovh.net", "ovh.ca", "ovh.com", "ovh.us", "kimsufi.com"),
        blocks=_OVH,
    ),
    Provider(
        "netcup",
        "netcup",
        _("In the Server Control Panel (SCP) open this server, Network; at {address} enter {name} as rDNS."),
        _(
            "netcup blocks outgoing port 25 of new servers by a firewall policy: in the Server "
            "Control Panel (SCP) open this server, Firewall, and take the policy netcup Mail block "
            "away."
        ),
        reverse_v6=_("Add an entry for the full address."),
        firmware=("sys_vendor: netcup",),
        names=("netcup.net", "netcup.de", "yourvserver.net", "megasrv.de", "ultrasrv.de"),
        blocks=(
            "37.120.160.0/19",
            "37.221.192.0/21",
            "46.38.224.0/20",
            "89.58.0.0/18",
            "94.16.104.0/21",
            "94.16.112.0/20",
            "152.53.0.0/16",
            "185.163.116.0/22",
            "185.170.112.0/22",
            "188.68.32.0/19",
            "194.13.80.0/22",
            "202.61.192.0/18",
            "2a03:4000::/32",
            "2a0a:4cc0::/32",
        ),
    ),
    Provider(
        "contabo",
        "Contabo",
        _("In my.contabo.com open Reverse DNS Management; click the pencil at {address} and enter {name}."),
        _(
            "Contabo leaves port 25 open, and limits how much a VPS may send; write to "
            "support@contabo.com if it is closed."
        ),
        reverse_v6=_("Add an entry for the full address first."),
        names=("contabo.net", "contaboserver.net", "contabo.com", "contabo.host"),
        blocks=(
            "5.189.128.0/18",
            "38.242.192.0/18",
            "62.171.128.0/18",
            "75.119.128.0/19",
            "79.143.176.0/20",
            "80.241.208.0/20",
            "109.123.240.0/20",
            "144.91.64.0/18",
            "161.97.64.0/18",
            "164.68.96.0/19",
            "167.86.64.0/18",
            "173.212.192.0/18",
            "173.249.0.0/18",
            "178.18.240.0/20",
            "194.163.128.0/18",
            "207.180.192.0/18",
            "213.136.64.0/19",
            "2a02:c200::/29",
        ),
    ),
    Provider(
        "ionos",
        "IONOS",
        _(
            "In the Cloud Panel open Network, Public IP; choose {address}, click the pencil at "
            "Reverse DNS and enter {name}. (IONOS Cloud: in the Data Center Designer open Network "
            "Services, Cloud DNS, Reverse DNS; the address must be a reserved one.)"
        ),
        _(
            "IONOS blocks port 25 of new servers: ask its support by telephone or chat to open "
            "outgoing port 25 for this contract. See also the firewall policy in the Cloud Panel, "
            "Network."
        ),
        names=(
            "ui-dns.com",
            "ui-dns.de",
            "ui-dns.org",
            "ui-dns.biz",
            "pbiaas.com",
            "onlinehome-server.info",
            "onlinehome-server.com",
            "kundenserver.de",
            "1and1.com",
            "1and1.org",
            "ionos.com",
            "live-servers.net",
        ),
        blocks=(
            "74.208.0.0/16",
            "82.165.0.0/16",
            "82.223.0.0/16",
            "85.215.0.0/16",
            "87.106.0.0/16",
            "212.227.0.0/16",
            "213.165.64.0/19",
            "217.72.192.0/20",
            "217.154.0.0/16",
            "217.160.0.0/16",
            "2001:8d8::/32",
            "2001:ba0::/32",
        ),
    ),
    Provider(
        "strato",
        "Strato",
        _(
            "In the Strato customer login open the server, then DNS reverse (reverse DNS); enter "
            "{name} for {address}."
        ),
        _("Ask Strato's support to open outgoing port 25 for this server; new ones have it closed at times."),
        names=("stratoserver.net", "rzone.de", "strato.de", "strato-hosting.eu"),
        blocks=("81.169.128.0/17", "85.214.0.0/16", "2a01:238::/32"),
    ),
    Provider(
        "digitalocean",
        "DigitalOcean",
        _(
            "DigitalOcean takes the Droplet's name for it: in the control panel click the Droplet's "
            "name and rename it to {name}. That sets the reverse name of {address}."
        ),
        _(
            "DigitalOcean blocks ports 25, 465 and 587 of Droplets and opens them as an exception at "
            "most: ask by a support ticket, or send through a relay (smarthost) on port 2525 instead."
        ),
        reverse_v6=_("It does so for the Droplet's first IPv6 address only."),
        source="docs.digitalocean.com/reference/doctl/reference/compute/droplet-action/rename",
        firmware=("sys_vendor: digitalocean",),
        clouds=("digitalocean",),
        names=("digitalocean.com",),
    ),
    Provider(
        "linode",
        "Akamai (Linode)",
        _(
            "First publish the address of {name}. Then in the Cloud Manager open this Linode, "
            "Network, IP Addresses; at {address} choose Edit RDNS and enter {name}."
        ),
        _(
            "Akamai blocks ports 25, 465 and 587 of new accounts: publish the address and the reverse "
            "name of this server first, then open a support ticket that asks to lift the email "
            "restrictions."
        ),
        firmware=("sys_vendor: linode", "sys_vendor: akamai"),
        source="github.com/linode/docs, Configure rDNS on Compute Instances: Network, Edit RDNS",
        clouds=("linode", "akamai"),
        names=("linode.com", "linodeusercontent.com"),
        blocks=("2600:3c00::/27", "2a01:7e00::/30", "2400:8900::/28"),
    ),
    Provider(
        "vultr",
        "Vultr",
        _(
            "In the customer portal open this server, Settings, IPv4 (or IPv6); at {address} click "
            "the reverse DNS entry and enter {name}."
        ),
        _(
            "Vultr blocks port 25 of new accounts: open a support ticket that asks to unblock SMTP "
            "and says what mail you send; it may refuse."
        ),
        firmware=("sys_vendor: vultr",),
        clouds=("vultr",),
        names=("vultr.com", "vultrusercontent.com", "choopa.net", "choopa.com"),
    ),
    Provider(
        "aws",
        "Amazon EC2",
        _(
            "Publish the address of {name}. Then in the EC2 console open Elastic IPs, choose "
            "{address}, Actions, Update reverse DNS, and enter {name}. An address that is no Elastic "
            "IP cannot have one."
        ),
        _(
            "Amazon limits port 25: sign in as the account's root user and fill in the form Request "
            "to remove email sending limitations."
        ),
        reverse_v6=_("For IPv6 ask AWS support."),
        source="EC2 user guide, Elastic IP addresses, Use reverse DNS for email applications",
        firmware=("sys_vendor: amazon ec2", "bios_vendor: amazon", "bios_version: 4.2.amazon"),
        clouds=("aws", "ec2"),
        names=("amazonaws.com",),
    ),
    Provider(
        "gcp",
        "Google Cloud",
        _(
            "In the Google Cloud console open this VM, Edit, its network interface; at {address} tick "
            "Public DNS PTR Record and enter {name}. Google asks to verify the domain first (Search "
            "Console)."
        ),
        _(
            "Google Cloud blocks outgoing port 25 for good. Send through a relay (smarthost) on port 587 or "
            "465 instead."
        ),
        firmware=("sys_vendor: google", "product_name: google compute engine"),
        source="Compute Engine API, accessConfigs.publicPtrDomainName; the console's Public DNS PTR Record",
        clouds=("gce", "gcp"),
        names=("googleusercontent.com",),
    ),
    Provider(
        "azure",
        "Microsoft Azure",
        _(
            "Publish the address of {name}. Then set it at the public IP {address}: az network "
            "public-ip update --resource-group GROUP --name IP --dns-name LABEL --reverse-fqdn "
            "{name}. (with the final dot; LABEL is a word of yours)."
        ),
        _(
            "Azure blocks outgoing port 25, but for subscriptions under an Enterprise or Customer "
            "Agreement, which can ask in the portal (Diagnose and solve, Cannot send email); else "
            "{relay}.",
            relay=_RELAY,
        ),
        only_v6=_(
            "Azure cannot call {address} {name}: it names IPv4 addresses only. Let mail leave "
            "by IPv4 (ENABLE_IPV6=false in mailcow.conf), or send through a relay."
        ),
        source="learn.microsoft.com/azure/dns/dns-reverse-dns-for-azure-services",
        firmware=("chassis_asset_tag: 7783-7084-3265-9085-8269-3286-77",),
        clouds=("azure",),
        names=("cloudapp.azure.com", "cloudapp.net"),
    ),
    Provider(
        "oracle",
        "Oracle Cloud",
        _(
            "Publish the address of {name}. Then open a support request in the console (Help, "
            "Support) that asks for a PTR record of {address} to {name}; Oracle sets it by hand."
        ),
        _(
            "Oracle blocks outgoing port 25: ask for an exemption by a support request in the console "
            "(Help, Support, service limits; not for free accounts), or {relay}.",
            relay=_RELAY,
        ),
        firmware=("chassis_asset_tag: oraclecloud.com",),
        source="docs.oracle.com/en-us/iaas/Content/Network/Concepts/reverse_dns.htm",
        clouds=("oracle",),
        names=("oraclecloud.com", "oraclevcn.com"),
    ),
    Provider(
        "scaleway",
        "Scaleway",
        _(
            "Publish the address of {name}. Then in the Scaleway console open CPU & GPU Instances, "
            "Flexible IPs; at {address} choose Edit reverse (…) and enter {name}."
        ),
        _(
            "Scaleway blocks SMTP (port 25) at first: verify your identity in the console, then open "
            "this Instance's security group, switch Enable SMTP on, and restart the Instance from the "
            "console."
        ),
        only_v6=_(
            "Publish the address of {name}. The Scaleway console cannot set the name of one "
            "address of a /64: set {name} for {address} by Scaleway's IPAM API (Set a reverse "
            "IPv6 DNS record)."
        ),
        source="github.com/scaleway/docs-content, instances/how-to/configure-reverse-dns",
        firmware=("sys_vendor: scaleway", "product_name: scw-"),
        clouds=("scaleway",),
        names=("scw.cloud", "scaleway.com", "poneytelecom.eu", "online.net"),
    ),
)
