"""Scenarios of the traffic beside IKE: what should be inside the tunnel and is not, and what the traffic inside tells."""

from lab.scenario import Scenario, initiate, steps
from lab.traffic import lan_host, leak, mend_leak

SUMMARY = 1.0  # captures tell their counts once a second

LEAKS = [
    Scenario("nonat-missing", ("nonat_missing",), start=steps(initiate(), lan_host()), fault=steps(leak(translated=True)), on_wire=False,
             within=1.0 + SUMMARY + 0.5, repair=steps(mend_leak()), clears_within=15 + SUMMARY + 1, note="a LAN host's traffic is masqueraded"),
    Scenario("policy-missing-for-lan-host", ("nonat_missing",), start=steps(initiate(), lan_host()), fault=steps(leak(translated=False)),
             on_wire=False, within=1.0 + SUMMARY + 0.5, repair=steps(mend_leak()), clears_within=15 + SUMMARY + 1,
             note="it leaves in clear under its own address"),
    Scenario("healthy-lan-host", start=steps(initiate(), lan_host()), watch=4, note="the same traffic inside the tunnel"),
]

TRAFFIC = LEAKS
