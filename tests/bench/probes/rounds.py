"""How many round trips one after the other all records of a domain cost: each is made to last."""

import sys
import threading
import time

from mailcow_wizard.checks import dns, reputation
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.host.replies import DnsQuestion, DnsReply
from mailcow_wizard.model import Settings

LASTS_S = float(sys.argv[2]) if len(sys.argv) > 2 else 0.2


class Far(RealHost):
    """All name servers of the world are far away."""

    def ask_dns(self, questions: tuple[DnsQuestion, ...], timeout: float = 3.0) -> tuple[DnsReply, ...]:
        time.sleep(LASTS_S)
        return super().ask_dns(questions, timeout)


def main() -> None:
    """Runs the checks at once, as the runner does; prints the time in round trips."""
    facts = Facts(Far(), Settings(hostname=sys.argv[1], directory="/nonexistent"))
    checks = (*dns.CHECKS, *reputation.CHECKS)
    threads = [threading.Thread(target=facts.begin, args=((one.source,),)) for one in checks]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print((time.monotonic() - start) / LASTS_S)


main()
