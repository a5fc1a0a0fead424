#include "config/load.h"

#include "config/document.h"
#include "config/files.h"
#include "config/keys.h"
#include "config/reader.h"
#include "config/validate.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <tuple>
#include <utility>

namespace tunnelwatch::config {
namespace {

constexpr std::string_view kIncludeDir = "include_dir";

// One load: the settings as they grow, and where each came from.
class Loader {
 public:
  void read_main(std::string_view text, const std::string& file) {
    const Document document = parse(text, file);
    if (!document.complete) return give_up();
    Reader(file, result_.errors, origins_).read_root(document.root, settings_);
    names_include_dir_ = std::any_of(document.root.items.begin(), document.root.items.end(),
                                     [](const Node& n) { return n.key == kIncludeDir; });
  }

  void read_drop_ins(const std::string& main_file) {
    if (settings_.include_dir.empty() || origins_.is_broken(kIncludeDir)) return;
    const auto directory = directory_beside(main_file, settings_.include_dir);
    const auto names = list_drop_ins(directory, kMaxDropIns);
    if (names.absent && !names_include_dir_) return;
    if (!names.error.empty()) fail(origins_.error_at(kIncludeDir, directory + " " + names.error));
    for (const auto& stray : names.strays) {
      result_.warnings.push_back({stray, 0, 0, "", "is not read; only names that end in .yaml are"});
    }
    std::size_t bytes_left = kMaxDropInBytes;
    for (const auto& path : names.paths) {
      if (settings_.tunnels.size() > kMaxTunnels || result_.errors.size() >= kMaxErrors) return;
      if (!read_drop_in(path, bytes_left)) return;
    }
  }

  // Nothing of the main file is known, so that no rule about it can be told.
  void give_up() { origins_.mark_broken(""); }

  void fail(ConfigError error) {
    if (result_.errors.size() < kMaxErrors) result_.errors.push_back(std::move(error));
  }

  // Reads a file and notes it; an error where that fails.
  bool read(const std::string& path, std::string& text) {
    auto file = read_file(path, kMaxTextBytes);
    result_.files.push_back(path);
    if (!file.error.empty()) {
      fail({path, 0, 0, "", std::move(file.error)});
      return false;
    }
    text = std::move(file.text);
    return true;
  }

  LoadResult finish() && {
    auto findings = validate(settings_, origins_);
    for (auto& error : findings.errors) fail(std::move(error));
    findings.warnings.resize(std::min(findings.warnings.size(), kMaxErrors));
    std::move(findings.warnings.begin(), findings.warnings.end(), std::back_inserter(result_.warnings));
    order_by_place();
    if (result_.errors.empty()) result_.settings = std::move(settings_);
    return std::move(result_);
  }

 private:
  Document parse(std::string_view text, const std::string& file) {
    Document document = parse_document(text, file);
    std::move(document.errors.begin(), document.errors.end(), std::back_inserter(result_.errors));
    return document;
  }

  // False: enough was read.
  bool read_drop_in(const std::string& path, std::size_t& bytes_left) {
    std::string text;
    if (!read(path, text)) return true;
    if (text.size() > bytes_left) {
      fail({path, 0, 0, "", "is not read; the files of the include directory hold more than 8 MiB"});
      return false;
    }
    bytes_left -= text.size();
    const std::size_t errors_before = result_.errors.size();
    const Document document = parse(text, path);
    DropIn drop_in;
    Origins origins;
    if (document.complete) {
      Reader(path, result_.errors, origins, "a file of the include directory holds tunnels only")
          .read_root(document.root, drop_in);
    }
    origins_.take_tunnels(std::move(origins), settings_.tunnels.size());
    std::move(drop_in.tunnels.begin(), drop_in.tunnels.end(), std::back_inserter(settings_.tunnels));
    // Then "there are no tunnels" would be a wrong complaint.
    if (result_.errors.size() != errors_before && settings_.tunnels.empty()) origins_.mark_broken("tunnels");
    return true;
  }

  // Files in the order in which they were read, each from its top.
  void order_by_place() {
    const auto rank = [this](const ConfigError& e) {
      const auto file = std::find(result_.files.begin(), result_.files.end(), e.file);
      return std::tuple(file - result_.files.begin(), e.line, e.column);
    };
    const auto earlier = [&rank](const ConfigError& a, const ConfigError& b) { return rank(a) < rank(b); };
    std::stable_sort(result_.errors.begin(), result_.errors.end(), earlier);
    std::stable_sort(result_.warnings.begin(), result_.warnings.end(), earlier);
  }

  Settings settings_;
  Origins origins_;
  LoadResult result_;
  bool names_include_dir_ = false;
};

// The edge of the module: what a standard container throws becomes an error.
template <class Load>
LoadResult guarded(const std::string& file, Load&& load) {
  try {
    return load();
  } catch (const std::exception& e) {
    LoadResult result;
    result.errors.push_back({file, 0, 0, "", std::string("cannot be loaded: ") + e.what()});
    return result;
  }
}

}  // namespace

LoadResult load_text(std::string_view text, const std::string& file_name) {
  return guarded(file_name, [&] {
    Loader loader;
    loader.read_main(text, file_name);
    return std::move(loader).finish();
  });
}

LoadResult load_file(const std::string& path) {
  return guarded(path, [&] {
    Loader loader;
    std::string text;
    if (loader.read(path, text)) {
      loader.read_main(text, path);
      loader.read_drop_ins(path);
    } else {
      loader.give_up();
    }
    return std::move(loader).finish();
  });
}

}  // namespace tunnelwatch::config
