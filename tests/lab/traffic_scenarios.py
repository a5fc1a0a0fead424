"""Scenarios of the traffic beside IKE: what should be inside the tunnel and is not, and what the traffic inside tells."""

from lab.bgp import AS, as_numbers, speakers
from lab.lab import Setup
from lab.scenario import SILENT, Scenario, clear_faults, fault, initiate, pause, steps
from lab.inner import (back_by_other_line, cloud_drops, cloud_hosts, cloud_passes, first_line, flood, full_gateway, full_line, gateway_at_ease,
                       lan_host, leak, line_at_ease, mend_leak, no_tunnel_address, other_line, peer_pings, tunnel_address)

SUMMARY = 1.0  # captures tell their counts once a second

LEAKS = [
    Scenario("nonat-missing", ("nonat_missing",), start=steps(initiate(), lan_host()), fault=steps(leak(translated=True)), on_wire=False,
             within=1.0 + SUMMARY + 0.5, repair=steps(mend_leak()), clears_within=15 + SUMMARY + 1, note="a LAN host's traffic is masqueraded"),
    Scenario("policy-missing-for-lan-host", ("nonat_missing",), start=steps(initiate(), lan_host()), fault=steps(leak(translated=False)),
             on_wire=False, within=1.0 + SUMMARY + 0.5, repair=steps(mend_leak()), clears_within=15 + SUMMARY + 1,
             note="it leaves in clear under its own address"),
    Scenario("healthy-lan-host", start=steps(initiate(), lan_host()), watch=4, note="the same traffic inside the tunnel"),
]

TWO_SUBNETS = Setup(a={"connections/tun/children/net/remote_ts": "10.2.0.0/24,10.3.0.0/24"},
                    b={"connections/tun/children/net/local_ts": "10.2.0.0/24,10.3.0.0/24"},
                    tunnel={"remote_subnets": ["10.2.0.0/24", "10.3.0.0/24"], "inner_hosts": ["10.2.0.1", "10.3.0.7", "10.3.0.8"]})

CLOUD = [
    Scenario("cloud-security-group", ("cloud_security_group_blocks_traffic",), setup=Setup(tunnel={"inner_hosts": ["10.2.0.1", "10.2.0.7"]}),
             start=steps(cloud_hosts("10.2.0.7"), initiate()), fault=steps(cloud_drops("ip daddr 10.2.0.7")), on_wire=False,
             within=SILENT + 2 * SUMMARY, repair=steps(cloud_passes()), note="one host of two"),
    Scenario("cloud-subnet-acl", ("subnet_acl_blocks_traffic",), ("cloud_security_group_blocks_traffic",), TWO_SUBNETS,
             start=steps(cloud_hosts("10.3.0.7", "10.3.0.8"), initiate()), fault=steps(cloud_drops("ip daddr 10.3.0.0/24")), on_wire=False,
             within=SILENT + 2 * SUMMARY, repair=steps(cloud_passes()), note="both hosts of one subnet of two"),
]

INSIDE = {"tunnel_interface": "ipsec0", "local_tunnel_address": "10.1.0.1", "remote_tunnel_address": "10.2.0.1"}
WITH_BGP = Setup(tunnel={**INSIDE, "bgp": {"local_as": AS["a"], "remote_as": AS["b"]}})
SESSION = 4.0  # until a speaker that was told another number has tried again

BGP = [
    Scenario("bgp-peer-expects-another-as", ("bgp_asn_mismatch",), setup=WITH_BGP, start=steps(initiate(), speakers()), on_wire=False,
             fault=steps(as_numbers("b", 65009, AS["b"])), within=SESSION, repair=steps(as_numbers("b", AS["a"], AS["b"])), clears_within=2 * SESSION,
             note="the peer refuses ours"),
    Scenario("bgp-peer-has-another-as", ("bgp_asn_mismatch",), setup=WITH_BGP, start=steps(initiate(), speakers()), on_wire=False,
             fault=steps(as_numbers("b", AS["a"], 4200000001)), within=SESSION, repair=steps(as_numbers("b", AS["a"], AS["b"])), clears_within=2 * SESSION,
             note="we refuse the peer's, of four octets"),
    Scenario("healthy-bgp", setup=WITH_BGP, start=steps(initiate(), speakers()), watch=3),
]

NQA_HERE, NQA_THERE = "169.254.70.2", "169.254.70.1"
WITH_NQA = Setup(a={"connections/tun/children/net/local_ts": f"10.1.0.0/24,{NQA_HERE}/32",
                    "connections/tun/children/net/remote_ts": f"10.2.0.0/24,{NQA_THERE}/32"},
                 b={"connections/tun/children/net/local_ts": f"10.2.0.0/24,{NQA_THERE}/32",
                    "connections/tun/children/net/remote_ts": f"10.1.0.0/24,{NQA_HERE}/32"},
                 tunnel={"tunnel_interface": "ipsec0", "local_tunnel_address": NQA_HERE, "remote_tunnel_address": NQA_THERE})

NQA = [
    # The kernel takes the daemon's route away with the address that it names as source.
    Scenario("nqa-address-missing", ("tunnel_interface_address_not_configured",), ("private_route_missing",), WITH_NQA, on_wire=False,
             start=steps(tunnel_address("a", NQA_HERE), tunnel_address("b", NQA_THERE), initiate(), peer_pings(NQA_THERE, NQA_HERE)),
             fault=steps(no_tunnel_address("a", NQA_HERE)), within=2.0 + 1.0 + 2 * SUMMARY, repair=steps(tunnel_address("a", NQA_HERE)),
             clears_within=2 + 2 * SUMMARY, note="four pings half a second apart, and a second to answer the last"),
    Scenario("healthy-nqa", setup=WITH_NQA, watch=4,
             start=steps(tunnel_address("a", NQA_HERE), tunnel_address("b", NQA_THERE), initiate(), peer_pings(NQA_THERE, NQA_HERE))),
]

TWO_LINES = Setup(second_line=True, both={"connections/tun/mobike": "no"}, agent={"capture": {"interfaces": ["wan", "wan2"]}})

EGRESS = [
    Scenario("multi-egress", ("multi_egress",), setup=TWO_LINES, start=steps(initiate()), fault=steps(other_line()), on_wire=False,
             within=3.0 + 2 * SUMMARY, repair=steps(first_line()), clears_within=3 + 5 + 2 * SUMMARY,
             note="the route to the peer takes the other line, and the peer answers by the first one"),
    Scenario("healthy-two-lines", setup=TWO_LINES, start=steps(initiate()), watch=5),
    Scenario("healthy-line-moved", setup=TWO_LINES, start=steps(initiate(), pause(4), other_line(), back_by_other_line()), watch=8,
             note="both directions take the other line"),
]

# The agent's own windows, shortened so that loss shows and clears within a scenario.
FAST = Setup(agent={"probes": {"icmp": {"interval": "100ms", "timeout": "80ms"}}, "loss": {"window": "10s"}})

TO_PEER = "ip daddr 198.51.100.20 icmp type echo-request"
WINDOW = 10.0


def peer_loss(name, which, **more):
    """Exactly these of the echoes to the peer are lost behind the router, and nothing else."""
    return Scenario(name, ("peer_path_loss",), ("tunnel_only_loss",), FAST, start=steps(initiate()), on_wire=False,
                    fault=steps(fault(f"{TO_PEER} {which} drop")), repair=steps(clear_faults()), clears_within=WINDOW + 3, **more)


LINE = {"egress_interface": "wan", "bandwidth": {"egress": "1Mbit"}}
IDLE_LINE = {"egress_interface": "wan", "bandwidth": {"egress": "100Mbit"}}
LOSES_TOO = ("public_network_loss", "peer_path_loss", "tunnel_only_loss")

LOSS = [
    peer_loss("peer-path-loss-5-percent", "numgen inc mod 20 == 0", within=WINDOW + 4, note="five of a hundred are beyond chance"),
    peer_loss("peer-path-loss-20-percent", "numgen inc mod 5 == 0", within=SILENT + 1),
    peer_loss("peer-path-loss-bursts", "numgen inc mod 50 < 7", within=WINDOW, note="seven in a row every five seconds"),
    Scenario("healthy-peer-loss-1-percent", setup=FAST, start=steps(initiate(), fault(f"{TO_PEER} numgen inc mod 100 == 0 drop")), watch=WINDOW + 5,
             note="one of a hundred"),
    Scenario("egress-bandwidth", ("egress_bandwidth_exceeded",), LOSES_TOO, Setup(agent=FAST.agent, tunnel=LINE), start=steps(initiate()), on_wire=False,
             fault=steps(full_line("a", "1mbit", 160, queue="40kb")), within=6.0 + 4 * SUMMARY, repair=steps(line_at_ease("a")), clears_within=14,
             lingers=LOSES_TOO, note="more than the customer's line of 1 Mbit/s carries"),
    Scenario("egress-queue-drops", ("egress_bandwidth_exceeded",), LOSES_TOO,
             Setup(agent={**FAST.agent, "probes": {"icmp": {**FAST.agent["probes"]["icmp"], "payload_bytes": 1000}}}), start=steps(initiate()), on_wire=False,
             fault=steps(full_line("a", "1mbit", 160)), within=WINDOW + 4 * SUMMARY, repair=steps(line_at_ease("a")), clears_within=14, lingers=LOSES_TOO,
             note="nobody said what the line carries; its own queue drops"),
    Scenario("healthy-queue-drops", setup=FAST, start=steps(initiate(), full_line("a", "1mbit", 160)), watch=10,
             note="what is large, and every ping gets through"),
    Scenario("healthy-full-line", setup=Setup(agent=FAST.agent, tunnel=LINE), start=steps(initiate(), flood("a", 125)), watch=10,
             note="near what the line is said to carry, and nothing is lost"),
    Scenario("public-network-loss-idle-line", ("public_network_loss",), ("peer_path_loss", "tunnel_only_loss"), Setup(agent=FAST.agent, tunnel=IDLE_LINE),
             start=steps(initiate()), on_wire=False, fault=steps(fault("iifname ra numgen inc mod 5 == 0 drop", chain="early")), within=SILENT + 1,
             repair=steps(clear_faults()), clears_within=13, note="20 % of what the customer sends, and the line is idle"),
    Scenario("tunnel-only-loss", ("tunnel_only_loss",), setup=FAST, start=steps(initiate()), on_wire=False,
             fault=steps(fault("ip saddr 198.51.100.20 udp dport 4500 @th,64,32 != 0 numgen inc mod 4 == 0 drop")), within=SILENT + SUMMARY,
             repair=steps(clear_faults()), clears_within=14, note="every fourth ESP packet of the peer's, and nothing else"),
    Scenario("gateway-bandwidth", ("gateway_bandwidth_exceeded",), ("peer_path_loss", "tunnel_only_loss"),
             Setup(agent=FAST.agent, tunnel={"bandwidth": {"gateway": "1Mbit"}}), start=steps(initiate()), on_wire=False,
             fault=steps(full_gateway("1mbit", 160)), within=6.0 + 2 * SUMMARY, repair=steps(gateway_at_ease()), clears_within=14,
             lingers=("peer_path_loss", "tunnel_only_loss"), note="more than the gateway of 1 Mbit/s carries"),
]

TRAFFIC = LEAKS + CLOUD + BGP + NQA + EGRESS + LOSS
