#pragma once

#include <string>
#include <string_view>

namespace tunnelwatch::bundle {

// The text without what may be a secret, "<removed>" in its place, whatever it is: YAML, JSON, a log, headers. Removed
// are the values of keys that are called like a secret (psk, password, secret, token, key, credential, authorization,
// cookie and the like, also within longer names), with everything below them; what stands before the @ of a URL; what
// follows "Bearer" or "Basic"; and keys in PEM. Too much is removed rather than too little. Pure.
std::string without_secrets(std::string_view text);

// Whether a key of this name holds a secret.
bool is_secret_name(std::string_view name);

}  // namespace tunnelwatch::bundle
