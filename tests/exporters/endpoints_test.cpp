#include "exporters/web/endpoints.h"

#include <gtest/gtest.h>

namespace tunnelwatch::exporters {
namespace {

TEST(Endpoints, AcceptsGzip) {
  struct Row {
    const char* header;
    bool accepted;
  };
  const Row rows[] = {
      {"", false},
      {"gzip", true},
      {"deflate, gzip", true},
      {"gzip;q=0", false},
      {"gzip;q=0.0", false},
      {"gzip; q=0.1", true},
      {"*", true},
      {"*;q=0", false},
      {"*;q=0, gzip", true},
      {"gzip;q=0, *", false},
      {"identity", false},
      {"gzipped", false},
      {"br,gzip;q=1.0,x", true},
      {",,,", false},
      {" x-gzip ", true},
  };
  for (const Row& row : rows) EXPECT_EQ(accepts_gzip(row.header), row.accepted) << row.header;
}

TEST(Endpoints, Target) {
  EXPECT_EQ(parse_target("/metrics")->path, "/metrics");
  EXPECT_EQ(parse_target("/metrics")->tunnel, std::nullopt);
  EXPECT_EQ(parse_target("/api/v1/report?x=1&tunnel=a%20b&y")->tunnel, "a b");
  EXPECT_EQ(parse_target("/api/v1/report?tunnel=")->tunnel, "");
  for (const char* bad : {"", "*", "metrics", "http://x/metrics", "/%zz", "/a b", "/<b>"})
    EXPECT_FALSE(parse_target(bad)) << bad;
}

TEST(Endpoints, TableIsFoundByItsPaths) {
  for (std::size_t i = 0; i < endpoint_count(); ++i) {
    const Endpoint* found = find_endpoint(endpoint_path(i));
    ASSERT_NE(found, nullptr) << endpoint_path(i);
    EXPECT_EQ(path_label(found), endpoint_path(i));
    EXPECT_EQ(found->asset != nullptr, found->source == Source::asset) << endpoint_path(i);
  }
  EXPECT_EQ(find_endpoint("/metrics/"), nullptr);
  EXPECT_EQ(path_label(nullptr), "other");
}

}  // namespace
}  // namespace tunnelwatch::exporters
