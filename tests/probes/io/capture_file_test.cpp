#include "probes/io/capture_file.h"

#include "probes/wire/frame.h"
#include "tests/probes/io/capture_fixture.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::io {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;
using wire::LinkType;

using CaptureFileTest = CaptureFixture;

const Buffer kIke = ipv4({}, udp(500, 500, isakmp()));

TEST_F(CaptureFileTest, EveryLinkType) {
  const std::vector<std::pair<int, LinkType>> rows{{DLT_EN10MB, LinkType::ethernet}, {DLT_RAW, LinkType::raw_ip},
                                                   {DLT_IPV4, LinkType::raw_ip},     {DLT_NULL, LinkType::null_loop},
                                                   {DLT_LOOP, LinkType::null_loop},  {DLT_LINUX_SLL, LinkType::sll},
                                                   {DLT_LINUX_SLL2, LinkType::sll2}};
  for (const auto& [dlt, link] : rows) {
    SCOPED_TRACE(dlt);
    const std::vector<std::string> paths{write_pcap("link.pcap", dlt, {{1'000, kIke}})};
    auto files = CaptureFiles::open(paths);
    ASSERT_TRUE(files) << files.error();
    CapturedFrame frame;
    ASSERT_EQ(files->next(frame), CaptureFiles::Next::frame);
    EXPECT_EQ(frame.link, link);
    EXPECT_EQ(Buffer(frame.bytes.begin(), frame.bytes.end()), kIke);
    EXPECT_EQ(files->next(frame), CaptureFiles::Next::end);
    EXPECT_EQ(files->next(frame), CaptureFiles::Next::end);
  }
}

TEST_F(CaptureFileTest, NanosecondsAndSnapLength) {
  const std::int64_t at = 1'700'000'000'123'456'789;
  const std::vector<std::string> paths{write_pcap("snap.pcap", DLT_RAW, {{at, kIke}}, 40)};
  auto files = CaptureFiles::open(paths);
  ASSERT_TRUE(files);
  CapturedFrame frame;
  ASSERT_EQ(files->next(frame), CaptureFiles::Next::frame);
  EXPECT_EQ(frame.at.time_since_epoch().count(), at);
  EXPECT_EQ(frame.bytes.size(), 40U);
  EXPECT_EQ(frame.wire_length, kIke.size());
  EXPECT_TRUE(wire::decode_frame(frame.link, frame.bytes, frame.wire_length)->cut);
}

TEST_F(CaptureFileTest, GzipIsTransparent) {
  std::vector<Packet> packets;
  for (int i = 0; i < 5000; ++i) packets.push_back({i, filler(200, static_cast<std::uint8_t>(i))});
  const std::string plain = write_pcap("many.pcap", DLT_RAW, packets);
  const Read packed = read_all({gzip(plain)});
  EXPECT_TRUE(packed.errors.empty());
  EXPECT_EQ(packed.packets, read_all({plain}).packets);
  EXPECT_EQ(packed.packets.size(), 5000U);
}

TEST_F(CaptureFileTest, StandardInput) {
  for (const bool packed : {false, true}) {
    const std::string plain = write_pcap("in.pcap", DLT_RAW, {{1, kIke}, {2, kIke}});
    const Read read = read_standard_input("cat " + (packed ? gzip(plain) : plain));
    EXPECT_TRUE(read.errors.empty());
    EXPECT_EQ(read.packets.size(), 2U);
  }
}

TEST_F(CaptureFileTest, FilesAreMergedByTheirStamps) {
  const auto a = write_pcap("a.pcap", DLT_RAW, {{10, filler(30, 1)}, {40, filler(30, 2)}, {50, filler(30, 3)}});
  const auto b = write_pcap("b.pcap", DLT_EN10MB, {{20, filler(30, 4)}, {30, filler(30, 5)}});
  const auto empty = write_pcap("empty.pcap", DLT_RAW, {});
  const auto c = write_pcap("c.pcap", DLT_RAW, {{5, filler(30, 6)}, {40, filler(30, 7)}});
  const Read read = read_all({a, b, empty, c});
  EXPECT_TRUE(read.errors.empty());
  EXPECT_EQ(read.stamps, (std::vector<std::int64_t>{5, 10, 20, 30, 40, 40, 50}));
  EXPECT_EQ(read.files, (std::vector<std::size_t>{3, 0, 1, 1, 0, 3, 0}));
  EXPECT_EQ(read.packets, (std::vector<Buffer>{filler(30, 6), filler(30, 1), filler(30, 4), filler(30, 5),
                                               filler(30, 2), filler(30, 7), filler(30, 3)}));
}

// A ring of captures: more files than a shell lets a program open, given in any order.
TEST_F(CaptureFileTest, MoreFilesThanDescriptorsAreAllowedAtFirst) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  constexpr std::size_t kFiles = 300;
  if (before.rlim_max < 2 * kFiles) GTEST_SKIP() << "the hard limit of descriptors is " << before.rlim_max;
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < kFiles; ++i) {
    const std::size_t turn = (i * 7) % kFiles;  // 7 and 300 have no common divisor
    const auto stamp = static_cast<std::int64_t>(turn) * 1000;
    paths.push_back(write_pcap(std::to_string(i) + ".pcap", DLT_RAW, {{stamp, kIke}, {stamp + 1, kIke}}));
  }
  rlimit low = before;
  low.rlim_cur = 200;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  const Read read = read_all(paths);
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(read.errors.empty()) << read.errors.front();
  ASSERT_EQ(read.stamps.size(), 2 * kFiles);
  EXPECT_TRUE(std::is_sorted(read.stamps.begin(), read.stamps.end()));
}

TEST_F(CaptureFileTest, SizeAndPosition) {
  std::vector<Packet> packets;
  for (int i = 0; i < 20'000; ++i) packets.push_back({i, filler(200, static_cast<std::uint8_t>(i * 7))});
  const std::string plain = write_pcap("plain.pcap", DLT_RAW, packets);
  for (const auto& paths : {std::vector{plain}, std::vector{gzip(plain)}, std::vector{plain, gzip(plain)}}) {
    SCOPED_TRACE(paths.front());
    auto files = CaptureFiles::open(paths);
    ASSERT_TRUE(files);
    std::uint64_t size = 0;
    for (const auto& path : paths) size += std::filesystem::file_size(path);
    EXPECT_EQ(files->total_bytes(), size);
    CapturedFrame frame;
    std::uint64_t last = files->position();
    EXPECT_LT(last, size);
    while (files->next(frame) == CaptureFiles::Next::frame) {
      EXPECT_GE(files->position(), last);
      last = files->position();
    }
    EXPECT_EQ(files->position(), size);
  }
}

// A live capture through a pipe: each packet is there as soon as it was written, and the writer goes on.
TEST_F(CaptureFileTest, APipeIsReadAsItComes) {
  PcapngBuilder builder;
  builder.section().interface(kLinktypeRaw);
  builder.enhanced({0, 1, kIke});
  const Buffer one_of_pcapng = builder.file();
  builder.enhanced({0, 2, kIke});
  const Buffer one_of_pcap = read_bytes(write_pcap("one.pcap", DLT_RAW, {{1, kIke}}));
  const Buffer two_of_pcap = read_bytes(write_pcap("two.pcap", DLT_RAW, {{1, kIke}, {2, kIke}}));
  for (const auto& [all, first] :
       {std::pair{two_of_pcap, one_of_pcap.size()}, std::pair{builder.file(), one_of_pcapng.size()}}) {
    SCOPED_TRACE(first);
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    ASSERT_EQ(write(ends[1], all.data(), first), static_cast<ssize_t>(first));
    const std::vector<std::string> paths{"/dev/fd/" + std::to_string(ends[0])};
    alarm(20);  // a reader that wants more than there is would wait for ever
    auto files = CaptureFiles::open(paths);
    ASSERT_TRUE(files) << files.error();
    CapturedFrame frame;
    ASSERT_EQ(files->next(frame), CaptureFiles::Next::frame);
    EXPECT_EQ(Buffer(frame.bytes.begin(), frame.bytes.end()), kIke);
    ASSERT_EQ(write(ends[1], all.data() + first, all.size() - first), static_cast<ssize_t>(all.size() - first));
    ASSERT_EQ(files->next(frame), CaptureFiles::Next::frame);
    EXPECT_EQ(Buffer(frame.bytes.begin(), frame.bytes.end()), kIke);
    close(ends[1]);
    EXPECT_EQ(files->next(frame), CaptureFiles::Next::end);
    alarm(0);
    close(ends[0]);
  }
}

TEST_F(CaptureFileTest, APackedPipeOfSeveralMembersAndABrokenOne) {
  std::vector<Packet> packets;
  for (int i = 0; i < 3000; ++i) packets.push_back({i, filler(200, static_cast<std::uint8_t>(i * 7))});
  const std::string plain = write_pcap("p.pcap", DLT_RAW, packets);
  const Buffer bytes = read_bytes(plain);
  const auto half = static_cast<std::ptrdiff_t>(bytes.size() / 2);
  const Buffer one = read_bytes(gzip(write_bytes("one", Buffer(bytes.begin(), bytes.begin() + half))));
  const Buffer two = read_bytes(gzip(write_bytes("two", Buffer(bytes.begin() + half, bytes.end()))));
  const auto through_pipe = [&](const Buffer& packed) {
    std::FILE* pipe = popen(("cat " + write_bytes("packed", packed)).c_str(), "r");
    const Read read = read_all({"/dev/fd/" + std::to_string(fileno(pipe))});
    pclose(pipe);
    return read;
  };
  const Read whole = through_pipe(joined({one, two}));
  EXPECT_TRUE(whole.errors.empty());
  EXPECT_EQ(whole.packets, read_all({plain}).packets);
  Buffer broken = joined({one, two});
  for (std::size_t i = one.size() / 2; i < one.size() / 2 + 64; ++i) broken[i] = 0xff;
  const Read part = through_pipe(broken);
  EXPECT_EQ(part.errors.size() + part.truncated.size(), 1U);
  EXPECT_LT(part.packets.size(), 3000U);
  Buffer wrong_sum = joined({one, two});
  wrong_sum[wrong_sum.size() - 8] ^= 1;  // the checksum before the length ends a member
  EXPECT_EQ(through_pipe(wrong_sum).errors.size(), 1U);
  // The end comes where the packed data goes on, and between two packets: only the packing says that something is
  // missing.
  const Buffer whole_packets =
      read_bytes(gzip(write_bytes("three", Buffer(bytes.begin(), bytes.begin() + 24 + 216 * 9))));
  const Read early = through_pipe(Buffer(whole_packets.begin(), whole_packets.end() - 8));
  EXPECT_EQ(early.packets.size(), 9U);
  EXPECT_EQ(early.errors.size(), 1U);
}

TEST_F(CaptureFileTest, ThePipesSizeIsNotKnown) {
  const std::string plain = write_pcap("in.pcap", DLT_RAW, {{1, kIke}});
  std::FILE* pipe = popen(("cat " + plain).c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  const int saved = dup(STDIN_FILENO);
  dup2(fileno(pipe), STDIN_FILENO);
  {
    const std::vector<std::string> paths{plain, "-"};
    auto files = CaptureFiles::open(paths);
    ASSERT_TRUE(files);
    EXPECT_EQ(files->total_bytes(), 0U);
  }
  dup2(saved, STDIN_FILENO);
  close(saved);
  pclose(pipe);
}

TEST_F(CaptureFileTest, ATruncatedEndIsToldAndNotFatal) {
  const std::string path = write_pcap("cut.pcap", DLT_RAW, {{1, kIke}, {2, kIke}});
  const Buffer whole = read_bytes(path);
  for (const std::size_t missing : {std::size_t{1}, kIke.size(), kIke.size() + 15}) {
    SCOPED_TRACE(missing);
    const auto cut =
        write_bytes("cut2.pcap", Buffer(whole.begin(), whole.end() - static_cast<std::ptrdiff_t>(missing)));
    for (const auto& paths : {std::vector{cut}, std::vector{cut, path}, std::vector{gzip(cut)}}) {
      const Read read = read_all(paths);
      EXPECT_TRUE(read.errors.empty());
      EXPECT_EQ(read.packets.size(), paths.size() == 2 ? 3U : 1U);
      EXPECT_EQ(read.truncated, std::vector<std::string>{paths[0]});
    }
  }
}

TEST_F(CaptureFileTest, WhatIsNoCaptureIsToldAtOnce) {
  struct Row {
    std::string path;
    std::string part;
  };
  for (const Row& row :
       {Row{folder / "missing.pcap", "No such file"}, Row{write_bytes("text", filler(500)), "unknown file format"},
        Row{write_bytes("empty", {}), "not a capture"}, Row{folder, "directory"},
        Row{write_pcap("usb.pcap", DLT_USB_LINUX, {}), "USB_LINUX"},
        Row{write_bytes("line", {0x0a}), "unknown file format"},
        Row{write_bytes("lines", joined({{0x0a}, filler(500)})), "unknown file format"},
        Row{write_bytes("cut.pcapng", {0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a}),
            "unknown file format"},
        Row{write_bytes("version.pcapng", PcapngBuilder().section({}, 2).file()), "unknown version"},
        Row{write_bytes("bad.pcapng", PcapngBuilder().section().enhanced({0, 1, kIke}).file()), "does not describe"},
        Row{write_bytes("usb.pcapng", PcapngBuilder().section().interface(kLinktypeUsb).enhanced({0, 1, kIke}).file()),
            "USB_LINUX"},
        Row{write_bytes("cut.pcapng.gz", {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3}), "Bad message"}}) {
    SCOPED_TRACE(row.path);
    const Read read = read_all({row.path});
    ASSERT_EQ(read.errors.size(), 1U);
    EXPECT_NE(read.errors[0].find(row.path), std::string::npos) << read.errors[0];
    EXPECT_NE(read.errors[0].find(row.part), std::string::npos) << read.errors[0];
  }
}

// Where gzip data ends early, zlib hands out what there is and says no more: it must not pass for the whole file, even
// where that ends between two packets.
TEST_F(CaptureFileTest, GzipDataThatEndsEarly) {
  PcapngBuilder builder;
  builder.section().interface(kLinktypeRaw).enhanced({0, 1, kIke});
  for (const auto& path :
       {write_pcap("early.pcap", DLT_RAW, {{1'000, kIke}}), write_bytes("early.pcapng", builder.file())}) {
    const Buffer bytes = read_bytes(gzip(path));
    // All of the data is there, but not its checksum.
    const auto cut = write_bytes("early.gz", Buffer(bytes.begin(), bytes.end() - 8));
    const Read read = read_all({cut});
    EXPECT_THAT(read.packets, ElementsAre(kIke));
    EXPECT_THAT(read.errors, ElementsAre(StartsWith(cut + " could be read in part only: ")));
  }
}

TEST_F(CaptureFileTest, BrokenGzipIsAnErrorAfterWhatCouldBeRead) {
  std::vector<Packet> packets;
  for (int i = 0; i < 20'000; ++i) packets.push_back({i, filler(200, static_cast<std::uint8_t>(i * i))});
  const std::string packed = gzip(write_pcap("big.pcap", DLT_RAW, packets));
  Buffer bytes = read_bytes(packed);
  for (std::size_t i = bytes.size() / 2; i < bytes.size() / 2 + 64; ++i) bytes[i] = 0xff;
  const Read read = read_all({write_bytes("broken.pcap.gz", bytes)});
  EXPECT_EQ(read.errors.size() + read.truncated.size(), 1U);
  EXPECT_LT(read.packets.size(), 20'000U);
}

}  // namespace
}  // namespace tunnelwatch::io
