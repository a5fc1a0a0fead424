"""More of the same on other suites, modes and authentication methods: run with --all."""

from lab.lab import Setup
from lab.scenario import ANSWERED, Scenario, attempt, change, half_open, initiate, command, pause, restore, steps, terminate
from lab.scenarios import AUTHENTICATION, ESP, NO_CONNECTION, P1, PHASE2, REKEYING, PFS, UNANSWERED, V1, healthy, refused

TUN = "connections/tun/"


def certificates(a="a.pem", trusted_by_b="authority.pem", **more):
    both = {"local/auth": "pubkey", "remote/auth": "pubkey"}
    return Setup(both={**{TUN + key: value for key, value in both.items()}, "secrets": {}, **more},
                 a={TUN + "local/certs": a}, b={TUN + "local/certs": "b.pem"},
                 credentials=(("a", "x509", a), ("a", "private", "a.key"), ("a", "x509ca", "authority.pem"),
                              ("b", "x509", "b.pem"), ("b", "private", "b.key"), ("b", "x509ca", trusted_by_b)))


def fails(name, expect, beside, setup, **more):
    """Wrong from the start: nothing to repair, the verdict alone is asked for."""
    return Scenario(name, expect, beside, setup, starts_up=False, fault=steps(attempt()), **more)


AGGRESSIVE = {"charon-systemd/i_dont_care_about_security_and_use_aggressive_mode_psk": "yes"}
USER = {"secret": '"a password"', "id": "user"}
EAP = Setup(a={TUN + "local": {"auth": "eap-mschapv2", "eap_id": "user", "id": "a.example"}, "secrets/eap-1": USER},
            b={TUN + "remote": {"auth": "eap-mschapv2", "eap_id": "%any"}, "secrets/eap-1": USER})
XAUTH_A = {TUN + "local": None, TUN + "local-1": {"auth": "psk", "id": "a.example"},
           TUN + "local-2": {"auth": "xauth", "xauth_id": "user"}, "secrets/xauth-1": USER}
XAUTH_B = {TUN + "remote": None, TUN + "remote-1": {"auth": "psk", "id": "a.example"}, TUN + "remote-2": {"auth": "xauth"},
           "secrets/xauth-1": USER}
WRONG_PASSWORD = {**USER, "secret": '"a wrong one"'}
GCM = {P1: "aes256gcm16-prfsha384-ecp384", ESP: "aes256gcm16"}
TWO_CHILDREN = {TUN + "children/second": {"local_ts": "10.1.0.1/32", "remote_ts": "10.2.0.1/32", "esp_proposals": "aes256-sha256"}}
TWO_CHILDREN_B = {TUN + "children/second": {"local_ts": "10.2.0.1/32", "remote_ts": "10.1.0.1/32", "esp_proposals": "aes256-sha256"}}

SUITES = [
    healthy("healthy-gcm", Setup(both=GCM)),
    healthy("healthy-chacha20", Setup(both={P1: "chacha20poly1305-prfsha256-x25519", ESP: "chacha20poly1305"})),
    healthy("healthy-sha512-modp4096", Setup(both={P1: "aes256-sha512-modp4096", ESP: "aes256-sha512"})),
    healthy("healthy-aes128-sha1-modp1024", Setup(both={P1: "aes128-sha1-modp1024", ESP: "aes128-sha1"})),
    healthy("healthy-sha384-ecp384", Setup(both={P1: "aes192-sha384-ecp384", ESP: "aes192-sha384"})),
    healthy("healthy-gcm-rekey", Setup(a=REKEYING, both={**GCM, ESP: "aes256gcm16-ecp384"}), watch=16),
    refused("v2-psk-mismatch-chacha20", ("authentication_fail",), AUTHENTICATION, "b", "secrets/ike-1/secret", '"another secret"',
            Setup(both={P1: "chacha20poly1305-prfsha256-x25519", ESP: "chacha20poly1305"})),
    refused("v2-psk-mismatch-sha512", ("authentication_fail",), AUTHENTICATION, "b", "secrets/ike-1/secret", '"another secret"',
            Setup(both={P1: "aes256-sha512-modp2048", ESP: "aes256-sha512"})),
    refused("v2-esp-proposal-mismatch-chacha20", ("phase2_proposal_or_pfs_mismatch", *PHASE2), PHASE2, "b", ESP, "aes128-sha1",
            Setup(both={P1: "chacha20poly1305-prfsha256-x25519", ESP: "chacha20poly1305"}), note="either"),
    refused("v2-ts-mismatch-sha512", ("phase2_proposal_or_pfs_mismatch", *PHASE2), PHASE2, "b", TUN + "children/net/local_ts",
            "10.9.0.0/24", Setup(both={P1: "aes256-sha512-modp2048", ESP: "aes256-sha512"}), note="either"),
    Scenario("v2-pfs-mismatch-at-rekey-gcm", ("phase2_proposal_or_pfs_mismatch",), ("rekey_fail",),
             Setup(both=GCM, a={ESP: "aes256gcm16-ecp384"}), start=steps(initiate()), fault=steps(command("a", "--rekey", "--child", "net")),
             repair=steps(change("b", ESP, "aes256gcm16-ecp384"), terminate(), initiate(), command("a", "--rekey", "--child", "net"))),
    Scenario("v1-pfs-mismatch-at-rekey", ("phase2_proposal_or_pfs_mismatch",), ("rekey_fail", *PHASE2), Setup(version=1, a=PFS),
             starts_up=False, fault=steps(attempt()), repair=steps(change("b", ESP, PFS[ESP]), initiate())),
]

AUTH = [
    healthy("healthy-certificates", certificates(), note="IKE fragments"),
    healthy("healthy-certificates-ip-fragments", certificates(**{TUN + "fragmentation": "no"}), note="IP fragments"),
    healthy("healthy-v1-certificates", Setup(**{**vars(certificates()), "version": 1})),
    healthy("healthy-eap", EAP),
    healthy("healthy-v1-xauth", Setup(version=1, a=XAUTH_A, b=XAUTH_B)),
    healthy("healthy-v1-aggressive", Setup(version=1, both={TUN + "aggressive": "yes"}, daemon=AGGRESSIVE)),
    fails("v2-certificate-untrusted", ("authentication_fail",), AUTHENTICATION, certificates(trusted_by_b="other.pem")),
    fails("v2-certificate-expired", ("authentication_fail",), AUTHENTICATION, certificates(a="a-expired.pem")),
    fails("v2-eap-fail", ("eap_authentication_fail", "authentication_fail"), ("eap_authentication_fail", "authentication_fail", *AUTHENTICATION),
          Setup(a={**EAP.a, "secrets/eap-1": WRONG_PASSWORD}, b=EAP.b), within=4, hold=5, note="either"),
    fails("v1-xauth-fail", ("xauth_authentication_fail", "authentication_fail"), ("xauth_authentication_fail", "authentication_fail"),
          Setup(version=1, a={**XAUTH_A, "secrets/xauth-1": WRONG_PASSWORD}, b=XAUTH_B), within=4, hold=5, note="either"),
    fails("v1-aggressive-psk-mismatch", ("authentication_fail",), AUTHENTICATION,
          Setup(version=1, both={TUN + "aggressive": "yes"}, daemon=AGGRESSIVE, b={"secrets/ike-1/secret": '"another secret"'}), hold=6),
    fails("v1-aggressive-proposal-mismatch", ("phase1_proposal_mismatch",), (),
          Setup(version=1, both={TUN + "aggressive": "yes"}, daemon=AGGRESSIVE, b={P1: "aes128-sha1-modp2048"})),
    refused("v1-main-id-mismatch", ("authentication_fail", "config_id_mismatch", "exchange_mode_mismatch"),
            ("authentication_fail", "config_id_mismatch", "exchange_mode_mismatch"), "b", TUN + "remote/id", "other.example", V1,
            note="any of these first", within=1 + ANSWERED, hold=6),
]

SHAPES = [
    healthy("healthy-two-children", Setup(a=TWO_CHILDREN, b=TWO_CHILDREN_B), start=steps(initiate(), initiate(child="second"))),
    healthy("healthy-v1-two-children", Setup(version=1, a=TWO_CHILDREN, b=TWO_CHILDREN_B), start=steps(initiate(), initiate(child="second"))),
    healthy("healthy-make-before-break", Setup(daemon={"charon-systemd/make_before_break": "yes"},
            a={TUN + "reauth_time": "5s", TUN + "over_time": "4s", TUN + "rand_time": "0s"}), watch=12, note="make before break"),
    healthy("healthy-without-mobike", Setup(both={TUN + "mobike": "no"})),
    healthy("healthy-childless", Setup(both={TUN + "childless": "force"}), note="the child comes in CREATE_CHILD_SA"),
    healthy("healthy-peer-nat", Setup(nat="peer", peer="198.51.100.99", a={TUN + "remote_addrs": "198.51.100.99"})),
    healthy("healthy-simultaneous-rekey", Setup(both=PFS), watch=4,
            start=steps(initiate(), pause(0.3), lambda lab: _rekey_both(lab), pause(1), lambda lab: _rekey_both(lab, "--ike", "tun"))),
    healthy("healthy-v1-peer-initiates", V1, start=steps(initiate("b"))),
    healthy("healthy-peer-rekeys", Setup(b=REKEYING, both=PFS), watch=12),
    healthy("healthy-customer-deletes", start=steps(initiate(), terminate(), initiate()), note="an orderly delete of our own, then up again"),
    healthy("healthy-cookie", Setup(daemon_b={"charon-systemd/cookie_threshold": 5, "charon-systemd/cookie_threshold_ip": 3,
                                              "charon-systemd/block_threshold": 100}),
            start=steps(half_open(8), initiate()), beside=("first_packet_limited", "exchange_timeout", "ike_port_4500_blocked"),
            note="the half-open attempts before it are real faults of their own"),
    Scenario("v2-block-threshold", ("exchange_timeout", *UNANSWERED), (*UNANSWERED, "ike_port_4500_blocked"),
             Setup(daemon_b={"charon-systemd/block_threshold": 3, "charon-systemd/cookie_threshold": 0, "charon-systemd/cookie_threshold_ip": 0}),
             starts_up=False, fault=steps(half_open(8), attempt()), within=8, hold=9, note="any"),
    Scenario("v1-peer-deletes-ike", ("peer_request",), (), V1, start=steps(initiate()), fault=steps(terminate("b")),
             repair=steps(initiate()), note="what an encrypted v1 INFORMATIONAL says cannot be seen, what follows can"),
    fails("v2-init-to-v1-only", ("phase1_proposal_mismatch", *NO_CONNECTION), ("phase1_proposal_mismatch", *NO_CONNECTION),
          Setup(b={TUN + "version": 1}), note="any of these first"),
    fails("v1-init-to-v2-only", ("phase1_proposal_mismatch", *NO_CONNECTION), ("phase1_proposal_mismatch", *NO_CONNECTION),
          Setup(version=1, b={TUN + "version": 2}), note="any of these first"),
    Scenario("v2-peer-initiates-psk-mismatch", ("authentication_fail",), (*AUTHENTICATION, "peer_request"), start=steps(initiate("b"), terminate("b")),
             starts_up=False, fault=steps(change("b", "secrets/ike-1/secret", '"another secret"'), attempt(role="b")),
             repair=steps(restore(), initiate("b")), note="we refuse the peer"),
    Scenario("v2-peer-initiates-proposal-mismatch", ("phase1_proposal_mismatch",), ("responder_dh_mismatch", "initiator_dh_mismatch", "peer_request"),
             start=steps(initiate("b"), terminate("b")), starts_up=False,
             fault=steps(change("b", P1, "aes128-sha1-modp2048"), attempt(role="b")),
             repair=steps(restore(), initiate("b")), note="we refuse the peer's offer"),
]


def _rekey_both(lab, *what):
    for role in "ab":
        lab.gateway(role).attempt_command("--rekey", *(what or ("--child", "net")))


VARIANTS = SUITES + AUTH + SHAPES
