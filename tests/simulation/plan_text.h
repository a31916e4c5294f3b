#pragma once
// A plan as text, NAME=VALUE,NAME=VALUE: to print what a run is, and to change it by hand.

#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/plan.h"

namespace zell::simulation {

/// The names of the fields that text can change.
[[nodiscard]] const std::vector<std::string>& plan_fields();
/// REQUIRES: `field` is one of them.
[[nodiscard]] std::string value_of(const Plan& plan, std::string_view field);
/// The fields in which `plan` differs from `from`.
[[nodiscard]] std::string differences(const Plan& plan, const Plan& from);
/// "seed N: ..." with all that is not as in a plan without faults.
[[nodiscard]] std::string text_of(const Plan& plan);
/// Each fault and behaviour that it has, by name.
[[nodiscard]] std::vector<std::string> mix_of(const Plan& plan);
/// False, with why, if the text names no field, gives it no value that it can have, or leaves a plan that cannot be.
[[nodiscard]] bool change_plan(Plan& plan, std::string_view text, std::string& why);

}  // namespace zell::simulation
