#include "agent/bundle/collect.h"
#include "agent/bundle/libarchive.h"
#include "tests/support/temporary_folder.h"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// A bundle from its sources to the file and back, with secrets planted in every one of them.
namespace tunnelwatch::bundle {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* kPlanted =
    "name: kept\npsk: hidden\nurl: https://u:hidden@example.com\n{\"token\": \"hidden\"}\n";

Sources sources() {
  Sources s;
  s.ask = [](const std::string&) { return Sources::Got{kPlanted, ""}; };
  s.run = [](const std::string&) { return Sources::Got{kPlanted, ""}; };
  s.read = [](const std::string&) { return Sources::Got{kPlanted, ""}; };
  s.configuration = {"/etc/tunnelwatch/tunnelwatch.yaml", "/etc/tunnelwatch/conf.d/more.yaml"};
  return s;
}

class Archive : public testing::Test {
 protected:
  std::map<std::string, std::string> read_back(const std::string& path) {
    std::map<std::string, std::string> members;
    const std::unique_ptr<archive, decltype(&archive_read_free)> in(archive_read_new(), &archive_read_free);
    archive_read_support_filter_gzip(in.get());
    archive_read_support_format_tar(in.get());
    EXPECT_EQ(archive_read_open_filename(in.get(), path.c_str(), 65536), ARCHIVE_OK);
    archive_entry* entry = nullptr;
    while (archive_read_next_header(in.get(), &entry) == ARCHIVE_OK) {
      std::string& content = members[archive_entry_pathname(entry)];
      content.resize(static_cast<std::size_t>(archive_entry_size(entry)));
      EXPECT_EQ(archive_read_data(in.get(), content.data(), content.size()), static_cast<la_ssize_t>(content.size()));
    }
    return members;
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
    return names;
  }
  TemporaryFolder temporary;
  const std::filesystem::path& folder = temporary.path();
};

TEST_F(Archive, HoldsEverythingAndNoSecret) {
  const auto bundle = collect(sources());
  EXPECT_THAT(bundle.missing, IsEmpty());
  const std::string path = (folder / "b.tar.gz").string();
  ASSERT_EQ(write_archive(path, "root", bundle.members, 1'700'000'000), "");
  const auto members = read_back(path);
  for (const char* name :
       {"README.txt", "version.txt", "status.txt", "report.json", "metrics.txt", "system/routes.txt",
        "system/rules.txt", "system/addresses.txt", "log.txt", "config/tunnelwatch.yaml", "config/conf.d/more.yaml"})
    EXPECT_TRUE(members.contains(std::string("root/") + name)) << name;
  for (const auto& [name, content] : members) {
    EXPECT_THAT(content, Not(HasSubstr("hidden"))) << name;
    if (name != "root/README.txt" && name != "root/version.txt") {
      EXPECT_THAT(content, HasSubstr("name: kept")) << name;
    }
  }
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0600));
  EXPECT_THAT(files(), ElementsAre("b.tar.gz")) << "nothing unfinished is left";
}

TEST_F(Archive, ThatCannotBeWrittenLeavesNothing) {
  EXPECT_THAT(write_archive((folder / "no/b.tar.gz").string(), "root", {{"a", "b"}}, 0), HasSubstr("cannot write"));
  std::filesystem::create_directory(folder / "b.tar.gz");  // cannot be replaced by a file
  EXPECT_THAT(write_archive((folder / "b.tar.gz").string(), "root", {{"a", "b"}}, 0), HasSubstr("b.tar.gz: "));
  EXPECT_THAT(files(), ElementsAre("b.tar.gz"));
}

TEST(LibArchive, ThatIsNotInstalledOrIsAnotherLibraryIsSaid) {
  LibArchive api;
  EXPECT_THAT(load_libarchive("libarchive.so.no", api), HasSubstr("libarchive.so.no: cannot open shared object file"));
  EXPECT_EQ(load_libarchive("libm.so.6", api), "libm.so.6 has no archive_write_new");
}

TEST(Bundle, OfADaemonThatIsDownSaysSoOnceAndHoldsTheRest) {
  Sources s = sources();
  s.ask = [](const std::string&) { return Sources::Got{"", "cannot connect, password=hidden"}; };
  const auto bundle = collect(s);
  EXPECT_THAT(bundle.missing, ElementsAre("the running daemon: cannot connect, password=<removed>"));
  const auto& index = bundle.members.front();
  EXPECT_EQ(index.name, "README.txt");
  EXPECT_THAT(index.content, HasSubstr("Missing:\n  the running daemon"));
  EXPECT_THAT(index.content, HasSubstr("  config/tunnelwatch.yaml\n"));
}

TEST(Bundle, WhatCannotBeHadIsSaid) {
  Sources s = sources();
  s.run = [](const std::string& command) {
    return command.starts_with("ip ") ? Sources::Got{"", "no ip here"} : Sources::Got{"fine", ""};
  };
  s.read = [](const std::string&) { return Sources::Got{"", "Permission denied"}; };
  const auto bundle = collect(s);
  EXPECT_THAT(bundle.missing, Contains("ip neighbour: no ip here"));
  EXPECT_THAT(bundle.missing, Contains("/etc/tunnelwatch/tunnelwatch.yaml: Permission denied"));
}

TEST(Bundle, RecordingsAreTakenAsTheyAreTheNewestFirstAndNotWithoutEnd) {
  Sources s = sources();
  s.configuration.clear();
  s.recordings = {"/r/c.pcap", "/r/b.pcap", "/r/a.pcap"};
  s.read = [](const std::string& path) {
    return Sources::Got{path == "/r/b.pcap" ? std::string(kMostRecordedBytes, 'x') : "\xd4\xc3 psk=\x01", ""};
  };
  const auto bundle = collect(s);
  const auto named = [&](const std::string& name) {
    return std::count_if(bundle.members.begin(), bundle.members.end(), [&](const Member& m) { return m.name == name; });
  };
  EXPECT_EQ(named("recordings/c.pcap"), 1);
  EXPECT_EQ(named("recordings/b.pcap"), 0);
  EXPECT_EQ(named("recordings/a.pcap"), 1);
  EXPECT_EQ(bundle.members.back().content, "\xd4\xc3 psk=\x01") << "packets are no text";
  EXPECT_THAT(bundle.missing, ElementsAre("1 older recordings: they are too large together"));
}

}  // namespace
}  // namespace tunnelwatch::bundle
