"""strongSwan's files, rendered from nested dicts: a base that works and, for each scenario, what differs."""

import copy

from lab.topology import OUTER, SUBNET

ID = {"a": "a.example", "b": "b.example"}
SECRET = "one secret for both ends"
_PLUGINS = ("random nonce aes sha1 sha2 md5 hmac kdf pem pkcs1 pkcs8 x509 pubkey constraints gmp curve25519 openssl gcm ccm ctr "
            "chapoly kernel-libipsec kernel-netlink socket-default vici updown eap-identity eap-md5 eap-mschapv2 xauth-generic "
            "counters error-notify")  # kernel-libipsec before kernel-netlink: ESP in user space, no module needed


def daemon(folder):
    """strongswan.conf: short retransmissions, so that a daemon gives up within a scenario."""
    return {
        "charon-systemd": {
            "load": _PLUGINS, "retransmit_timeout": 1, "retransmit_base": 1.5, "retransmit_tries": 3,
            "plugins": {"vici": {"socket": f"unix://{folder}/charon.vici"},
                        "error-notify": {"socket": f"unix://{folder}/charon.enfy"}},
            "journal": {"default": -1},
            "filelog": {"main": {"path": f"{folder}/charon.log", "time_format": "%H:%M:%S", "time_add_ms": "yes",
                                 "ike_name": "yes", "default": 1, "ike": 2, "net": 2, "cfg": 2, "flush_line": "yes"}},
        },
        "swanctl": {"load": "random nonce pem pkcs1 pkcs8 x509 pubkey openssl"},
    }


def connection(role, family):
    """swanctl.conf of one end: IKEv2, a pre-shared key, one pair of subnets."""
    far = "b" if role == "a" else "a"
    return {
        "connections": {"tun": {
            "version": 2,
            "local_addrs": OUTER[family][role],
            "remote_addrs": OUTER[family][far],
            "proposals": "aes256-sha256-modp2048",
            "local": {"auth": "psk", "id": ID[role]},
            "remote": {"auth": "psk", "id": ID[far]},
            "children": {"net": {
                "local_ts": SUBNET[family][role],
                "remote_ts": SUBNET[family][far],
                "esp_proposals": "aes256-sha256",
            }},
        }},
        "secrets": {"ike-1": {"secret": f'"{SECRET}"'}},
    }


def overridden(base, overrides):
    """A copy of `base` with {'connections/tun/version': 1} applied; None removes a key or section."""
    result = copy.deepcopy(base)
    for path, value in overrides.items():
        *sections, key = path.split("/")
        at = result
        for section in sections:
            at = at.setdefault(section, {})
        if value is None:
            at.pop(key, None)
        else:
            at[key] = value
    return result


def render(tree, depth=0):
    """One setting a line, as the parser wants it."""
    indent = "  " * depth
    lines = []
    for key, value in tree.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key} {{", render(value, depth + 1), f"{indent}}}"]
        else:
            lines.append(f"{indent}{key} = {value}")
    return "\n".join(line for line in lines if line)
