#pragma once

namespace tunnelwatch::cli {

// Whether what is printed may have colours: on a terminal only, and not where NO_COLOR is set (https://no-color.org).
bool wants_colour();

}  // namespace tunnelwatch::cli
