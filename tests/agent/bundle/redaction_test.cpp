#include "agent/bundle/redaction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::bundle {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Row {
  const char* name;
  const char* text;
  const char* expected;
};

// The secret is always hidden-one, hidden-two, ...
TEST(Redaction, RemovesWhatIsASecret) {
  const Row rows[] = {
      {"YAML", "name: x\npsk: hidden-one # why\nremote: y\n", "name: x\npsk: <removed>\nremote: y\n"},
      {"YAML, quoted", "{password: 'hidden-one, it''s', name: x}", "{password: <removed>'s', name: x}"},
      {"YAML, a list's item", "- psk: hidden-one\n  name: x\n", "- psk: <removed>\n  name: x\n"},
      {"YAML, a block", "secret: |\n  hidden-one\n\n  hidden-two\nname: x\n", "secret: <removed>\nname: x\n"},
      {"YAML, a section", "secrets:\n  ike-1:\n    id: hidden-one\nname: x\n", "secrets:<removed>\nname: x\n"},
      {"YAML, a list", "tokens:\n- hidden-one\n- hidden-two\nname: x\n", "tokens:<removed>\nname: x\n"},
      {"YAML, lists in brackets", "keys: [[hidden-one], \"]\"] # c\nname: x", "keys: <removed> # c\nname: x"},
      {"JSON", R"({"token":"hidden-one\"hidden-two","name":"x"})", R"({"token":<removed>,"name":"x"})"},
      {"JSON, no text", R"({"api_key":5,"pin" : null,"name":"x"})",
       R"({"api_key":<removed>,"pin" : <removed>,"name":"x"})"},
      {"JSON, an object", R"({"credentials":{"a":"hidden-one}"},"name":"x"})",
       R"({"credentials":<removed>,"name":"x"})"},
      {"no JSON", "\"psk\": hidden-one, hidden-two\n", "\"psk\": <removed>\n"},
      {"a log", "level=info token=hidden-one hidden-two\nnext", "level=info token=<removed>\nnext"},
      {"a header", "Authorization: Digest hidden-one\r\n\r\nbody", "Authorization: <removed>\nbody"},
      {"a scheme", "curl -H 'X: bearer hidden-one' y", "curl -H 'X: bearer <removed>' y"},
      {"a URL", "get https://user:hidden-one@example.com/a@b", "get https://<removed>@example.com/a@b"},
      {"ipsec.secrets", "192.0.2.1 : PSK \"hidden-one\" # c\n", "192.0.2.1 : PSK <removed> # c\n"},
      {"PEM", "a\n-----BEGIN EC PRIVATE KEY-----\nhidden-one\n-----END EC PRIVATE KEY-----\nb", "a\n<removed>\nb"},
      {"PEM in JSON", "\"x\\n-----BEGIN PRIVATE KEY-----\\nhidden-one\\n-----END PRIVATE KEY-----\\n\"", nullptr},
      {"PEM, cut", "-----BEGIN OpenVPN Static KEY V1-----\nhidden-one", "<removed>"},
      {"nothing behind it", "password:", "password:<removed>"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string out = without_secrets(row.text);
    EXPECT_THAT(out, Not(HasSubstr("hidden")));
    if (row.expected != nullptr) {
      EXPECT_EQ(out, row.expected);
    }
  }
}

TEST(Redaction, LeavesWhatIsNone) {
  for (const char* text :
       {"tunnelwatch_cause_active{tunnel=\"cloud\",cause=\"psk_mismatch\"} 1\n",
        "psk_mismatch: The pre-shared keys differ\n", "remote: 198.51.100.20\nlocal_subnets: [10.1.0.0/24]\n",
        "tried 1 shared key for 'a' - 'b', but MAC mismatched\n",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "https://example.com/a@b?c=d",
        "{\"causes\":[{\"cause\":\"cookie_mismatch\",\"active\":true}]}", "monkey: 1\nbypass: x\n", "\xff\xfe: \x80\n",
        ""})
    EXPECT_EQ(without_secrets(text), text);
}

TEST(Redaction, NamesOfSecrets) {
  for (const char* name : {"psk",
                           "PSK",
                           "ike-psk",
                           "my_password",
                           "passwd",
                           "secretRef",
                           "client.secret",
                           "token",
                           "accessToken",
                           "private-key",
                           "PrivateKey",
                           "key",
                           "ssh_key",
                           "apiKey",
                           "credentials",
                           "authorization",
                           "Proxy-Authorization",
                           "cookie",
                           "set-cookie",
                           "webhook_url"})
    EXPECT_TRUE(is_secret_name(name)) << name;
  for (const char* name :
       {"", "psk_mismatch", "invalid_cookie", "remote", "keyboard", "monkey", "bypass", "pinned", "ike"})
    EXPECT_FALSE(is_secret_name(name)) << name;
}

}  // namespace
}  // namespace tunnelwatch::bundle
