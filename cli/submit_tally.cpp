#include "cli/submit_tally.h"

#include <fmt/format.h>

#include "cli/exit_codes.h"
#include "cli/json.h"

namespace zell::cli {
namespace {

constexpr std::uint64_t max_shown_alike = 5;
constexpr std::string_view late_word = "time was up";

std::string short_id(const Outcome& outcome) {
  return to_hex0x(outcome.id.view().first(4)) + "…";
}

Json json_of(const Outcome& outcome, std::chrono::microseconds took, std::size_t members) {
  Json out{{"id", to_hex0x(outcome.id.view())}, {"state", to_string(outcome.state)}};
  if (outcome.index.value != 0) out["index"] = outcome.index.value;
  if (outcome.certificate) {
    out["view"] = outcome.certificate->view.value;
    out["signatures"] = outcome.certificate->signatures.size();
    out["members"] = members;
  }
  if (!outcome.reason.empty()) out["reason"] = outcome.reason;
  if (!outcome.hint.empty()) out["hint"] = outcome.hint;
  out["timed_out"] = outcome.timed_out;
  out["node"] = outcome.node;
  out["ms"] = static_cast<double>(took.count()) / 1000.0;
  return out;
}

}  // namespace

void SubmitTally::add(const Outcome& outcome, std::chrono::microseconds took) {
  ++total_;
  const bool refused = outcome.state == RequestState::refused;
  const bool late = !refused && outcome.timed_out;
  refused_ += refused ? 1 : 0;
  late_ += late ? 1 : 0;
  const auto alike = refused || late ? ++failures_[refused ? outcome.reason : std::string(late_word)] : 0;
  if (!refused && !late && outcome.index.value != 0) {
    first_ = first_.value == 0 ? outcome.index : std::min(first_, outcome.index);
    last_ = std::max(last_, outcome.index);
  }
  if (output_mode().json) return print_json(json_of(outcome, took, client_.genesis().size()));
  if (alike > max_shown_alike) return;
  if (refused) {
    talk(fmt::format("{} refused ({})  {}{}", ink_err(Ink::red, "✗"), harmless(outcome.reason), short_id(outcome),
                     outcome.hint.empty() ? "" : "  " + harmless(outcome.hint)));
  } else if (late) {
    talk(fmt::format("{} {} when time was up, may still become final  {}", ink_err(Ink::yellow, "?"),
                     outcome.state == RequestState::unknown ? "taken in by nobody"
                                                            : fmt::format("only {}", to_string(outcome.state)),
                     short_id(outcome)));
  }
}

void SubmitTally::print_one(const Outcome& outcome, std::chrono::microseconds took) const {
  std::string line = fmt::format("{} {}", check_mark(), to_string(outcome.state));
  if (outcome.index.value != 0) line += fmt::format("  #{}", outcome.index.value);
  if (outcome.certificate) {
    line += fmt::format("  {} of {} signatures", outcome.certificate->signatures.size(), client_.genesis().size());
  }
  print(fmt::format("{}  {}  {}", line, to_text(took), short_id(outcome)));
}

void SubmitTally::print_all(std::chrono::microseconds took) const {
  for (const auto& [why, count] : failures_) {
    if (count > max_shown_alike) talk(fmt::format("… and {} more: {}", count - max_shown_alike, why));
  }
  const auto good = total_ - refused_ - late_;
  std::string line = fmt::format("{} {}, {} failed", good, wait_, refused_ + late_);
  if (first_.value != 0)
    line += first_ == last_ ? fmt::format("  #{}", last_.value) : fmt::format("  #{}..#{}", first_.value, last_.value);
  if (took > std::chrono::seconds(1)) {
    line += fmt::format("  {}  {:.0f}/s", to_text(took),
                        static_cast<double>(good) * 1e6 / static_cast<double>(took.count()));
  }
  print(line);
}

int SubmitTally::exit_code() const {
  return refused_ > 0 ? negative : late_ > 0 ? timed_out : done;
}

}  // namespace zell::cli
