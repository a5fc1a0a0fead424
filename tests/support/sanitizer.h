#pragma once

// Whether AddressSanitizer is at work, whose shadow and quarantine take memory and time of their own. GCC and Clang say
// it each in their own way.
namespace tunnelwatch {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kUnderAsan = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool kUnderAsan = true;
#else
inline constexpr bool kUnderAsan = false;
#endif
#else
inline constexpr bool kUnderAsan = false;
#endif

}  // namespace tunnelwatch
