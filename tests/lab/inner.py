"""What goes wrong with the traffic that belongs into the tunnel, at the customer's end."""

import os
import sys

from lab import netns
from lab.shell import Process
from lab.topology import INNER, OUTER, SUBNET

LAN_HOST = "10.1.0.77"  # stands on the customer's own loopback, as its inner address does
TRANSLATED_HOST = "10.1.0.78"


def lan_host():
    """A host of the customer's network pings the cloud five times a second until the lab ends."""
    def action(lab):
        name = lab.topology.name("a")
        netns.ip_batch(name, [f"addr add {LAN_HOST}/32 dev lo"])
        ping = Process(["ip", "netns", "exec", name, "ping", "-q", "-i", "0.2", "-I", LAN_HOST, INNER[4]["b"]],
                       os.path.join(lab.folder, "lan-host.out"))
        lab.on_close(ping.kill)
    return action


def translated_host():
    """Another host of that network, whose packets the gateway translates before the tunnel could take them."""
    def action(lab):
        name, far = lab.topology.name("a"), SUBNET[4]["b"]
        lab.topology.execute("a", "nft", "-f", "-", stdin=f"""
            table ip lan {{ chain post {{ type nat hook postrouting priority srcnat; ip saddr {TRANSLATED_HOST} ip daddr {far} snat to {OUTER[4]["a"]}
            }}
            }}
            """)
        netns.ip_batch(name, [f"addr add {TRANSLATED_HOST}/32 dev lo"])
        lab.translated = Process(["ip", "netns", "exec", name, "ping", "-q", "-i", "0.5", "-I", TRANSLATED_HOST, INNER[4]["b"]],
                                 os.path.join(lab.folder, "translated-host.out"))
        lab.on_close(lab.translated.kill)
    return action


def end_translated_host():
    def action(lab):
        lab.translated.kill()
        forget_connections(lab)
    return action


# IPCTNL_MSG_CT_DELETE (linux/netfilter/nfnetlink_conntrack.h) of all connections, and the kernel's answer.
_FORGET = """
import socket, struct
with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as netfilter:
    netfilter.bind((0, 0))
    netfilter.send(struct.pack("=LHHLLBBH", 20, 0x102, 5, 1, 0, 0, 0, 0))
    error = struct.unpack_from("=i", netfilter.recv(4096), 16)[0]
    assert error == 0, error
"""


def forget_connections(lab):
    """The customer's gateway knows no connection any more, and so translates those that go on as its rules now say."""
    lab.topology.execute("a", sys.executable, "-c", _FORGET)


def lan_behind(*also):
    """A host of its own behind the customer's gateway, 10.1.0.130, pings the cloud five times a second until the lab ends, and `also`."""
    def action(lab):
        gateway = lab.topology.name("a")
        host = gateway + "-lan"
        netns.create(host)
        lab.on_close(lambda: netns.delete(host))
        netns.ip_batch(gateway, [f"link add lan type veth peer name lan netns {host}", f"addr del {INNER[4]['a']}/24 dev lo",
                                f"addr add {INNER[4]['a']}/24 dev lan", "link set lan up"])
        netns.ip_batch(host, ["link set lo up", "addr add 10.1.0.130/24 dev lan", "link set lan up", f"route add default via {INNER[4]['a']}"])
        for target in (INNER[4]["b"], *also):
            ping = Process(["ip", "netns", "exec", host, "ping", "-q", "-i", "0.2", target], os.path.join(lab.folder, f"lan-behind-{target}.out"))
            lab.on_close(ping.kill)
    return action


def forwarding(on):
    return lambda lab: lab.topology.execute("a", "sysctl", "-q", "-w", f"net.ipv4.ip_forward={int(on)}")


def filtered(*rules):
    """The packet filter of the customer's gateway, for what it forwards."""
    lines = "\n".join(rules)
    return lambda lab: lab.topology.execute("a", "nft", "-f", "-", stdin=f"""
        table inet site
        delete table inet site
        table inet site {{ chain forward {{ type filter hook forward priority 0
        {lines}
        }}
        }}
        """)


def unfiltered():
    return lambda lab: lab.topology.execute("a", "nft", "delete", "table", "inet", "site")


def reverse_path(strict):
    """What this machine sends into the tunnel bears a mark, and by that finds its way; the way back, without one, leads elsewhere."""
    def action(lab):
        name, far = lab.topology.name("a"), SUBNET[4]["b"]
        if strict:
            lab.topology.execute("a", "nft", "-f", "-", stdin=f"""
                table ip marks {{ chain out {{ type route hook output priority -150; ip daddr {far} meta mark set 7
                }}
                }}
                """)
            netns.ip_batch(name, ["rule add pref 50 fwmark 7 lookup 220", f"rule add pref 60 to {far} lookup 100",
                                  f"route add default via 192.0.2.1 dev wan src {INNER[4]['a']} table 100"])
        else:
            netns.ip_batch(name, ["rule del pref 60", "rule del pref 50", "route flush table 100"])
            lab.topology.execute("a", "nft", "delete", "table", "ip", "marks")
        lab.topology.execute("a", "sysctl", "-q", "-w", "net.ipv4.conf.all.rp_filter=0", f"net.ipv4.conf.ipsec0.rp_filter={int(strict)}")
    return action


def strict_tunnel():
    return lambda lab: lab.topology.execute("a", "sysctl", "-q", "-w", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.ipsec0.rp_filter=1")


def leak(translated):
    """Its traffic takes the way to the internet instead of the tunnel, behind the gateway's address or as it is."""
    def action(lab):
        name, far = lab.topology.name("a"), SUBNET[4]["b"]
        if translated:
            lab.topology.execute("a", "nft", "-f", "-", stdin=f"""
                table ip leak {{ chain post {{ type nat hook postrouting priority srcnat; oifname wan ip daddr {far} masquerade
                }}
                }}
                """)
        # Neither the daemon's table (220) nor the lab's own stop of clear traffic is asked.
        netns.ip_batch(name, [f"rule add pref 100 from {LAN_HOST} to {far} lookup 100",
                              "route add default via 192.0.2.1 dev wan table 100"])
    return action


def mend_leak():
    def action(lab):
        netns.ip_batch(lab.topology.name("a"), ["rule del pref 100", "route flush table 100"])
        lab.topology.execute("a", "nft", "flush", "ruleset")
        forget_connections(lab)
    return action


def cloud_hosts(*addresses):
    """More hosts behind the peer, which answer pings."""
    return lambda lab: netns.ip_batch(lab.topology.name("b"), [f"addr add {address}/32 dev lo" for address in addresses])


def cloud_drops(match):
    """A filter in the cloud: what fits is dropped behind the peer's gateway."""
    return lambda lab: lab.topology.execute("b", "nft", "-f", "-", stdin=f"""
        table ip cloud {{ chain inner {{ type filter hook input priority 0; {match} drop
        }}
        }}
        """)


def cloud_passes():
    return lambda lab: lab.topology.execute("b", "nft", "flush", "ruleset")


def tunnel_address(role, address):
    """The tunnel's own interface of this end has the address."""
    return lambda lab: netns.ip_batch(lab.topology.name(role), [f"addr add {address}/32 dev ipsec0"])


def no_tunnel_address(role, address):
    return lambda lab: netns.ip_batch(lab.topology.name(role), [f"addr del {address}/32 dev ipsec0"])


def peer_pings(source, target):
    """The peer's liveness test of a static route (NQA): twice a second until the lab ends."""
    def action(lab):
        ping = Process(["ip", "netns", "exec", lab.topology.name("b"), "ping", "-q", "-i", "0.5", "-I", source, target],
                       os.path.join(lab.folder, "nqa.out"))
        lab.on_close(ping.kill)
    return action


def other_line():
    """The customer's packets to the peer take its second line, under the address of the first."""
    return lambda lab: netns.ip_batch(lab.topology.name("a"),
                                      [f"route replace {OUTER[4]['b']} via 192.0.3.1 dev wan2 src {OUTER[4]['a']}"])


def first_line():
    return lambda lab: netns.ip_batch(lab.topology.name("a"), [f"route del {OUTER[4]['b']}"])


def back_by_other_line():
    """The peer's packets take it too."""
    return lambda lab: netns.ip_batch(lab.topology.name("r"), [f"route replace {OUTER[4]['a']} via 192.0.3.10 dev ra2"])


_FLOOD = """
import socket, time
to = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
to.bind(("{source}", 0))
due = time.monotonic()
while True:
    to.sendto(bytes(900), ("{target}", 9))
    due += 1 / {packets}
    time.sleep(max(0, due - time.monotonic()))
"""


def flood(role, packets):
    """Its hosts send the other side this many packets of 900 bytes a second."""
    def action(lab):
        program = _FLOOD.format(source=INNER[4][role], target=INNER[4]["a" if role == "b" else "b"], packets=packets)
        lab.flood = Process(["ip", "netns", "exec", lab.topology.name(role), "python3", "-c", program], os.path.join(lab.folder, "flood.out"))
        lab.on_close(lab.flood.kill)
    return action


def full_line(role, rate, packets, queue="6kb"):
    """The line of a, or the gateway of b, carries no more than `rate`, and its hosts send more than that. A short queue loses what is
    large and lets pings through; a long one makes all wait."""
    def action(lab):
        lab.topology.execute(role, "tc", "qdisc", "add", "dev", "wan", "root", "tbf", "rate", rate, "burst", "4kb", "limit", queue)
        flood(role, packets)(lab)
    return action


def full_gateway(rate, packets):
    return full_line("b", rate, packets)


def line_at_ease(role):
    def action(lab):
        lab.flood.kill()
        lab.topology.execute(role, "tc", "qdisc", "del", "dev", "wan", "root")
    return action


def gateway_at_ease():
    return line_at_ease("b")
