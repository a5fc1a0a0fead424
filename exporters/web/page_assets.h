#pragma once

#include <string_view>

// The files of exporters/web/page, embedded when this is built.
namespace tunnelwatch::exporters {

std::string_view page_index_html();
std::string_view page_style_css();
std::string_view page_app_js();
std::string_view page_favicon_svg();

}  // namespace tunnelwatch::exporters
