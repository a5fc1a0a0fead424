"""Scenarios of chapter 3 of the guide: a real OpenVPN client in the customer's gateway, followed by its log, its interface, its
routes and the hosts inside; and `tunnelwatch check-ovpn`, with the client's own profile and with the real server."""

import json
import time

from lab.inner import cloud_drops, cloud_hosts, cloud_passes
from lab.host_scenarios import at_customer
from lab.lab import Setup
from lab.openvpn import HOST_BEHIND, PORT, SERVER_INSIDE, SUBNET_BEHIND, connect, disconnect, end_server, profile, said, serve
from lab.path_scenarios import command, must
from lab.scenario import SILENT, Scenario, clear_faults, fault, steps
from lab.shell import wait_until

WITHIN = 6.0  # a client starts, fails, and says so
CLEARS = 6.0  # it connects, and a host inside answers
_TUNNEL = {"kind": "openvpn", "tunnel_interface": "tun0", "local_subnets": [], "remote_subnets": [SUBNET_BEHIND], "inner_hosts": [HOST_BEHIND],
           "remote_tunnel_address": SERVER_INSIDE}
_LOGS = {"logs": {"files": ["{folder}/openvpn/client.log"]}}
CLIENT_SETUP = Setup(ipsec=False, agent=_LOGS, tunnel=_TUNNEL)
FAST = Setup(ipsec=False, agent={**_LOGS, "probes": {"icmp": {"interval": "100ms", "timeout": "80ms"}}, "loss": {"window": "10s"}}, tunnel=_TUNNEL)
START = steps(cloud_hosts(HOST_BEHIND), serve(), connect())


def says(text, seconds=5):
    """The client has said so in its log."""
    def action(lab):
        def told():
            try:
                said(lab, text)
            except Exception:  # not yet: the last look tells what it said instead
                return False
            return True
        try:
            wait_until(told, seconds, text, pause=0.05)
        except Exception:
            said(lab, text)
    return action


def checked(*causes, probe=True, options=(), status=None, **differs):
    """check-ovpn finds these causes that are no notices in such a profile, and no other, each at a line and with its sections."""
    def action(lab):
        path = profile(lab, "checked.ovpn", **differs)
        code, text, seconds = command(lab, "check-ovpn", "--json", *(["--probe"] if probe else []), *options, path)
        findings = [f for f in json.loads(text)["findings"] if f["severity"] != "notice"]
        must({f["cause"] for f in findings} == set(causes), f"check-ovpn found {findings}")
        must(all(f["line"] >= 1 and f["sections"] for f in findings), f"without a line or a section: {findings}")
        must(code == (status if status is not None else 1 if causes else 0), f"exit status {code}")
        must(seconds < 6, f"it took {seconds:.1f} s")
        must("PRIVATE KEY" not in text, "it shows a key")
    return action


def probed(outcome, *, meaning="", certificates=None, **differs):
    """The probe of the profile's server says so."""
    def action(lab):
        path = profile(lab, "probed.ovpn", **differs)
        _, text, _ = command(lab, "check-ovpn", "--json", "--probe", path)
        probe = json.loads(text)["servers"][0]["probe"]
        must(probe["outcome"] == outcome and meaning in probe["meaning"], f"the probe said {probe}")
        shown = [c["subject"] for c in probe.get("certificates", [])]
        must(certificates is None or shown[:1] == certificates, f"the server showed {shown}")
    return action


def fails(name, expect, beside, words, *, server=(), check=None, within=WITHIN, repair=(), **differs):
    """The client ends and starts anew with another profile, or at another server, and fails with these words; then all is as before."""
    return Scenario(name, expect, beside, CLIENT_SETUP, start=START, on_wire=False, recorded=False, within=within,
                    fault=steps(disconnect(), *server, connect(up=False, **differs), says(words), *((check,) if check else ())),
                    repair=repair or steps(disconnect(), serve(), connect()), clears_within=CLEARS)


ROWS = [
    fails("client-nobody-listens", ("client_cannot_reach_server",), (), "TCP: connect to [AF_INET]198.51.100.20:1194 failed: Connection refused",
          protocol="tcp", check=checked("client_cannot_reach_server", protocol="tcp")),
    fails("client-port-filtered", ("client_cannot_reach_server",), (), "TLS Error: TLS key negotiation failed to occur within",
          server=(fault("udp dport 1194 drop"),), check=checked("client_cannot_reach_server"), within=WITHIN + 5,
          repair=steps(disconnect(), clear_faults(), connect())),
    fails("client-ca-empty", ("client_ca_missing",), (), "Cannot load CA certificate file [[INLINE]]", ca="",
          check=checked("client_ca_missing", probe=False, ca="")),
    fails("client-certificate-empty", ("client_ca_missing",), (), "Cannot load inline certificate file", cert="",
          check=checked("client_ca_missing", probe=False, cert="")),
    fails("client-key-of-another", ("client_cert_key_mismatch",), (), "key values mismatch", key="server",
          check=checked("client_cert_key_mismatch", probe=False, key="server")),
    fails("client-certificate-damaged", ("client_cert_key_mismatch",), (), "asn1 encoding routines::wrong tag", cert="damaged",
          check=checked("client_cert_key_mismatch", probe=False, cert="damaged")),
    fails("server-certificate-without-eku", ("server_cert_without_eku",), (), "certificate verify failed",
          server=(serve(certificate="plain"),), check=checked("server_cert_without_eku")),
    fails("client-certificate-of-another-ca", ("client_tls_handshake_failed",), (), "TLS Error: TLS handshake failed", cert="stranger", key="stranger",
          check=checked("client_tls_handshake_failed", cert="stranger", key="stranger")),
    fails("client-wrong-password", ("client_auth_failed",), (), "AUTH: Received control message: AUTH_FAILED", server=(serve(login="secret"),),
          lines=("<auth-user-pass>", "user", "wrong", "</auth-user-pass>")),
    Scenario("client-route-missing", ("client_route_missing",), setup=CLIENT_SETUP, start=START, on_wire=False, recorded=False,
             fault=steps(at_customer(f"route del {SUBNET_BEHIND}")), within=9.0, clears_within=CLEARS,
             repair=steps(at_customer(f"route add {SUBNET_BEHIND} via {SERVER_INSIDE} dev tun0"))),
    Scenario("client-ping-blocked", ("client_ping_blocked",), setup=CLIENT_SETUP, start=START, on_wire=False, recorded=False,
             fault=steps(cloud_drops(f"ip daddr {HOST_BEHIND}")), within=SILENT + 2, repair=steps(cloud_passes()), clears_within=CLEARS,
             note="the server's own address inside answers"),
    Scenario("client-loss", ("client_loss",), (), FAST, start=START, on_wire=False, recorded=False,
             fault=steps(fault("udp dport 1194 numgen inc mod 5 == 0 drop")), within=10 + SILENT, repair=steps(clear_faults()), clears_within=13,
             note="every fifth packet of the tunnel's, and nothing else"),
]

OLD_CLIENT = ("Options error: Unrecognized option or missing or extra parameter(s) in client_config.ovpn:5: disable-dco "
              "(2.5.9)")


def old_client_says(lab):
    """A client before 2.6 cannot be had here: these are its words."""
    with open(f"{lab.folder}/openvpn/client.log", "a") as file:
        file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {OLD_CLIENT}\n")


OTHERS = [
    Scenario("client-before-2.6", ("client_option_disable_dco",), setup=CLIENT_SETUP, start=START, on_wire=False, recorded=False, within=WITHIN,
             fault=steps(disconnect(), old_client_says,
                         checked("client_option_disable_dco", options=("--client-version", "2.5"), lines=("disable-dco",))),
             repair=steps(connect(lines=("disable-dco",)), checked(options=("--client-version", "2.6"), lines=("disable-dco",))), clears_within=CLEARS,
             note="the real client, of 2.6, connects with the same profile"),
    Scenario("healthy-client", setup=CLIENT_SETUP, watch=5, on_wire=False,
             start=steps(*START, checked(), probed("answered", certificates=["CN=server"]))),
    Scenario("healthy-client-password", setup=CLIENT_SETUP, watch=3, on_wire=False,
             start=steps(cloud_hosts(HOST_BEHIND), serve(login="secret"), connect(lines=("<auth-user-pass>", "user", "secret", "</auth-user-pass>")))),
    Scenario("healthy-client-reconnects", setup=CLIENT_SETUP, watch=4, on_wire=False, start=steps(*START, disconnect(), connect()),
             note="an orderly end and a new beginning"),
]

# A server for each way to protect the control channel, each on a port of its own.
AUTH, CRYPT, COOKIE, V2, TCP, OLD_TLS = range(PORT + 1, PORT + 7)
KEYED = (("tls-crypt", "static.key"),)
PROBES = [
    Scenario("check-ovpn-protected", setup=CLIENT_SETUP, starts_up=False, on_wire=False, start=steps(
        serve("--tls-auth", "{keys}/static.key", "0", "--auth", "SHA256", port=AUTH),
        probed("answered", certificates=["CN=server"], port=AUTH, blocks=(("tls-auth", "static.key"),), lines=("auth SHA256", "key-direction 1")),
        serve("--tls-crypt", "{keys}/static.key", port=CRYPT, protocol="tcp"),
        probed("answered", certificates=["CN=server"], port=CRYPT, protocol="tcp", blocks=KEYED),
        probed("closed", meaning="silent by design", port=CRYPT, protocol="tcp"),
        serve("--tls-crypt-v2", "{keys}/v2-server.key", "force-cookie", port=COOKIE),
        probed("answered", certificates=["CN=server"], port=COOKIE, blocks=(("tls-crypt-v2", "v2-client.key"),)),
        serve("--tls-crypt-v2", "{keys}/v2-server.key", port=V2),
        probed("answered", certificates=["CN=server"], port=V2, blocks=(("tls-crypt-v2", "v2-client.key"),)),
        serve(port=TCP, protocol="tcp"), probed("answered", certificates=["CN=server"], port=TCP, protocol="tcp"),
        probed("refused", meaning="nobody listens", port=TCP),
        serve("--tls-version-max", "1.2", port=OLD_TLS), probed("answered", certificates=["CN=server"], port=OLD_TLS)),
        note="each with the profile's key, and one without"),
    Scenario("check-ovpn-silent-by-design", setup=CLIENT_SETUP, starts_up=False, on_wire=False, start=steps(
        serve("--tls-crypt", "{keys}/static.key"),
        probed("silent", meaning="unknown; without the key of `tls-crypt` a server is silent by design", lines=("tls-crypt elsewhere.key",)))),
    Scenario("check-ovpn-expired", setup=CLIENT_SETUP, starts_up=False, on_wire=False, start=steps(
        serve(), checked("client_tls_handshake_failed", cert="old", key="old"), end_server())),
]

CLIENT = ROWS + OTHERS + PROBES
