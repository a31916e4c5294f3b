// zell evidence: the signed proofs of faults that nodes hold, each checked here against the genesis.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/connect.h"
#include "cli/documents.h"
#include "cli/evidence_text.h"
#include "cli/exit_codes.h"
#include "cli/proof_commands.h"
#include "client/proof_documents.h"
#include "node/wire/evidence_names.h"

namespace zell::cli {
namespace {

struct Held {
  ProvenFault fault;
  std::string id;
  std::vector<std::string> held_by;
};

struct Collected {
  Genesis genesis;
  std::vector<Held> all;  ///< by view, then id
};

/// From all nodes that run. One that does not answer is told of; an error only if none does.
Result<Collected> collect(const Globals& globals) {
  auto connected = connect(globals);
  if (!connected) return connected.error();
  std::map<std::string, Held> found;
  std::optional<Error> failure;
  bool answered = false;
  for (std::size_t k = 0; k < connected->client.nodes().size(); ++k) {
    const auto& name = connected->client.nodes()[k].name;
    auto faults = connected->client.evidence(k);
    if (!faults) {
      failure = faults.error();
      talk(ink_err(Ink::yellow, fmt::format("{} was not asked to the end: {}", name, faults.error().what)));
      continue;
    }
    answered = true;
    if (faults->without_bytes != 0) {
      talk(fmt::format("{} holds {} more, too large to be sent: zell verify --data reads them from its folder", name,
                       faults->without_bytes));
    }
    for (auto& fault : faults->faults) {
      const auto id = evidence_id(*fault.evidence);
      auto& held = found[id];
      held.fault = std::move(fault);
      held.id = id;
      held.held_by.push_back(name);
    }
  }
  if (!answered) return *failure;
  Collected out{connected->client.genesis(), {}};
  for (auto& [id, held] : found) out.all.push_back(std::move(held));
  std::stable_sort(out.all.begin(), out.all.end(), [](const Held& a, const Held& b) {
    return view_of(*a.fault.evidence) < view_of(*b.fault.evidence);
  });
  return out;
}

void no_evidence() {
  hint("no node holds evidence of a fault; of a challenge it tells", "zell status");
}

Json json_of(const Held& held, std::size_t number, const Genesis& genesis) {
  Json out{{"number", number}};
  out.update(evidence_json(held.fault, genesis));
  out["held_by"] = held.held_by;
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ","));
}

int list_evidence(const Globals& globals) {
  auto found = collect(globals);
  if (!found) return fail(found.error());
  if (globals.json) {
    Json list = Json::array();
    for (std::size_t k = 0; k < found->all.size(); ++k) list.push_back(json_of(found->all[k], k + 1, found->genesis));
    print_json({{"evidence", std::move(list)}});
    return done;
  }
  if (found->all.empty()) {
    no_evidence();
    return done;
  }
  Table table({{"N", Table::Align::right}, {"ID"}, {"ACCUSED"}, {"KIND"}, {"VIEW", Table::Align::right}, {"HELD BY"}});
  for (std::size_t k = 0; k < found->all.size(); ++k) {
    const auto& held = found->all[k];
    table.add({std::to_string(k + 1), held.id, found->genesis.members[held.fault.accused.value].name,
               std::string(kind_of(*held.fault.evidence)), std::to_string(view_of(*held.fault.evidence).value),
               joined(held.held_by)});
  }
  table.print();
  return done;
}

/// By its number in the list, or by how its id begins.
Result<std::size_t> find(const std::vector<Held>& all, const std::string& wanted) {
  for (std::size_t k = 0; k < all.size(); ++k) {
    if (wanted == std::to_string(k + 1)) return k;
  }
  std::optional<std::size_t> found;
  for (std::size_t k = 0; k < all.size() && wanted.size() >= 4; ++k) {
    if (!all[k].id.starts_with(wanted)) continue;
    if (found) return Error{"bad-argument", "more than one id begins with '" + wanted + "'", "zell evidence ls"};
    found = k;
  }
  if (found) return *found;
  return Error{"not-found", all.empty() ? "no node holds evidence of a fault" : "there is no evidence '" + wanted + "'",
               "zell evidence ls"};
}

int show_evidence(const Globals& globals, const std::string& wanted) {
  auto found = collect(globals);
  if (!found) return fail(found.error());
  auto at = find(found->all, wanted);
  if (!at) return fail(at.error());
  const auto& held = found->all[*at];
  if (globals.json) {
    print_json(json_of(held, *at + 1, found->genesis));
    return done;
  }
  print(fmt::format("{} {}", ink(Ink::red, held.id), evidence_line(held.fault, found->genesis)));
  for (const auto& statement : evidence_statements(held.fault)) print("  signed: " + statement);
  print("  held by " + joined(held.held_by));
  return done;
}

/// A document, or a line with one for each part that a reader takes: all nodes together may hold more than it.
std::string documents_of(const Collected& found) {
  const auto domain = SigningDomain::of(found.genesis);
  std::string text;
  std::vector<ProvenFault> part;
  std::size_t characters = 0;
  for (const auto& held : found.all) {
    Writer bytes;
    write_evidence(bytes, *held.fault.evidence);
    const auto more = 2 * bytes.bytes().size() + 256;
    if (part.size() == max_stored_evidence || characters + more > max_evidence_document_bytes / 2) {
      text += write_evidence_document(part, found.genesis, domain) + "\n";
      part.clear();
      characters = 0;
    }
    part.push_back(held.fault);
    characters += more;
  }
  return text + write_evidence_document(part, found.genesis, domain);
}

int export_evidence(const Globals& globals, const std::string& file) {
  auto found = collect(globals);
  if (!found) return fail(found.error());
  if (auto written = write_document(file, documents_of(*found)); !written) return fail(written.error());
  if (found->all.empty()) no_evidence();
  return done;
}

}  // namespace

void add_evidence_commands(Command root, const Globals& globals) {
  auto evidence = root.add("evidence", "Signed proofs that members broke the rules");
  evidence.examples({"zell evidence ls", "zell evidence export -o evidence.json"});
  evidence.add("ls", "List what the running nodes hold, each checked here")
      .examples({"zell evidence ls", "zell evidence ls --json"})
      .run([&globals] { return list_evidence(globals); });
  auto wanted = std::make_shared<std::string>();
  evidence.add("show", "What one of them says")
      .positional("N", *wanted, "Its number in the list, or how its id begins", true)
      .examples({"zell evidence show 1", "zell evidence show 1 --json"})
      .run([&globals, wanted] { return show_evidence(globals, *wanted); });
  auto file = std::make_shared<std::string>();
  evidence.add("export", "All of them as a document that zell verify --evidence checks offline")
      .option("-o,--output", *file, "FILE", "Write it here instead of to stdout")
      .examples({"zell evidence export", "zell evidence export -o evidence.json"})
      .run([&globals, file] { return export_evidence(globals, *file); });
}

}  // namespace zell::cli
