#pragma once
// "Did you mean ...": the closest of a few known words.

#include <span>
#include <string_view>

namespace zell {

/// The known word at the least edit distance (insert, delete, replace, swap of neighbours), or "" if none is close
/// enough to be what was meant: at most a third of the word, rounded up.
[[nodiscard]] std::string_view nearest_word(std::string_view word, std::span<const std::string_view> known);

}  // namespace zell
