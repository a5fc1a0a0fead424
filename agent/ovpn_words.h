#pragma once

#include "agent/ovpn_check.h"

#include <string_view>

// The sentences of a profile's check, in English and Chinese. Untrusted text in them is made printable.
namespace tunnelwatch::agent {

exporters::Text problem_words(const host::OvpnProblem& problem);

// What is wrong with something that the profile holds or names: `name` is the option's.
exporters::Text absent_words(std::string_view name);
exporters::Text empty_words(const host::OvpnMaterial& material, std::string_view name);
exporters::Text unreadable_words(const host::OvpnMaterial& material, std::string_view name);
exporters::Text foreign_words(const host::OvpnMaterial& material, std::string_view name, std::string_view expected);
exporters::Text damaged_words(const host::OvpnMaterial& material, std::string_view name);
exporters::Text swapped_words(std::string_view name, bool holds_key);

// Of a certificate of the block `name`; `of_server`: it came from the server.
exporters::Text not_yet_words(std::string_view name, const std::string& subject, WallTime not_before);
exporters::Text expired_words(std::string_view name, const std::string& subject, WallTime not_after);
exporters::Text soon_words(std::string_view name, const std::string& subject, WallTime not_after, WallTime now);

// "2027-03-01 12:00 UTC"
std::string date_words(WallTime time);

}  // namespace tunnelwatch::agent
