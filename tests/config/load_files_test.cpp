#include "config/load.h"
#include "tests/config/config_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::lines;

std::string tunnel(const std::string& name) { return "tunnels:\n- {name: " + name + ", remote: 192.0.2.1}\n"; }

TEST(LoadFile, ReadsTheFileAlone) {
  const TemporaryFolder dir;
  const auto file = dir.write("t.yaml", "log_level: debug\n");
  const auto result = load_file(file);
  ASSERT_TRUE(result);
  EXPECT_EQ(result.settings->log_level, LogLevel::debug);
  EXPECT_THAT(result.files, ElementsAre(file));
}

TEST(LoadFile, TellsAFileThatCannotBeRead) {
  const TemporaryFolder dir;
  EXPECT_THAT(lines(load_file(dir / "absent.yaml").errors),
              ElementsAre(dir / "absent.yaml" + std::string(": cannot be opened: No such file or directory")));
  EXPECT_THAT(lines(load_file(dir / "").errors), ElementsAre(HasSubstr("Is a directory")));
  const auto large = dir.write("large.yaml", std::string((1U << 20) + 1, '#'));
  EXPECT_THAT(lines(load_file(large).errors), ElementsAre(large + ": is larger than 1 MiB"));
  EXPECT_THAT(lines(load_file("/dev/zero").errors), ElementsAre("/dev/zero: is larger than 1 MiB"));
}

TEST(LoadFile, AFileOfExactlyTheLimitIsRead) {
  const TemporaryFolder dir;
  EXPECT_TRUE(load_file(dir.write("t.yaml", std::string(1U << 20, '#'))));
}

TEST(LoadFile, AddsDropInsByName) {
  const TemporaryFolder dir;
  const auto file = dir.write("t.yaml", tunnel("main"));
  dir.write("conf.d/20.yaml", tunnel("second"));
  dir.write("conf.d/10.yaml", tunnel("first"));
  dir.write("conf.d/30.yaml", "# nothing yet\n");
  dir.write("conf.d/.hidden.yaml", "broken: [");
  dir.write("conf.d/notes.txt", "broken: [");
  const auto result = load_file(file);
  EXPECT_THAT(lines(result.errors), IsEmpty());
  ASSERT_TRUE(result);
  std::vector<std::string> names;
  for (const auto& t : result.settings->tunnels) names.push_back(t.name);
  EXPECT_THAT(names, ElementsAre("main", "first", "second"));
  EXPECT_THAT(result.files, ElementsAre(file, dir / "conf.d/10.yaml", dir / "conf.d/20.yaml", dir / "conf.d/30.yaml"));
  EXPECT_THAT(result.warnings, IsEmpty());
}

TEST(LoadFile, TellsErrorsOfDropInsWithTheirFile) {
  const TemporaryFolder dir;
  const auto file = dir.write("t.yaml", tunnel("a"));
  const auto one = dir.write("conf.d/1.yaml", "log_level: info\n" + tunnel("b"));
  const auto two =
      dir.write("conf.d/2.yaml", "tunnels:\n- {name: c, remote: 192.0.2.1, local: \"::1\"}\n- {name: d}\n");
  const auto three = dir.write("conf.d/3.yaml", "tunnels: [\n");
  const auto four = dir.write("conf.d/4.yaml", tunnel("a"));
  EXPECT_THAT(
      lines(load_file(file).errors),
      ElementsAre(one + ":1:1: log_level: unknown key; a file of the include directory holds tunnels only",
                  two + ":2:39: tunnels[0].local: is of another address family than remote 192.0.2.1",
                  two + ":3:3: tunnels[1].remote: is missing", HasSubstr("3.yaml:2:1: tunnels: is not valid YAML"),
                  four + ":2:10: tunnels[0].name: \"a\" is the name of another tunnel, at " + file + ":2:10"));
}

TEST(LoadFile, DropInsCountAsTunnels) {
  const TemporaryFolder dir;
  const auto file = dir.write("t.yaml", "discovery: {enabled: false}\n");
  EXPECT_THAT(
      lines(load_file(file).errors),
      ElementsAre(
          file + ":1:22: discovery.enabled: nothing to watch: there are no tunnels, no targets, and discovery is off"));
  dir.write("conf.d/1.yaml", tunnel("b"));
  EXPECT_TRUE(load_file(file));
  dir.write("conf.d/1.yaml", "tunnels: 1");
  EXPECT_THAT(lines(load_file(file).errors), ElementsAre(HasSubstr("must be a list")));
}

TEST(LoadFile, TheDefaultDirectoryMayBeAbsentANamedOneNot) {
  const TemporaryFolder dir;
  EXPECT_TRUE(load_file(dir.write("default.yaml", "")));
  const auto named = dir.write("named.yaml", "include_dir: conf.d\n");
  EXPECT_THAT(lines(load_file(named).errors), ElementsAre(named + ":1:14: include_dir: " + (dir / "conf.d") +
                                                          " cannot be read: No such file or directory"));
  EXPECT_TRUE(load_file(dir.write("none.yaml", "include_dir: \"\"\n")));
}

TEST(LoadFile, AnIncludeDirectoryThatIsAFileIsAnError) {
  const TemporaryFolder dir;
  const auto file = dir.write("t.yaml", "");
  dir.write("conf.d", "");
  EXPECT_THAT(lines(load_file(file).errors), ElementsAre(HasSubstr("Not a directory")));
}

TEST(LoadFile, AnUnreadableDirectoryIsAnError) {
  if (geteuid() == 0) GTEST_SKIP() << "root reads everything";
  const TemporaryFolder dir;
  const auto file = dir.write("t.yaml", "");
  dir.write("conf.d/a.yaml", "");
  chmod((dir / "conf.d").c_str(), 0);
  EXPECT_THAT(lines(load_file(file).errors), ElementsAre(HasSubstr("Permission denied")));
  chmod((dir / "conf.d").c_str(), 0700);
}

TEST(LoadFile, AbsoluteIncludeDirectory) {
  const TemporaryFolder dir;
  const TemporaryFolder other;
  other.write("x.yaml", tunnel("x"));
  const auto result = load_file(dir.write("t.yaml", "include_dir: " + (other / "") + "\n"));
  ASSERT_TRUE(result);
  EXPECT_EQ(result.settings->tunnels.size(), 1U);
}

TEST(LoadFile, ANearlyRightNameIsWarnedAbout) {
  const TemporaryFolder dir;
  const auto file = dir.write("t.yaml", "");
  const auto stray = dir.write("conf.d/a.yml", tunnel("a"));
  EXPECT_THAT(lines(load_file(file).warnings), ElementsAre(stray + ": is not read; only names that end in .yaml are"));
}

TEST(LoadFile, ADanglingLinkIsTold) {
  const TemporaryFolder dir;
  const auto file = dir.write("t.yaml", "");
  dir.write("conf.d/a.yaml", tunnel("a"));
  ASSERT_EQ(symlink("/nonexistent", (dir / "conf.d/b.yaml").c_str()), 0);
  EXPECT_THAT(lines(load_file(file).errors), ElementsAre(HasSubstr("b.yaml: cannot be opened")));
}

TEST(LoadFile, FilesAndTunnelsAreBounded) {
  const TemporaryFolder dir;
  const auto file = dir.write("t.yaml", "");
  for (std::size_t i = 0; i <= kMaxDropIns; ++i) dir.write("conf.d/" + std::to_string(i) + ".yaml", "");
  EXPECT_THAT(lines(load_file(file).errors), ElementsAre(HasSubstr("holds more than 1024 files")));

  const TemporaryFolder many;
  const auto main_file = many.write("t.yaml", "");
  for (int f = 0; f < 3; ++f) {
    std::string text = "tunnels:\n";
    for (int i = 0; i < 500; ++i) text += "- {name: t" + std::to_string(f * 500 + i) + ", remote: 192.0.2.1}\n";
    many.write("conf.d/" + std::to_string(f) + ".yaml", text);
  }
  EXPECT_THAT(lines(load_file(main_file).errors),
              ElementsAre(HasSubstr("tunnels: 1500 tunnels in all; 1000 are allowed")));
}

TEST(LoadFile, BytesOfDropInsAreBounded) {
  const TemporaryFolder dir;
  const auto file = dir.write("t.yaml", "");
  for (int i = 0; i < 10; ++i) dir.write("conf.d/" + std::to_string(i) + ".yaml", std::string(1U << 20, '#'));
  EXPECT_THAT(lines(load_file(file).errors), ElementsAre(HasSubstr("8.yaml: is not read; the files of the include")));
}

}  // namespace
}  // namespace tunnelwatch::config
