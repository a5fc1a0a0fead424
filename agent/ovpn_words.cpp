#include "agent/ovpn_words.h"

#include "exporters/text/printable.h"

#include <chrono>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace tunnelwatch::agent {

using exporters::printable;
using exporters::Text;
using host::OvpnMaterial;
using Kind = host::OvpnProblemKind;

namespace {

// Where something stands: "<ca>", or the file that the option names.
Text place(const OvpnMaterial& material, std::string_view name) {
  if (material.in_block) return {fmt::format("the block <{}>", name), fmt::format("<{}>段", name)};
  const std::string file = printable(material.file);
  return {fmt::format("the file {} of `{}`", file, name), fmt::format("`{}`所指的文件{}", name, file)};
}

}  // namespace

std::string date_words(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch());
  return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(static_cast<std::time_t>(seconds.count())));
}

Text problem_words(const host::OvpnProblem& problem) {
  const std::string what = printable(problem.subject);
  switch (problem.kind) {
    case Kind::too_many_lines:
      return {"the profile has more than 20000 lines: the rest is not read", "配置文件超过20000行，其余部分未读取"};
    case Kind::line_too_long:
      return {"the line is longer than the 254 bytes that an OpenVPN client takes: it stops here",
              "该行超过OpenVPN客户端允许的254字节，客户端将在此处报错退出"};
    case Kind::open_quote:
      return {"a quote or a backslash is left open, or there are too many words: the client stops here",
              "引号或反斜杠未闭合，或参数过多，客户端将在此处报错退出"};
    case Kind::block_not_closed:
      return {fmt::format("the block <{}> is never closed", what), fmt::format("<{}>段没有结束标记", what)};
    case Kind::block_not_opened:
      return {fmt::format("</{}> closes a block that was never opened", what),
              fmt::format("</{}>没有对应的开始标记", what)};
    case Kind::no_file:
      return {fmt::format("`{}` names no file", what), fmt::format("`{}`没有给出文件名", what)};
    case Kind::bad_key_direction:
      return {fmt::format("the key's direction '{}' is neither 0 nor 1", what),
              fmt::format("密钥方向'{}'不是0或1", what)};
    case Kind::no_server:
      return {"`remote` names no server", "`remote`没有给出服务端地址"};
    case Kind::bad_port:
      return {fmt::format("'{}' is no port", what), fmt::format("'{}'不是有效端口", what)};
    case Kind::bad_protocol:
      return {fmt::format("'{}' is no protocol of a client: udp or tcp-client", what),
              fmt::format("'{}'不是客户端可用的协议，应为udp或tcp-client", what)};
    case Kind::too_many_remotes:
      return {"more than 64 servers: this one is left out", "服务端超过64个，此项被忽略"};
  }
  return {};
}

Text absent_words(std::string_view name) {
  return {fmt::format("the profile has no <{}> and no option `{}`", name, name),
          fmt::format("配置文件中既没有<{}>段，也没有`{}`选项", name, name)};
}
Text empty_words(const OvpnMaterial& material, std::string_view name) {
  const Text at = place(material, name);
  return {at.en + " is empty", at.zh + "为空"};
}
Text unreadable_words(const OvpnMaterial& material, std::string_view name) {
  const Text at = place(material, name);
  return {at.en + " cannot be read here", at.zh + "在此处无法读取"};
}
Text foreign_words(const OvpnMaterial& material, std::string_view name, std::string_view expected) {
  const Text at = place(material, name);
  return {fmt::format("{} holds no {}", at.en, expected), fmt::format("{}中没有{}", at.zh, expected)};
}
Text damaged_words(const OvpnMaterial& material, std::string_view name) {
  const Text at = place(material, name);
  return {at.en + " is damaged: it begins as it should and cannot be decoded", at.zh + "内容损坏：开头正确但无法解码"};
}
Text swapped_words(std::string_view name, bool holds_key) {
  if (holds_key)
    return {fmt::format("<{}> holds a private key instead of a certificate", name),
            fmt::format("<{}>中是私钥而不是证书", name)};
  return {fmt::format("<{}> holds a certificate instead of a private key", name),
          fmt::format("<{}>中是证书而不是私钥", name)};
}

Text not_yet_words(std::string_view name, const std::string& subject, WallTime not_before) {
  return {fmt::format("the certificate {} ({}) is not valid before {}: the date, or this machine's clock, is wrong",
                      subject, name, date_words(not_before)),
          fmt::format("证书{}（{}）在{}之前无效：证书日期或本机时钟有误", subject, name, date_words(not_before))};
}
Text expired_words(std::string_view name, const std::string& subject, WallTime not_after) {
  return {fmt::format("the certificate {} ({}) expired on {}", subject, name, date_words(not_after)),
          fmt::format("证书{}（{}）已于{}过期", subject, name, date_words(not_after))};
}
Text soon_words(std::string_view name, const std::string& subject, WallTime not_after, WallTime now) {
  const auto days = std::chrono::duration_cast<std::chrono::hours>(not_after - now).count() / 24;
  return {fmt::format("the certificate {} ({}) expires in {} days, on {}", subject, name, days, date_words(not_after)),
          fmt::format("证书{}（{}）将在{}天后过期（{}）", subject, name, days, date_words(not_after))};
}

}  // namespace tunnelwatch::agent
