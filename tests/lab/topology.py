"""Customer a, router r, cloud b, and what can go wrong between them.

    a 192.0.2.10 (wan) --- (ra) r (rb) --- (wan) 198.51.100.20 b        inner 10.1.0.1/24 at a, 10.2.0.1/24 at b
      2001:db8:a::10                             2001:db8:b::20               fd01::1/64           fd02::1/64

r also holds the reference address: nothing that a lab sends ever leaves its namespaces. A lab of several routers has
r2, r3, ... between r and b, each with ra towards a and rb towards b: 10.99.N.1 and 10.99.N.2, 2001:db8:99:N::1 and ::2
on the link behind the N-th router.
"""

import contextlib

from lab import netns
from lab.shell import wait_until

REFERENCE = {4: "203.0.113.1", 6: "2001:db8:ffff::1"}
OUTER = {4: {"a": "192.0.2.10", "b": "198.51.100.20"}, 6: {"a": "2001:db8:a::10", "b": "2001:db8:b::20"}}
INNER = {4: {"a": "10.1.0.1", "b": "10.2.0.1"}, 6: {"a": "fd01::1", "b": "fd02::1"}}
SUBNET = {4: {"a": "10.1.0.0/24", "b": "10.2.0.0/24"}, 6: {"a": "fd01::/64", "b": "fd02::/64"}}

_QUIET = ["net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0", "net.ipv4.conf.all.rp_filter=0",
          "net.ipv4.conf.default.rp_filter=0", "net.ipv6.conf.default.accept_dad=0"]
_FORWARD = ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]

# The chains that faults are put into. `early` sees fragments before they are reassembled, and what r itself answers.
_CHAINS = """
table inet faults {
  chain early { type filter hook prerouting priority -450; }
  chain forward { type filter hook forward priority 0; }
}
"""


class Topology:
    def __init__(self, tag, routers=1):
        self._routers = ["r"] + [f"r{number}" for number in range(2, routers + 1)]
        self._names = {role: f"{tag}-{role}" for role in ("a", *self._routers, "b")}
        for name in self._names.values():
            netns.create(name)
        self._links()
        self._end("a", "ra", "192.0.2", "2001:db8:a", far="b")
        self._end("b", "rb", "198.51.100", "2001:db8:b", far="a")
        self._chain()
        self.clear_faults()

    def name(self, role):
        return self._names[role]

    def execute(self, role, *command, **options):
        return netns.execute(self.name(role), *command, **options)

    def delete(self):
        for name in self._names.values():
            with contextlib.suppress(Exception):
                netns.delete(name)

    def warm_up(self, family):
        """Waits until both ends answer each other: the first packets of a fresh link wait for neighbour discovery."""
        for role, far in (("a", OUTER[family]["b"]), ("a", REFERENCE[family]), ("b", OUTER[family]["a"])):
            wait_until(lambda: "1 received" in self.execute(role, "ping", "-q", "-c", "1", "-W", "0.3", far, check=False), 5,  # noqa: B023
                       f"an answer of {far} to {role}")

    # --- faults, in r where nothing else is said

    def fault(self, *rules, chain="forward", router="r"):
        """Adds nftables rules: `chain` is forward, or early for what must also hit the router's own addresses."""
        for rule in rules:
            self.execute(router, "nft", f"add rule inet faults {chain} {rule}")

    def clear_faults(self):
        for router in self._routers:
            self.execute(router, "nft", "-f", "-", stdin="flush ruleset\n" + _CHAINS)

    def translate(self):
        """The customer sits behind a translating router from now on."""
        self._nat("oifname rb masquerade")

    def translate_peer(self):
        """The peer sits behind a router that forwards its address: a sees another address than b knows of itself."""
        self._nat("oifname ra ip saddr 198.51.100.20 snat to 198.51.100.99")
        self._nat("iifname ra ip daddr 198.51.100.99 dnat to 198.51.100.20", hook="prerouting")

    def _nat(self, rule, hook="postrouting"):
        priority = {"postrouting": "srcnat", "prerouting": "dstnat"}[hook]
        self.execute("r", "nft", "-f", "-", stdin=f"""
            table ip translation {{ chain {hook} {{ type nat hook {hook} priority {priority}; {rule}
            }}
            }}
            """)

    def second_line(self):
        """Another line of the customer's to the router, which nothing uses yet: wan2, 192.0.3.10."""
        netns.ip_batch(self.name("r"), [f"link add ra2 type veth peer name wan2 netns {self.name('a')}",
                                        "addr add 192.0.3.1/24 dev ra2", "link set ra2 up"])
        netns.ip_batch(self.name("a"), ["addr add 192.0.3.10/24 dev wan2", "link set wan2 up"])

    def link(self, role, state):
        """Takes the wan of a or b up or down."""
        netns.ip_batch(self.name(role), [f"link set wan {state}"])
        if state == "up":
            netns.ip_batch(self.name(role), self._default_routes(role))

    # --- how it is put together

    def _links(self):
        r = self.name("r")
        for role, router in (("a", r), ("b", self.name(self._routers[-1]))):
            netns.ip_batch(router, [f"link add r{role} type veth peer name wan netns {self.name(role)}"])
        for role in self._names:
            settings = _QUIET + (_FORWARD if role in self._routers else [])
            self.execute(role, "sysctl", "-q", "-w", *settings)
        netns.ip_batch(r, ["link set lo up", f"addr add {REFERENCE[4]}/32 dev lo", f"addr add {REFERENCE[6]}/128 dev lo nodad"])

    def _end(self, role, router_port, net4, net6, far):
        router = self.name("r" if role == "a" else self._routers[-1])
        netns.ip_batch(router, [f"addr add {net4}.1/24 dev {router_port}",
                                f"addr add {net6}::1/64 dev {router_port} nodad",
                                f"link set {router_port} up"])
        netns.ip_batch(self.name(role), [
            f"addr add {OUTER[4][role]}/24 dev wan", f"addr add {OUTER[6][role]}/64 dev wan nodad",
            "link set lo up", "link set wan up",
            f"addr add {INNER[4][role]}/24 dev lo", f"addr add {INNER[6][role]}/64 dev lo nodad",
            *self._default_routes(role),
            # Without the tunnel, traffic for the other side ends here and never goes out in clear.
            f"route add blackhole {SUBNET[4][far]}", f"route add blackhole {SUBNET[6][far]}"])

    def _chain(self):
        """The links between routers, and the routes along them."""
        for number, (near, far) in enumerate(zip(self._routers, self._routers[1:]), 1):
            net4, net6 = f"10.99.{number}", f"2001:db8:99:{number}"
            netns.ip_batch(self.name(near), [
                f"link add rb type veth peer name ra netns {self.name(far)}",
                f"addr add {net4}.1/24 dev rb", f"addr add {net6}::1/64 dev rb nodad", "link set rb up"])
            netns.ip_batch(self.name(far), [
                "link set lo up", f"addr add {net4}.2/24 dev ra", f"addr add {net6}::2/64 dev ra nodad", "link set ra up",
                f"route add default via {net4}.1", f"route add default via {net6}::1"])
            netns.ip_batch(self.name(near), [f"route add 198.51.100.0/24 via {net4}.2", f"route add 2001:db8:b::/64 via {net6}::2"])

    @staticmethod
    def _default_routes(role):
        gateway4, gateway6 = {"a": ("192.0.2.1", "2001:db8:a::1"), "b": ("198.51.100.1", "2001:db8:b::1")}[role]
        return [f"route replace default via {gateway4} dev wan", f"route replace default via {gateway6} dev wan"]
